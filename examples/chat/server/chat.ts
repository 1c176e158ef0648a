import { createServer, refuse } from 'tautline/server';
import { z } from 'zod';
import { chat, Id, Name } from '../contract.ts';
import { nameOfLine } from './lines.ts';
import { Room } from './room.ts';

/** Who calls, as `authenticate` found out. */
interface Caller {
  /** Made up by the page, and kept for itself: this chat has no accounts. */
  readonly session: string;
  /** Which line the call came over. */
  readonly line: string;
}

/** What the trouble buttons do to lines and to the process: not the chat's business. */
export interface Trouble {
  readonly cut: (line: string) => void;
  readonly slow: (line: string, on: boolean) => void;
  readonly stop: () => void;
}

const Token = z.preprocess(parseJson, z.object({ session: Id, name: Name.optional() }));

/** The chat: what each procedure of the contract does, and who may listen. */
export function createChat(trouble: Trouble) {
  const room = new Room({
    message: (message) => void server.topic('messages').publish(message),
    user: (user) => void server.topic('users').publish(user),
  });

  const server = createServer(chat, {
    // Runs for each new socket, before anything else.
    authenticate: ({ token, request }) => {
      const { success, data } = Token.safeParse(token);
      if (!success) refuse('the page has no session');
      const { session, name } = data;
      const line = nameOfLine(request.url) ?? '';
      room.arrived(session, line);
      // After a restart the page still has its name: it gets it back, unless somebody was faster.
      if (name !== undefined) room.join(session, name);
      return { identity: session, context: { session, line } satisfies Caller };
    },
    handlers: {
      ping: () => undefined,
      join: ({ input, context, fail }) =>
        room.join(context.session, input.name) ? { name: input.name } : fail('NAME_TAKEN', { name: input.name }),
      send: ({ input, context, fail }) => {
        const author = room.nameOf(context.session);
        return author === undefined ? fail('NOT_JOINED', {}) : room.say(input.id, author, input.text);
      },
      // No `publish` here: pages publish nothing by themselves, they ask `send`.
      messages: { authorize: () => true, snapshot: () => room.messages },
      users: { authorize: () => true, snapshot: () => room.names },
      trouble: {
        cut: ({ context }) => trouble.cut(context.line),
        slow: ({ input, context }) => trouble.slow(context.line, input.on),
        stop: () => trouble.stop(),
      },
    },
  });
  return {
    server,
    /** Tells that a line is gone. */
    gone: (line: string) => room.gone(line),
  };
}

function parseJson(text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    return undefined;
  }
}

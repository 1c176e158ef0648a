import { setTimeout as delay } from 'node:timers/promises';
import { createServer, refuse } from 'tautline/server';
import type { Trouble } from '../../chat/server/chat.ts';
import { nameOfLine } from '../../chat/server/lines.ts';
import { board, type Change } from '../contract.ts';
import { Rooms, summaryOf } from './rooms.ts';
import { readToken, type User } from './tokens.ts';

const WORD_MS = 80;

interface Caller {
  readonly user: User;
  /** Which line the call came over. */
  readonly line: string;
}

/** The board: what each procedure of the contract does, and who may listen. */
export function createBoard(trouble: Trouble) {
  const rooms = new Rooms();
  /** Commit first, publish then: whoever made the change has its event before the answer. */
  const change = async (roomId: string, what: Change): Promise<void> => {
    rooms.change(roomId, what);
    await server.topic('cards', { roomId }).publish(what);
  };

  const server = createServer(board, {
    authenticate: ({ token, request }) => {
      const known = readToken(token) ?? refuse('log in');
      const { id, name, expiresAt } = known;
      const context: Caller = { user: { id, name }, line: nameOfLine(request.url) ?? '' };
      return { identity: id, context, expiresAt };
    },
    handlers: {
      rooms: ({ context }) => [...rooms.roomsOf(context.user)],
      card: {
        add: async ({ input: { roomId, id, text }, context, fail }) => {
          if (!rooms.mayEnter(context.user, roomId)) fail('NO_ROOM', {});
          if (rooms.card(roomId, id)) return;
          await change(roomId, { type: 'put', card: { id, text, column: 'todo', by: context.user.name } });
        },
        move: async ({ input: { roomId, id, column }, context, fail }) => {
          if (!rooms.mayEnter(context.user, roomId)) fail('NO_ROOM', {});
          const card = rooms.card(roomId, id) ?? fail('GONE', {});
          await change(roomId, { type: 'put', card: { ...card, column } });
        },
        remove: async ({ input: { roomId, id }, context, fail }) => {
          if (!rooms.mayEnter(context.user, roomId)) fail('NO_ROOM', {});
          await change(roomId, { type: 'removed', id });
        },
      },
      cards: {
        authorize: ({ params, context }) => rooms.mayEnter(context.user, params.roomId),
        snapshot: ({ params }) => rooms.cards(params.roomId),
      },
      here: { authorize: ({ params, context }) => rooms.mayEnter(context.user, params.roomId) },
      async *summary({ input: { roomId }, context, signal, fail }) {
        if (!rooms.mayEnter(context.user, roomId)) fail('NO_ROOM', {});
        for (const word of summaryOf(rooms.cards(roomId))) {
          yield word;
          await delay(WORD_MS, undefined, { signal });
        }
      },
      trouble: {
        cut: ({ context }) => trouble.cut(context.line),
        slow: ({ input, context }) => trouble.slow(context.line, input.on),
        stop: () => trouble.stop(),
      },
    },
  });
  return server;
}

import { vi } from 'vitest';
import { z } from 'zod';
import { defineContract, presence } from '../../../src/index.ts';
import { createServer, memoryBroker } from '../../../src/server/index.ts';
import type { AuthenticateArgs, Broker, ServerOptions } from '../../../src/server/index.ts';
import { clientName, Peer } from '../peer.ts';

const contract = defineContract({
  here: presence('rooms/{roomId}/here', { info: z.object({ name: z.string() }) }),
});

export const HERE = 'rooms/1/here';

/** With fake timers: lets what waits for no timer happen. */
export const settle = () => vi.advanceTimersByTimeAsync(0);

type Options = ServerOptions<(typeof contract)['tree'], { user: string }>;

/** A server whose tokens are the names of users. */
export function start(options: Partial<Options> = {}, allowed: (user: string) => unknown = () => true) {
  const errors: unknown[] = [];
  const server = createServer(contract, {
    authenticate: ({ token = 'ann' }: AuthenticateArgs) => ({ identity: token, context: { user: token } }),
    onError: (error) => void errors.push(error),
    handlers: {
      here: { authorize: ({ context, action }) => (action === 'subscribe' || allowed(context.user)) as boolean },
    },
    ...options,
  });
  return { server, errors };
}

type Server = Pick<ReturnType<typeof start>['server'], 'accept'>;

/** A tab of a user. */
export async function tab(server: Server, user: string, client = clientName(), n = 1) {
  const peer = new Peer(server).hello(client, n, { token: user });
  await settle();
  let id = 0;
  const say = async (...words: unknown[]) => {
    peer.write(['publish', ++id, HERE, words]);
    await settle();
    return peer.answers(id)[0]!;
  };
  return Object.assign(peer, {
    name: client,
    enter: (info: unknown = { name: user }) => say(info),
    leave: () => say(),
    vanishes: async (code?: number) => {
      peer.vanish(code);
      await settle();
    },
  });
}

/** Somebody who looks on, and what he was told, in short. */
export async function onlooker(server: Server) {
  const peer = await tab(server, 'onlooker');
  peer.write(['subscribe', 1, HERE]);
  await settle();
  const short = ({ id, info, connections }: any) => `${id} ${info.name} ${connections}`;
  return {
    peer,
    /** The state that he began with. */
    first: () => peer.all('snapshot').at(-1)![3].map(short) as string[],
    events: () => peer.all('event').map(([, , , { type, member }]) => `${type} ${short(member)}`),
  };
}

/** A broker that fails to publish as long as it is told to. */
export function failingBroker() {
  const inner = memoryBroker();
  const state = { isAway: false, tries: 0 };
  const broker: Broker = {
    publish: (...args) => {
      state.tries++;
      return state.isAway ? Promise.reject(new Error('the broker is away')) : inner.publish(...args);
    },
    subscribe: (...args) => inner.subscribe(...args),
    close: () => inner.close(),
  };
  return Object.assign(state, { broker });
}

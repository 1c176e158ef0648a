import fc from 'fast-check';
import { expect, test } from 'vitest';
import { contract } from './fixture.ts';
import { createServer } from '../../src/server/index.ts';
import type { CallInfo } from '../../src/server/index.ts';
import { FrameParts } from '../../src/protocol/parts.ts';
import { clientName, Peer, settle } from './peer.ts';

const id = fc.oneof({ weight: 8, arbitrary: fc.integer({ min: 1, max: 40 }) }, fc.integer(), fc.constant(null));
const position = fc.tuple(fc.constantFrom('', 'x', 'epoch'), fc.integer({ min: 0, max: 9 }));
const name = fc.constantFrom('rooms/1', 'rooms/2', 'boards/1', 'boards/%zz', 'nowhere', '', 5);
const payload = fc.oneof(
  fc.constantFrom(
    'x',
    5,
    -1,
    -2,
    200,
    { text: 'hi' },
    { item: 'tea' },
    { item: 'throw' },
    { item: 'fail' },
    { item: 'slow' },
  ),
  fc.jsonValue(),
);
const path = fc.constantFrom(
  'echo',
  'count',
  'orders.place',
  'orders.cancel',
  'room',
  '__proto__',
  'constructor.name',
  7,
);
const headers = fc.constantFrom(null, {}, { deadlineMs: 0 }, { deadlineMs: 1e300 }, { deadlineMs: 'x' }, 5);

const seq = fc.oneof(fc.constant(0), fc.constantFrom(1, 2, 5, 300), id);

/** Messages that are nearly right, in any order: what a broken or hostile client writes. */
const message = fc.oneof(
  fc.tuple(fc.constant('call'), id, path, headers, payload),
  fc.tuple(fc.constant('publish'), fc.oneof(id, fc.constant(0)), name, payload),
  fc.tuple(fc.constant('subscribe'), id, name, fc.oneof(fc.constant(null), position)),
  fc.tuple(fc.constant('unsubscribe'), name),
  fc.tuple(fc.constantFrom('cancel', 'ping', 'pong'), id),
  fc.tuple(fc.constant('floor'), id, id),
  fc.tuple(fc.constant('auth'), id, fc.constantFrom('ann', 'bob', 'throw', 5)),
  fc.tuple(fc.constant('open'), id, fc.oneof(fc.constant('count'), path), headers, seq, seq, payload),
  fc.tuple(fc.constant('more'), id, seq, seq),
  fc.array(fc.jsonValue(), { maxLength: 4 }),
);

const step = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({ socket: fc.nat(5), do: fc.constant('write' as const), messages: fc.array(message) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      socket: fc.nat(5),
      do: fc.constant('text' as const),
      text: fc.oneof(fc.string(), fc.json()),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      socket: fc.nat(5),
      do: fc.constant('hello' as const),
      client: fc.nat(2),
      n: fc.nat(9),
      floor: fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 4 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      socket: fc.nat(5),
      do: fc.constantFrom('vanish' as const, 'stuff' as const, 'drain' as const, 'binary' as const),
      code: fc.constantFrom(undefined, 1000, 1006),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      socket: fc.nat(5),
      do: fc.constant('cut' as const),
      messages: fc.array(message, { minLength: 1 }),
      s: fc.nat(3),
      // All of its parts, the first ones, or the first with a figure that may not fit.
      parts: fc.nat(3),
      left: fc.option(fc.constantFrom(0, 1, 300, 1e14), { freq: 6 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const) }) },
);

test('whatever peers write, in whatever order: nothing throws, tables are bounded, nothing runs twice', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const clients = [clientName(), clientName(), clientName()];
      const runs = new Map<string, number>();
      const errors = new Set<string>();
      const onError = (error: unknown): void => void errors.add(String(error));
      // Orders and streams name the memory: two clients may use the same id.
      const began = ({ path, id, headers }: CallInfo): void => {
        const key = JSON.stringify([path, headers.memory, id]);
        runs.set(key, (runs.get(key) ?? 0) + 1);
      };
      let streaming = 0;
      const planned = (): never => {
        throw new Error('planned');
      };
      const server = createServer(contract, {
        limits: {
          calls: 8,
          streams: 2,
          items: 3,
          subscriptions: 2,
          answers: 74,
          answerBytes: 200,
          memoryBytes: 500,
          bufferedBytes: 500,
        },
        onError,
        authenticate: async ({ token }) => (token === 'throw' ? planned() : { identity: token ?? 'ann', context: {} }),
        handlers: {
          echo: async ({ input }) => (input === 'throw' ? planned() : input),
          orders: {
            place: async ({ input, fail, signal, call }) => {
              began(call);
              if (input.item === 'throw') planned();
              if (input.item === 'fail') fail('SOLD_OUT', { left: 1 });
              if (input.item === 'slow') await new Promise((resolve) => signal.addEventListener('abort', resolve));
              return { number: 1 };
            },
            cancel: () => undefined,
          },
          async *count({ input, call, fail, signal }) {
            began(call);
            streaming++;
            try {
              if (input === -1) planned();
              if (input === -2) await new Promise((resolve) => signal.addEventListener('abort', resolve));
              for (let n = 1; n <= input; n++) yield n;
              if (input > 100) fail('STUCK', { at: input });
            } finally {
              streaming--;
            }
          },
          room: { authorize: async ({ params }) => params.roomId !== '2', publish: async () => undefined },
          board: { authorize: () => true, snapshot: async () => ({ sum: 1 }) },
        },
      });
      const peers = Array.from({ length: 6 }, () => new Peer(server));
      for (const next of steps) {
        if (next.do === 'wait') {
          await settle();
          continue;
        }
        const peer = peers[next.socket]!;
        if (next.do === 'hello') peer.write(['hello', { client: clients[next.client], n: next.n, floor: next.floor }]);
        else if (next.do === 'text') peer.writeText(next.text);
        else if (next.do === 'vanish') peer.vanish(next.code);
        else if (next.do === 'stuff') peer.bufferedAmount = 501;
        else if (next.do === 'drain') peer.drain();
        else if (next.do === 'binary') peer.writeBinary();
        else if (next.do === 'cut') {
          const memory = peer.welcome?.memory as string | undefined;
          const frame = JSON.stringify(next.messages.map((one) => withMemory(one, memory))).padEnd(1_200);
          const parts = new FrameParts(next.s, frame, frame.length, 1_024);
          for (let n = 0; n < next.parts && parts.left > 0; n++) {
            const part = parts.next();
            peer.writeText(next.left === null ? part : part.replace(/(?<=,)\d+/, String(next.left)));
          }
        } else if (next.do === 'write' && next.messages.length > 0) {
          const memory = peer.welcome?.memory as string | undefined;
          peer.write(...next.messages.map((one) => withMemory(one, memory)));
        }
        if (peer.closedWith !== undefined || next.do === 'vanish') peers[next.socket] = new Peer(server);
        const { calls, streams, subscriptions, clients: remembered } = server.stats();
        expect(streams).toBeLessThanOrEqual(3 * (2 * 2 + 1));
        expect(calls).toBeLessThanOrEqual(3 * (2 * 8 + 1));
        expect(subscriptions).toBeLessThanOrEqual(6 * 2);
        expect(remembered).toBeLessThanOrEqual(3);
      }
      await settle();
      await server.close();
      await settle();
      expect(streaming).toBe(0);
      expect(server.stats()).toMatchObject({ peers: 0, clients: 0, subscriptions: 0 });
      // What the handlers throw; anything else would be a fault of the engine.
      errors.delete('Error: planned');
      expect([...errors]).toEqual([]);
      for (const [key, count] of runs) expect([key, count]).toEqual([key, 1]);
    }),
    { numRuns: 300 },
  );
});

/** Lets the handler see under which memory what acts was sent; one sent before welcome could be under any. */
function withMemory(message: readonly unknown[], memory: string | undefined): readonly unknown[] {
  const [name, id, path, , ...rest] = message;
  if (name !== 'open' && (name !== 'call' || path !== 'orders.place')) return message;
  return memory === undefined ? ['ping', 1] : [name, id, path, { memory }, ...rest];
}

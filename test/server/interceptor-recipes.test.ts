import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, test } from 'vitest';
import { DeclaredFailure } from '../../src/server/index.ts';
import type { Interceptor } from '../../src/server/index.ts';
import { start } from './fixture.ts';
import type { Context } from './fixture.ts';
import { clientName, Gate, Peer, settle } from './peer.ts';

interface Trace {
  readonly traceId: string;
  readonly parentId: string;
}
const trace = new AsyncLocalStorage<Trace | undefined>();

/** Reads `traceparent` (W3C Trace Context) and keeps it for whatever the handler calls, items of streams included. */
const tracing: Interceptor<Context> = ({ kind, headers }, next) => {
  const [, traceId, parentId] =
    /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/.exec(String(headers.traceparent)) ?? [];
  const here = traceId === undefined || parentId === undefined ? undefined : { traceId, parentId };
  return trace.run(here, async () => {
    const output = await next();
    return kind === 'stream' ? within(here, output as AsyncIterable<unknown>) : output;
  });
};

/** A generator runs in the surroundings of whoever asks for its next item. */
function within(here: Trace | undefined, items: AsyncIterable<unknown>): AsyncIterable<unknown> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = items[Symbol.asyncIterator]();
      return {
        next: () => trace.run(here, () => iterator.next()),
        return: async () =>
          trace.run(here, async () => (await iterator.return?.()) ?? { done: true, value: undefined }),
      };
    },
  };
}

/** Logs what was called, how long it took and how it ended; of payloads their size alone. */
function logging(write: (line: object) => void, now: () => number): Interceptor<Context> {
  return async ({ kind, path, input, signal }, next) => {
    const began = now();
    const log = (outcome: string, items?: number): void => {
      const size = JSON.stringify(input)?.length ?? 0;
      write({
        kind,
        path,
        input: `${size} characters`,
        ms: now() - began,
        outcome,
        ...(items !== undefined && { items }),
      });
    };
    const codeOf = (error: unknown): string => (error instanceof DeclaredFailure ? error.code : 'failed');
    async function* watch(source: AsyncIterable<unknown>): AsyncGenerator {
      let items = 0;
      let outcome = 'abandoned';
      try {
        for await (const item of source) {
          items++;
          yield item;
        }
        outcome = 'ok';
      } catch (error) {
        outcome = codeOf(error);
        throw error;
      } finally {
        log(outcome, items);
      }
    }
    try {
      const output = await next();
      if (kind === 'stream') return watch(output as AsyncIterable<unknown>);
      log(signal.aborted ? 'abandoned' : 'ok');
      return output;
    } catch (error) {
      log(codeOf(error));
      throw error;
    }
  };
}

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const expected = { traceId: '0af7651916cd43dd8448eb211c80319c', parentId: 'b7ad6b7169203331' };

test('a recipe: traceparent of a call is at hand wherever its handler works', async () => {
  const seen: unknown[] = [];
  const { server } = start(
    {
      echo: async ({ input }) => {
        await Promise.resolve();
        seen.push(trace.getStore());
        return input;
      },
      async *count({ input }) {
        for (let n = 1; n <= input; n++) {
          await Promise.resolve();
          seen.push(trace.getStore());
          yield n;
        }
      },
    },
    { intercept: tracing },
  );
  const peer = new Peer(server).hello(clientName());
  await settle();
  peer.write(['call', 1, 'echo', { traceparent }, 'x']);
  await settle();
  peer.write(['open', 2, 'count', { traceparent }, 0, 1, 2]);
  await settle();
  // Asked for by a message that belongs to no trace.
  peer.write(['more', 2, 1, 9]);
  await settle();
  peer.write(['call', 3, 'echo', { traceparent: 'rubbish' }, 'x']);
  await settle();
  expect(seen).toEqual([expected, expected, expected, undefined]);
});

test('a recipe: a log with the kind, path, time and outcome of each call, and no word of a payload', async () => {
  const lines: object[] = [];
  let clock = 0;
  const gate = new Gate<{ number: number }>();
  const { server } = start(
    {
      echo: () => {
        clock += 5;
        throw new Error('password is hunter2');
      },
      orders: {
        place: ({ input, fail }) => (input.item === 'slow' ? gate.opened : fail('SOLD_OUT', { left: 0 })),
        cancel: () => undefined,
      },
      async *count({ input, fail }) {
        for (let n = 1; n <= input; n++) yield n;
        if (input === 1) fail('STUCK', { at: 1 });
      },
    },
    {
      intercept: logging(
        (line) => lines.push(line),
        () => clock,
      ),
      onError: () => undefined,
    },
  );
  const peer = new Peer(server).hello(clientName());
  await settle();
  peer.write(['call', 1, 'echo', null, 'hunter2'], ['call', 2, 'orders.place', null, { item: 'hunter2' }]);
  peer.write(['call', 3, 'orders.cancel', null, 'hunter2'], ['publish', 4, 'rooms/1', { text: 'hunter2' }]);
  await settle();
  for (const [id, upTo, count] of [
    [5, 9, 2],
    [6, 9, 1],
    [7, 1, 9],
  ] as const) {
    peer.write(['open', id, 'count', null, 0, upTo, count]);
    await settle();
  }
  peer.write(['cancel', 7], ['call', 8, 'orders.place', null, { item: 'slow' }], ['cancel', 8]);
  await settle();
  gate.open({ number: 1 });
  await settle();
  const line = (kind: string, path: string, size: number, outcome: string, more: object = {}) => {
    return { kind, path, input: `${size} characters`, ms: 0, outcome, ...more };
  };
  expect(lines).toEqual([
    line('query', 'echo', 9, 'failed', { ms: 5 }),
    line('mutation', 'orders.place', 18, 'SOLD_OUT'),
    line('mutation', 'orders.cancel', 9, 'ok'),
    line('publish', 'room', 18, 'ok'),
    line('stream', 'count', 1, 'ok', { items: 2 }),
    line('stream', 'count', 1, 'STUCK', { items: 1 }),
    line('stream', 'count', 1, 'abandoned', { items: 1 }),
    line('mutation', 'orders.place', 15, 'abandoned'),
  ]);
});

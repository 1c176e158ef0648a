import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { defineContract } from '../../src/contract/contract.ts';
import { stream } from '../../src/contract/procedure.ts';
import { createServer } from '../../src/server/index.ts';
import { start } from './fixture.ts';
import { clientName, Gate, Peer, settle } from './peer.ts';
import { counting, items } from './streaming.ts';

describe('items', () => {
  test('come in order as their schema makes them, and then the end', async () => {
    const contract = defineContract({ log: stream({ output: z.object({ n: z.int() }) }) });
    const server = createServer(contract, {
      handlers: {
        async *log() {
          yield { n: 1, secret: 'x' } as { n: number };
          yield { n: 2 };
        },
      },
    });
    const peer = new Peer(server).hello(clientName()).write(['open', 1, 'log', null, 0, 9]);
    await settle();
    expect(peer.stream(1)).toEqual([
      ['item', 1, 1, { n: 1 }],
      ['item', 1, 2, { n: 2 }],
      ['done', 1],
    ]);
  });

  test('keep their order, however long their schema takes', async () => {
    const gates = [new Gate(), new Gate()];
    const slow = z.int().refine(async (n) => (await gates[n]?.opened, true));
    const server = createServer(defineContract({ log: stream({ output: slow }) }), {
      handlers: {
        async *log() {
          yield* [0, 1, 2];
        },
      },
    });
    const peer = new Peer(server).hello(clientName()).write(['open', 1, 'log', null, 0, 9]);
    gates[1]?.open();
    await settle();
    expect(peer.stream(1)).toEqual([]);
    gates[0]?.open();
    await settle();
    expect(peer.stream(1)).toEqual([...[0, 1, 2].map((n) => ['item', 1, n + 1, n]), ['done', 1]]);
  });

  test('of a stream without an output have no payload, whatever the handler gives', async () => {
    const server = createServer(defineContract({ tick: stream() }), {
      handlers: {
        async *tick() {
          yield 'secret' as never;
        },
      },
    });
    const peer = new Peer(server).hello(clientName()).write(['open', 1, 'tick', null, 0, 9]);
    await settle();
    expect(peer.stream(1)).toEqual([
      ['item', 1, 1],
      ['done', 1],
    ]);
  });

  test('are made as far as they are asked for, and no further', async () => {
    const { server, made } = counting();
    const peer = new Peer(server).hello(clientName()).write(['open', 1, 'count', null, 0, 0, 0]);
    await settle();
    expect(made).toEqual([]);
    peer.write(['more', 1, 0, 2]);
    await settle();
    expect(made).toEqual([1, 2]);
    // Absolute numbers: repeating one, or a lower one, changes nothing; nor can more be taken than there was.
    peer.write(['more', 1, 0, 2], ['more', 1, 0, 1], ['more', 1, 900, 2]);
    await settle();
    expect(made).toEqual([1, 2]);
    peer.write(['more', 1, 0, 3]);
    await settle();
    expect(peer.stream(1)).toEqual(items(1, 1, 3));
  });

  test('stay within limits.items of what was taken, however many are asked for', async () => {
    const { server, made } = counting({ limits: { items: 3 } });
    const peer = new Peer(server).hello(clientName()).write(['open', 1, 'count', null, 0, 1000, 0]);
    await settle();
    expect(made).toEqual([1, 2, 3]);
    peer.write(['more', 1, 2, 1000]);
    await settle();
    expect(made).toEqual([1, 2, 3, 4, 5]);
    expect(peer.stream(1)).toEqual(items(1, 1, 5));
  });

  test('come from whatever can be read with for await, now or promised', async () => {
    const readable = () =>
      new ReadableStream<number>({
        start(controller) {
          for (const n of [1, 2]) controller.enqueue(n);
          controller.close();
        },
      });
    let n = 0;
    const bare = { next: async () => ({ done: n === 2, value: ++n }), [Symbol.asyncIterator]: () => bare };
    for (const count of [readable, async () => readable(), () => bare as AsyncIterable<number>]) {
      const peer = new Peer(start({ count }).server).hello(clientName()).write(['open', 1, 'count', null, 0, 9, 0]);
      await settle();
      expect(peer.stream(1)).toEqual([...items(1, 1, 2), ['done', 1]]);
    }
  });
});

describe('what a handler of a stream is given', () => {
  test('the parsed input, the context and which call it is', async () => {
    const { server, count } = counting();
    const peer = new Peer(server).hello(clientName(), 1, { token: 'eve' });
    peer.write(['open', 4, 'count', { traceparent: 't' }, 0, 1, 7]);
    await settle();
    expect(count).toHaveBeenCalledWith(
      expect.objectContaining({
        input: 7,
        context: { user: 'eve' },
        call: { id: 4, path: 'count', headers: { traceparent: 't' } },
      }),
    );
  });
});

describe('a stream fails', () => {
  const failing = (fail: (args: any) => unknown) =>
    start({
      async *count(args) {
        yield 1;
        yield fail(args) as number;
      },
    });

  test('with INTERNAL behind the items before what it threw, which onError gets', async () => {
    const { server, errors } = failing(() => {
      throw new Error('password is hunter2');
    });
    const peer = new Peer(server).hello(clientName()).write(['open', 1, 'count', null, 0, 9, 0]);
    await settle();
    const failure = ['error', 1, { code: 'INTERNAL', message: 'the server failed' }];
    expect(peer.stream(1)).toEqual([...items(1, 1, 1), failure]);
    expect(String(errors[0]?.error)).toContain('hunter2');
    expect(errors[0]?.info).toEqual({ during: 'handler', path: 'count' });
  });

  test('with a declared error and its data, behind the items before it', async () => {
    const { server, errors } = failing(({ fail }) => fail('STUCK', { at: 1, secret: 'x' }, 'no further'));
    const peer = new Peer(server).hello(clientName()).write(['open', 1, 'count', null, 0, 9, 0]);
    await settle();
    expect(peer.stream(1)).toEqual([
      ...items(1, 1, 1),
      ['error', 1, { code: 'STUCK', message: 'no further' }, { at: 1 }],
    ]);
    expect(errors).toEqual([]);
  });

  test('with BAD_OUTPUT for an item that is not what it must be, and its handler is ended', async () => {
    const ended = vi.fn();
    const { server, errors } = start({
      async *count({ signal }) {
        try {
          for (const n of [1, 'two', 3]) yield n as number;
        } finally {
          ended(signal.aborted);
        }
      },
    });
    const peer = new Peer(server).hello(clientName()).write(['open', 1, 'count', null, 0, 9, 0]);
    await settle();
    expect(peer.stream(1).map(([name, , of]) => of.code ?? name)).toEqual(['item', 'BAD_OUTPUT']);
    expect(errors[0]?.info).toEqual({ during: 'output', path: 'count' });
    expect(ended).toHaveBeenCalledExactlyOnceWith(true);
  });

  test('with BAD_OUTPUT for an item that the codec has no words for', async () => {
    const server = createServer(defineContract({ log: stream({ output: z.any() }) }), {
      onError: () => undefined,
      handlers: {
        async *log() {
          yield new Map();
        },
      },
    });
    const peer = new Peer(server).hello(clientName()).write(['open', 1, 'log', null, 0, 9]);
    await settle();
    expect(peer.stream(1).map(([, , { code }]) => code)).toEqual(['BAD_OUTPUT']);
  });

  test('with INTERNAL where the handler gives nothing that could be read', async () => {
    const { server, errors } = start({ count: () => [1, 2] as never });
    const peer = new Peer(server).hello(clientName()).write(['open', 1, 'count', null, 0, 9, 0]);
    await settle();
    expect(peer.stream(1).map(([, , { code }]) => code)).toEqual(['INTERNAL']);
    expect(String(errors[0]?.error)).toContain('must give an AsyncIterable');
  });

  test.each([
    ['BAD_INPUT', ['open', 1, 'count', null, 0, 9, 'many']],
    ['NOT_FOUND', ['open', 1, 'echo', null, 0, 9, 'x']],
    ['NOT_FOUND', ['open', 1, 'constructor', null, 0, 9]],
    ['BAD_REQUEST', ['open', 1, 'count', null, -1, 9, 1]],
  ])('with %s for %j, without running the handler', async (code, message) => {
    const { server, count } = counting();
    const peer = new Peer(server).hello(clientName()).write(message);
    await settle();
    expect(peer.stream(1).map(([, , error]) => error.code)).toEqual([code]);
    expect(count).not.toHaveBeenCalled();
  });

  test('with BAD_PAYLOAD for a peer that speaks another codec', async () => {
    const { server, count } = counting();
    const peer = new Peer(server).hello(clientName(), 1, { codec: 'cbor' }).write(['open', 1, 'count', null, 0, 9, 1]);
    await settle();
    expect(peer.stream(1).map(([, , error]) => error.code)).toEqual(['BAD_PAYLOAD']);
    expect(count).not.toHaveBeenCalled();
  });
});

test('the id of one stream is BAD_REQUEST for another, and the first goes on', async () => {
  const server = createServer(
    defineContract({ a: stream({ output: z.string() }), b: stream({ output: z.string() }) }),
    {
      handlers: {
        async *a() {
          yield* ['a1', 'a2', 'a3'];
        },
        async *b() {
          yield 'b1';
        },
      },
    },
  );
  const peer = new Peer(server).hello(clientName()).write(['open', 1, 'a', null, 0, 2]);
  await settle();
  peer.write(['open', 1, 'b', null, 2, 9]);
  await settle();
  expect(peer.stream(1).map(([, , of, item]) => item ?? of.code)).toEqual(['a1', 'a2', 'BAD_REQUEST']);
  peer.write(['more', 1, 2, 9]);
  await settle();
  expect(peer.stream(1).slice(3)).toEqual([
    ['item', 1, 3, 'a3'],
    ['done', 1],
  ]);
});

test('a stream is no call: its path is NOT_FOUND to one, and its id is taken', async () => {
  const { server } = counting();
  const peer = new Peer(server).hello(clientName()).write(['call', 2, 'count', null, 1]);
  peer.write(['open', 1, 'count', null, 0, 1, 0], ['call', 1, 'echo', null, 'x']);
  peer.write(['call', 3, 'orders.cancel', null, 'x'], ['open', 3, 'count', null, 0, 1, 0]);
  await settle();
  expect([1, 2, 3].map((id) => peer.answers(id).map(([, , error]) => error?.code))).toEqual([
    ['BAD_REQUEST'],
    ['NOT_FOUND'],
    [undefined, 'BAD_REQUEST'],
  ]);
  expect(peer.stream(1)).toContainEqual(['item', 1, 1, 1]);
});

test('a handler that is promised too late is ended without being begun', async () => {
  const gate = new Gate<AsyncIterable<number>>();
  const { server } = start({ count: () => gate.opened });
  const peer = new Peer(server).hello(clientName()).write(['open', 1, 'count', null, 0, 9, 0], ['cancel', 1]);
  const next = vi.fn();
  const returned = vi.fn(async () => ({ done: true as const, value: undefined }));
  gate.open({ [Symbol.asyncIterator]: () => ({ next, return: returned }) });
  await settle();
  expect(next).not.toHaveBeenCalled();
  expect(returned).toHaveBeenCalledTimes(1);
  expect(peer.stream(1).map(([, , { code }]) => code)).toEqual(['ABORTED']);
  expect(server.stats().streams).toBe(0);
});

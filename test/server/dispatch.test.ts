import { afterEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { defineContract } from '../../src/contract/contract.ts';
import { mutation, query } from '../../src/contract/procedure.ts';
import { createServer } from '../../src/server/index.ts';
import { start } from './fixture.ts';
import { clientName, Gate, Peer, settle } from './peer.ts';

const order = { item: 'tea' };
const orders = (place: (args: any) => any) => ({ orders: { place, cancel: () => undefined } });

afterEach(() => {
  vi.useRealTimers();
});

describe('what a call is answered with', () => {
  test('the output as its schema makes it: unknown keys stay in the server', async () => {
    const { server } = start(orders(() => ({ number: 1, secret: 'x' })));
    const peer = new Peer(server).hello(clientName()).write(['call', 1, 'orders.place', null, order]);
    await settle();
    expect(peer.answers(1)).toEqual([['reply', 1, { number: 1 }]]);
  });

  test('no payload where the contract declares no output, whatever the handler returns', async () => {
    const { server } = start({ orders: { place: () => ({ number: 1 }), cancel: () => 'secret' as never } });
    const peer = new Peer(server).hello(clientName()).write(['call', 1, 'orders.cancel', null, 'x']);
    await settle();
    expect(peer.answers(1)).toEqual([['reply', 1]]);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('password is hunter2');
      },
    ],
    ['rejects', () => Promise.reject(new Error('password is hunter2'))],
    [
      'throws something that is no error',
      () => {
        throw 'hunter2';
      },
    ],
  ])('INTERNAL without a word of the cause when the handler %s, which onError gets', async (_, place) => {
    const { server, errors } = start(orders(place));
    const peer = new Peer(server).hello(clientName()).write(['call', 1, 'orders.place', null, order]);
    await settle();
    expect(peer.answers(1)).toEqual([['error', 1, { code: 'INTERNAL', message: 'the server failed' }]]);
    expect(String(errors[0]?.error)).toContain('hunter2');
    expect(errors[0]?.info).toEqual({ during: 'handler', path: 'orders.place' });
  });

  test('a declared error with its data as its schema makes it', async () => {
    const { server, errors } = start(orders(({ fail }) => fail('SOLD_OUT', { left: 0, secret: 1 }, 'come back')));
    const peer = new Peer(server).hello(clientName()).write(['call', 1, 'orders.place', null, order]);
    await settle();
    expect(peer.answers(1)).toEqual([['error', 1, { code: 'SOLD_OUT', message: 'come back' }, { left: 0 }]]);
    expect(errors).toEqual([]);
  });

  test.each([
    ['output', () => ({ number: 'one' })],
    ['data of a declared error', ({ fail }: any) => fail('SOLD_OUT', { left: 'none' })],
  ])('BAD_OUTPUT when the %s does not match its schema, which onError gets', async (_, place) => {
    const { server, errors } = start(orders(place));
    const peer = new Peer(server).hello(clientName()).write(['call', 1, 'orders.place', null, order]);
    await settle();
    expect(peer.answers(1)[0]?.[2].code).toBe('BAD_OUTPUT');
    expect(errors[0]?.info).toEqual({ during: 'output', path: 'orders.place' });
  });

  test('INTERNAL for a code that is not declared', async () => {
    const { server, errors } = start(orders(({ fail }) => fail('toString', {})));
    const peer = new Peer(server).hello(clientName()).write(['call', 1, 'orders.place', null, order]);
    await settle();
    expect(peer.answers(1)[0]?.[2].code).toBe('INTERNAL');
    expect(String(errors[0]?.error)).toContain('toString is not among the declared errors');
  });

  test('BAD_INPUT with what is wrong, without running the handler', async () => {
    const place = vi.fn();
    const { server } = start(orders(place));
    const peer = new Peer(server).hello(clientName()).write(['call', 1, 'orders.place', null, { item: 5 }]);
    await settle();
    expect(peer.answers(1)[0]?.[2]).toEqual({
      code: 'BAD_INPUT',
      message: expect.stringMatching(/^item: /),
      issues: [{ message: expect.stringMatching(/string/), path: ['item'] }],
    });
    expect(place).not.toHaveBeenCalled();
  });

  test.each(['nothing', 'orders', 'constructor', '__proto__', 'orders.place.call', 'room', 'count'])(
    'NOT_FOUND for the path %s',
    async (path) => {
      const peer = new Peer(start().server).hello(clientName()).write(['call', 1, path, null, 1]);
      await settle();
      expect(peer.answers(1)[0]?.[2].code).toBe('NOT_FOUND');
    },
  );

  test('BAD_REQUEST for a malformed message with an id, and for a subscribe without a usable position', async () => {
    const peer = new Peer(start().server).hello(clientName());
    peer.write(['call', 1, 7], ['publish', 2, null], ['subscribe', 3, 'rooms/1', 'x']);
    await settle();
    expect([1, 2].map((id) => peer.answers(id)[0]?.[2].code)).toEqual(['BAD_REQUEST', 'BAD_REQUEST']);
    expect(peer.all('unsubscribed')).toEqual([
      ['unsubscribed', 3, 'rooms/1', { code: 'BAD_REQUEST', message: expect.any(String) }],
    ]);
    expect(peer.closedWith).toBeUndefined();
  });

  test('BAD_PAYLOAD for calls, publishes and subscriptions of a peer that speaks another codec', async () => {
    const peer = new Peer(start().server).hello(clientName(), 1, { codec: 'cbor' });
    peer.write(['call', 1, 'echo', null, 'x'], ['publish', 2, 'rooms/1', 'x'], ['subscribe', 1, 'rooms/1']);
    await settle();
    expect([1, 2].map((id) => peer.answers(id)[0]?.[2].code)).toEqual(['BAD_PAYLOAD', 'BAD_PAYLOAD']);
    expect(peer.all('unsubscribed')[0]?.[3].code).toBe('BAD_PAYLOAD');
  });
});

describe('what a handler is given', () => {
  test('the parsed input, the context, and which call it is', async () => {
    const place = vi.fn(() => ({ number: 1 }));
    const peer = new Peer(start(orders(place)).server).hello(clientName(), 1, { token: 'eve' });
    peer.write(['call', 4, 'orders.place', { traceparent: 't' }, { ...order, more: 1 }]);
    await settle();
    expect(place).toHaveBeenCalledWith(
      expect.objectContaining({
        input: order,
        context: { user: 'eve' },
        call: { id: 4, path: 'orders.place', headers: { traceparent: 't' } },
      }),
    );
  });

  test('a signal that aborts when the time that the caller gave runs out, and the call is answered TIMEOUT', async () => {
    vi.useFakeTimers();
    const place = vi.fn((_: { signal: AbortSignal }) => new Gate<never>().opened);
    const peer = new Peer(start(orders(place)).server).hello(clientName());
    peer.write(['call', 1, 'orders.place', { deadlineMs: 300 }, order]);
    const { signal } = place.mock.calls[0]![0];
    await vi.advanceTimersByTimeAsync(299);
    expect(signal.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(signal.reason.name).toBe('TimeoutError');
    expect(peer.answers(1)[0]?.[2].code).toBe('TIMEOUT');
  });

  test('a signal that is aborted already when the handler looks at it late', async () => {
    const gate = new Gate();
    const seen: boolean[] = [];
    const { server, errors } = start(
      orders(async (args) => {
        await gate.opened;
        seen.push(args.signal.aborted);
        args.signal.throwIfAborted();
      }),
    );
    const peer = new Peer(server).hello(clientName()).write(['call', 1, 'orders.place', null, order], ['cancel', 1]);
    gate.open();
    await settle();
    expect(seen).toEqual([true]);
    expect(peer.answers(1).map(([, , error]) => error.code)).toEqual(['ABORTED']);
    // That it stopped because nobody waits is no failure.
    expect(errors).toEqual([]);
  });

  test('a signal that stays quiet after the call was answered in time', async () => {
    vi.useFakeTimers();
    const echo = vi.fn((_: { signal: AbortSignal }) => 'x');
    const peer = new Peer(start({ echo }).server).hello(clientName());
    peer.write(['call', 1, 'echo', { deadlineMs: 5 }, 'x']);
    const { signal } = echo.mock.calls[0]![0];
    await vi.advanceTimersByTimeAsync(6);
    expect(peer.answers(1)).toEqual([['reply', 1, 'x']]);
    expect(signal.aborted).toBe(false);
  });
});

describe('order and bounds', () => {
  /** Inputs whose schema answers when the test says so. */
  function gated() {
    const gates = new Map<string, Gate>();
    const contract = defineContract({
      save: mutation({ input: z.string().refine(async (key) => (await gates.get(key)?.opened, true)) }),
      read: query({ input: z.string() }),
    });
    const started: string[] = [];
    const handler = ({ input }: { input: string }): void => void started.push(input);
    const server = createServer(contract, { handlers: { save: handler, read: handler } });
    return { gates, server, started };
  }

  test('mutations start in the order in which they came, however long their schemas take', async () => {
    const { gates, server, started } = gated();
    for (const key of ['a', 'b']) gates.set(key, new Gate());
    const peer = new Peer(server).hello(clientName());
    peer.write(['call', 1, 'save', null, 'a'], ['call', 2, 'save', null, 'b'], ['call', 3, 'save', null, 'c']);
    peer.write(['call', 4, 'read', null, 'query']);
    gates.get('b')?.open();
    await settle();
    expect(started).toEqual(['query']);
    gates.get('a')?.open();
    await settle();
    expect(started).toEqual(['query', 'a', 'b', 'c']);
  });

  test('a mutation that is cancelled, or out of time, while it waits never starts and holds up no other', async () => {
    vi.useFakeTimers();
    const { gates, server, started } = gated();
    gates.set('stuck', new Gate());
    const peer = new Peer(server).hello(clientName());
    peer.write(['call', 1, 'save', null, 'stuck'], ['call', 2, 'save', { deadlineMs: 5 }, 'late']);
    peer.write(['call', 3, 'save', null, 'next']);
    await vi.advanceTimersByTimeAsync(5);
    expect(peer.answers(2)[0]?.[2].code).toBe('TIMEOUT');
    peer.write(['cancel', 1]);
    await vi.advanceTimersByTimeAsync(1);
    expect(started).toEqual(['next']);
    gates.get('stuck')?.open();
    await vi.advanceTimersByTimeAsync(1);
    expect(started).toEqual(['next']);
  });

  test('above limits.calls on one socket a call is RATE_LIMITED, and never runs afterwards', async () => {
    const place = vi.fn(() => new Gate<never>().opened);
    const { server } = start(orders(place), { limits: { calls: 8 } });
    const peer = new Peer(server).hello(clientName());
    for (let id = 1; id <= 9; id++) peer.write(['call', id, 'orders.place', null, order]);
    await settle();
    expect(peer.answers(9)[0]?.[2].code).toBe('RATE_LIMITED');
    peer.write(['floor', 9], ['call', 9, 'orders.place', null, order]);
    await settle();
    expect(peer.answers(9)[1]?.[2].code).toBe('RATE_LIMITED');
    expect(place).toHaveBeenCalledTimes(8);
  });

  test('above 2 × limits.calls a client gets no more handlers, on however many sockets', async () => {
    const read = vi.fn(() => new Gate<never>().opened);
    const { server } = start({ echo: read }, { limits: { calls: 8 } });
    const client = clientName();
    let id = 0;
    let peer = new Peer(server);
    for (let n = 1; n <= 3; n++) {
      peer = new Peer(server).hello(client, n);
      for (let count = 0; count < 8; count++) peer.write(['call', ++id, 'echo', null, 'x']);
    }
    await settle();
    expect(read).toHaveBeenCalledTimes(16);
    expect(peer.answers(24)[0]?.[2].code).toBe('RATE_LIMITED');
  });

  test('a handler that ignores its signal keeps its place until it ends', async () => {
    const gates: Gate<string>[] = [];
    const read = vi.fn(() => (gates.push(new Gate()), gates.at(-1)!.opened));
    const { server } = start({ echo: read }, { limits: { calls: 8 } });
    const peer = new Peer(server).hello(clientName());
    for (let id = 1; id <= 17; id++) peer.write(['call', id, 'echo', null, 'x'], ['cancel', id]);
    expect(read).toHaveBeenCalledTimes(16);
    gates[0]?.open('x');
    await settle();
    peer.write(['call', 18, 'echo', null, 'x']);
    expect(read).toHaveBeenCalledTimes(17);
  });

  test('answers of one turn share frames of at most 32 messages and 8 KiB, and a large one goes alone', async () => {
    const peer = new Peer(start().server).hello(clientName());
    await settle();
    const before = peer.frames.length;
    for (let id = 1; id <= 40; id++) peer.write(['call', id, 'echo', null, id === 36 ? 'x'.repeat(9000) : 'x']);
    await settle();
    const sizes = peer.frames.slice(before).map((frame) => (JSON.parse(frame) as unknown[]).length);
    expect(sizes).toEqual([32, 3, 1, 4]);
    expect(peer.all('reply').map(([, id]) => id)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
  });
});

test('an onError that throws or rejects harms nobody', async () => {
  for (const onError of [
    () => {
      throw new Error('x');
    },
    () => Promise.reject(new Error('x')),
  ]) {
    const { server } = start(
      orders(() => Promise.reject(new Error('y'))),
      { onError },
    );
    const peer = new Peer(server).hello(clientName()).write(['call', 1, 'orders.place', null, order]);
    await settle();
    expect(peer.answers(1)[0]?.[2].code).toBe('INTERNAL');
  }
});

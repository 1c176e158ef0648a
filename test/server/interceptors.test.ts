import { afterEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { defineContract } from '../../src/contract/contract.ts';
import { mutation } from '../../src/contract/procedure.ts';
import { TautlineError } from '../../src/errors.ts';
import { createServer, DeclaredFailure } from '../../src/server/index.ts';
import type { Interceptor } from '../../src/server/index.ts';
import { start } from './fixture.ts';
import type { Context } from './fixture.ts';
import { clientName, Gate, Peer, settle } from './peer.ts';
import { items } from './streaming.ts';

type Intercept = Interceptor<Context>;
const order = { item: 'tea' };
const codes = (peer: Peer, id: number) => peer.answers(id).map(([name, , error]) => error?.code ?? name);

afterEach(() => {
  vi.useRealTimers();
});

describe('an interceptor', () => {
  test('sees every query, mutation, stream and publish of a client, and nothing that the server publishes', async () => {
    const seen: unknown[] = [];
    const intercept: Intercept = async (call, next) => {
      const { kind, path, id, headers, input, context, signal } = call;
      seen.push({ kind, path, id, headers, input, context, aborted: signal.aborted });
      return next();
    };
    const { server } = start({}, { intercept });
    const peer = new Peer(server).hello(clientName(), 1, { token: 'eve' });
    const headers = { traceparent: 't' };
    peer.write(['call', 1, 'echo', headers, 'x'], ['call', 2, 'orders.place', null, { ...order, more: 1 }]);
    peer.write(['open', 3, 'count', headers, 0, 9, 2]);
    peer.write(['publish', 4, 'rooms/1', { text: 'a' }], ['publish', 0, 'rooms/1', { text: 'b' }]);
    await settle();
    await server.topic('room', { roomId: '1' }).publish({ text: 'c' });
    const rest = { context: { user: 'eve' }, aborted: false };
    expect(seen).toEqual([
      { kind: 'query', path: 'echo', id: 1, headers, input: 'x', ...rest },
      { kind: 'mutation', path: 'orders.place', id: 2, headers: {}, input: order, ...rest },
      { kind: 'stream', path: 'count', id: 3, headers, input: 2, ...rest },
      { kind: 'publish', path: 'room', id: 4, headers: {}, input: { text: 'a' }, ...rest },
      { kind: 'publish', path: 'room', id: 0, headers: {}, input: { text: 'b' }, ...rest },
    ]);
    expect(codes(peer, 1)).toEqual(['reply']);
    expect(peer.stream(3)).toEqual([...items(3, 1, 2), ['done', 3]]);
    expect(peer.answers(4)[0]?.[2]).toEqual([expect.any(String), 1]);
  });

  test('is told what the handler gave or threw, from the inside out', async () => {
    const log: unknown[] = [];
    const watch =
      (name: string): Intercept =>
      async (_call, next) => {
        log.push(`${name} in`);
        try {
          const output = await next();
          log.push([`${name} out`, output]);
          return output;
        } catch (error) {
          log.push([`${name} error`, error instanceof DeclaredFailure ? [error.code, error.data] : String(error)]);
          throw error;
        }
      };
    const place = vi.fn(({ input, fail }: any): any => {
      if (input.item === 'none') return fail('SOLD_OUT', { left: 0 });
      if (input.item === 'fault') throw new Error('no');
      return { number: 1 };
    });
    const { server } = start(
      { orders: { place, cancel: () => undefined } },
      { intercept: [watch('outer'), watch('inner')] },
    );
    const peer = new Peer(server).hello(clientName());
    for (const [index, item] of ['tea', 'none', 'fault'].entries()) {
      peer.write(['call', index + 1, 'orders.place', null, { item }]);
      await settle();
    }
    const [given, declared] = [{ number: 1 }, ['SOLD_OUT', { left: 0 }]];
    expect(log).toEqual([
      ...['outer in', 'inner in', ['inner out', given], ['outer out', given]],
      ...['outer in', 'inner in', ['inner error', declared], ['outer error', declared]],
      ...['outer in', 'inner in', ['inner error', 'Error: no'], ['outer error', 'Error: no']],
    ]);
    expect([1, 2, 3].map((id) => codes(peer, id)[0])).toEqual(['reply', 'SOLD_OUT', 'INTERNAL']);
  });

  test('may give another output, which goes through the output schema like any', async () => {
    const outputs = [{ number: 7, secret: 'x' }, { number: 'seven' }];
    const intercept: Intercept = async (_call, next) => {
      await next();
      return outputs.shift();
    };
    const { server, errors } = start({}, { intercept });
    const peer = new Peer(server).hello(clientName());
    peer.write(['call', 1, 'orders.place', null, order], ['call', 2, 'orders.place', null, order]);
    await settle();
    expect(peer.answers(1)).toEqual([['reply', 1, { number: 7 }]]);
    expect(codes(peer, 2)).toEqual(['BAD_OUTPUT']);
    expect(errors[0]?.info.during).toBe('output');
  });

  test('may answer by itself: the handler does not run then', async () => {
    const place = vi.fn();
    const intercept: Intercept = async () => ({ number: 5 });
    const { server } = start({ orders: { place, cancel: () => undefined } }, { intercept });
    const peer = new Peer(server).hello(clientName()).write(['call', 1, 'orders.place', null, order]);
    await settle();
    expect(peer.answers(1)).toEqual([['reply', 1, { number: 5 }]]);
    expect(place).not.toHaveBeenCalled();
  });

  test('may stand between a stream and its reader, and is ended with it', async () => {
    const log: string[] = [];
    async function* double(inner: AsyncIterable<number>) {
      try {
        for await (const n of inner) yield 2 * n;
      } finally {
        log.push('wrapper ended');
      }
    }
    const { server } = start(
      {
        async *count() {
          try {
            for (let n = 1; ; n++) yield n;
          } finally {
            log.push('handler ended');
          }
        },
      },
      { intercept: async (_call, next) => double((await next()) as AsyncIterable<number>) },
    );
    const peer = new Peer(server).hello(clientName()).write(['open', 1, 'count', null, 0, 2, 0]);
    await settle();
    peer.write(['cancel', 1]);
    await settle();
    expect(peer.stream(1).map(([, , seq, value]) => value ?? seq.code)).toEqual([2, 4, 'ABORTED']);
    expect(log).toEqual(['handler ended', 'wrapper ended']);
  });

  test('runs a handler once, however often it calls next, and whether it waits or not', async () => {
    const place = vi.fn(() => Promise.reject(new Error('no')));
    const intercept: Intercept = async (_call, next) => {
      void next();
      return next();
    };
    const { server, errors } = start({ orders: { place, cancel: () => undefined } }, { intercept });
    const peer = new Peer(server).hello(clientName()).write(['call', 1, 'orders.place', null, order]);
    await settle();
    expect(place).toHaveBeenCalledTimes(1);
    expect(codes(peer, 1)).toEqual(['INTERNAL']);
    expect(String(errors[0]?.error)).toContain('next() was called twice');
  });

  test('does not see what was refused before', async () => {
    const intercept = vi.fn<Intercept>(async (_call, next) => next());
    const { server } = start({ room: { authorize: () => false, publish: () => undefined } }, { intercept });
    const peer = new Peer(server).hello(clientName());
    peer.write(['call', 1, 'echo', null, 5], ['call', 2, 'nothing'], ['publish', 3, 'rooms/1', { text: 'a' }]);
    await settle();
    expect([1, 2, 3].map((id) => codes(peer, id)[0])).toEqual(['BAD_INPUT', 'NOT_FOUND', 'FORBIDDEN']);
    expect(intercept).not.toHaveBeenCalled();
  });

  test.each([
    ['is no function', 5, 'intercept is no function'],
    ['is one no function of a list', [async () => 1, 'x'], 'intercept[1] is no function'],
  ])('that %s is refused when the server is made', (_, intercept, message) => {
    expect(() => start({}, { intercept: intercept as never })).toThrow(message);
  });
});

describe('an interceptor refuses', () => {
  const refusing = (error: unknown): Intercept => {
    return async () => {
      throw error;
    };
  };

  test.each([
    ['call', ['call', 1, 'orders.place', null, order]],
    ['stream', ['open', 1, 'count', null, 0, 9, 1]],
    ['publish', ['publish', 1, 'rooms/1', { text: 'a' }]],
  ])('a %s with what its TautlineError says, where that says that nothing was done', async (_, message) => {
    const error = new TautlineError('RATE_LIMITED', 'one at a time', { outcome: 'rejected', retryAfterMs: 50 });
    const { server, errors } = start({}, { intercept: refusing(error) });
    const peer = new Peer(server).hello(clientName()).write(message);
    await settle();
    const told = { code: 'RATE_LIMITED', message: 'one at a time', retryAfterMs: 50 };
    expect(peer.answers(1)).toEqual([['error', 1, told]]);
    expect(errors).toEqual([]);
  });

  test.each([
    ['an error that is not for the caller', new Error('password is hunter2')],
    ['a code that proves nothing', new TautlineError('ABORTED', 'hunter2', { outcome: 'unknown' })],
    ['a code that is not ours', new TautlineError('SOLD_OUT', 'hunter2', { outcome: 'rejected' })],
  ])('with INTERNAL for %s', async (_, error) => {
    const { server, errors } = start({}, { intercept: refusing(error) });
    const peer = new Peer(server).hello(clientName());
    peer.write(['call', 1, 'echo', null, 'x'], ['publish', 2, 'rooms/1', { text: 'a' }]);
    await settle();
    const told = { code: 'INTERNAL', message: 'the server failed' };
    expect([1, 2].map((id) => peer.answers(id)[0]?.[2])).toEqual([told, told]);
    expect(errors.map((reported) => reported.error)).toEqual([error, error]);
  });

  test('with INTERNAL once the handler has begun: that nothing was done would be untrue', async () => {
    const error = new TautlineError('FORBIDDEN', 'too late', { outcome: 'rejected' });
    const intercept: Intercept = async (_call, next) => {
      await next();
      throw error;
    };
    const { server } = start({}, { intercept });
    const peer = new Peer(server).hello(clientName());
    peer.write(['call', 1, 'echo', null, 'x'], ['publish', 2, 'rooms/1', { text: 'a' }]);
    await settle();
    expect([1, 2].map((id) => codes(peer, id)[0])).toEqual(['INTERNAL', 'INTERNAL']);
  });
});

describe('a publish through interceptors', () => {
  test('is answered with its position, whatever an interceptor gives', async () => {
    const intercept: Intercept = async (_call, next) => ({ position: await next() });
    const { server } = start({}, { intercept });
    const peer = new Peer(server).hello(clientName()).write(['publish', 1, 'rooms/1', { text: 'a' }]);
    await settle();
    expect(peer.answers(1)[0]?.[2]).toEqual([expect.any(String), 1]);
  });

  test('fails where an interceptor swallows it, or the fault of the rule', async () => {
    const publish = vi.fn(({ event }) => {
      if (event.text === 'fault') throw new Error('no');
    });
    const intercept: Intercept = async ({ input }, next) => {
      if ((input as { text: string }).text === 'fault') await next().catch(() => undefined);
    };
    const { server } = start({ room: { authorize: () => true, publish } }, { intercept });
    const peer = new Peer(server).hello(clientName()).write(['subscribe', 1, 'rooms/1']);
    peer.write(['publish', 1, 'rooms/1', { text: 'a' }], ['publish', 2, 'rooms/1', { text: 'fault' }]);
    await settle();
    expect([1, 2].map((id) => codes(peer, id)[0])).toEqual(['INTERNAL', 'INTERNAL']);
    expect(publish).toHaveBeenCalledTimes(1);
    expect(peer.all('event')).toEqual([]);
  });
});

describe('order through interceptors', () => {
  function gated() {
    const gates = new Map<string, Gate>();
    const begun: string[] = [];
    const place = ({ input }: { input: { item: string } }) => {
      begun.push(input.item);
      return new Gate<never>().opened;
    };
    const intercept: Intercept = async ({ input }, next) => {
      await gates.get((input as { item?: string; text?: string }).item ?? (input as { text: string }).text)?.opened;
      return next();
    };
    const room = {
      authorize: () => true,
      publish: async ({ event }: { event: { text: string } }) => void begun.push(event.text),
    };
    const { server, errors } = start({ orders: { place, cancel: () => undefined }, room }, { intercept });
    const peer = new Peer(server).hello(clientName());
    const placeOrder = (id: number, item: string, headers: object | null = null) => {
      return ['call', id, 'orders.place', headers, { item }];
    };
    return { gates, begun, peer, placeOrder, errors };
  }

  test('mutations begin in the order in which they came, however long an interceptor takes', async () => {
    const { gates, begun, peer, placeOrder } = gated();
    gates.set('a', new Gate()).set('b', new Gate());
    peer.write(placeOrder(1, 'a'), placeOrder(2, 'b'), placeOrder(3, 'c'));
    gates.get('b')?.open();
    await settle();
    expect(begun).toEqual([]);
    gates.get('a')?.open();
    await settle();
    expect(begun).toEqual(['a', 'b', 'c']);
  });

  test('a mutation that is cancelled within an interceptor holds up no other, and never begins', async () => {
    const { gates, begun, peer, placeOrder } = gated();
    gates.set('stuck', new Gate());
    peer.write(placeOrder(1, 'stuck'), placeOrder(2, 'next'));
    await settle();
    expect(begun).toEqual([]);
    peer.write(['cancel', 1]);
    await settle();
    expect(begun).toEqual(['next']);
    gates.get('stuck')?.open();
    await settle();
    expect(begun).toEqual(['next']);
    expect(codes(peer, 1)).toEqual(['ABORTED']);
  });

  test('so do those whose schema is asynchronous as well', async () => {
    const gate = new Gate();
    const begun: string[] = [];
    const slow = z.string().refine(async (key) => (await Promise.resolve(), key !== ''));
    const server = createServer(defineContract({ save: mutation({ input: slow }) }), {
      handlers: { save: ({ input }) => void begun.push(input) },
      intercept: async ({ input }, next) => {
        if (input === 'a') await gate.opened;
        return next();
      },
    });
    const peer = new Peer(server).hello(clientName());
    peer.write(['call', 1, 'save', null, 'a'], ['call', 2, 'save', null, 'b']);
    await settle();
    expect(begun).toEqual([]);
    gate.open();
    await settle();
    expect(begun).toEqual(['a', 'b']);
  });

  test('publishes of a client to one topic keep theirs', async () => {
    const { gates, begun, peer } = gated();
    gates.set('a', new Gate());
    for (const [index, text] of ['a', 'b'].entries()) peer.write(['publish', index + 1, 'rooms/1', { text }]);
    await settle();
    expect(begun).toEqual([]);
    gates.get('a')?.open();
    await settle();
    expect(begun).toEqual(['a', 'b']);
  });

  test('a publish that is cancelled within an interceptor never takes effect', async () => {
    const { gates, begun, peer, errors } = gated();
    gates.set('a', new Gate());
    peer.write(['publish', 1, 'rooms/1', { text: 'a' }]);
    await settle();
    peer.write(['cancel', 1]);
    gates.get('a')?.open();
    await settle();
    expect(begun).toEqual([]);
    expect(codes(peer, 1)).toEqual(['ABORTED']);
    // That it stopped because nobody waits is no failure.
    expect(errors).toEqual([]);
  });

  test('without interceptors a handler begins in the turn of its call, and is answered with the frame of that turn', async () => {
    const echo = vi.fn(() => 'x');
    const { server } = start({ echo });
    const peer = new Peer(server).hello(clientName());
    await settle();
    peer.write(['call', 1, 'echo', null, 'x']);
    expect(echo).toHaveBeenCalledTimes(1);
    await Promise.resolve();
    expect(codes(peer, 1)).toEqual(['reply']);
  });
});

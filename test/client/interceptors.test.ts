import { describe, expect, test } from 'vitest';
import {
  createClient,
  isTautlineError,
  type Client,
  type ConnectOptions,
  type InterceptedCall,
  type Interceptor,
} from '../../src/index.ts';
import { plain } from '../helpers/chat-contract.ts';
import { items, read, take } from '../helpers/read-stream.ts';
import { scripted } from '../helpers/scripted-client.ts';
import { settle } from '../helpers/scripted-server.ts';
import { streaming } from '../helpers/stream-contract.ts';
import { saying } from '../helpers/saying.ts';

const world = scripted({ timeoutMs: 60_000 });

function start(
  intercept: ConnectOptions['intercept'],
  options: ConnectOptions = {},
): Client<(typeof streaming)['tree']> {
  return createClient(streaming, world.connect({ ...options, intercept }));
}

/** Lets calls pass, and keeps them. */
function spy() {
  const calls: InterceptedCall[] = [];
  const intercept: Interceptor = (call, next) => {
    calls.push(call);
    return next(call);
  };
  return { calls, intercept };
}

/** A stream whose items are changed on their way. */
async function* mapped(stream: unknown, change: (item: number) => number): AsyncGenerator<number> {
  for await (const item of stream as AsyncIterable<number>) yield change(item);
}

describe('an interceptor', () => {
  test('sees queries, mutations, streams and publishes, with all that belongs to them', async () => {
    const { calls, intercept } = spy();
    const client = start(intercept);
    const { news } = createClient(plain, world.connection);
    await world.welcomed();
    const { signal } = new AbortController();
    void client.ping(undefined, { headers: { a: 'b' }, signal, timeoutMs: 5 }).safe();
    void client.add({ by: 1 }).safe();
    read(client.count({ to: 3 }));
    void news({ channel: 'a' }).publish({ text: 'hi' }).safe();
    void news({ channel: 'a' }).publish({ text: 'hi' }, { delivery: 'lossy' });
    const rest = { headers: {}, signal: undefined, timeoutMs: 60_000 };
    expect(calls).toEqual([
      { kind: 'query', path: 'ping', input: undefined, headers: { a: 'b' }, signal, timeoutMs: 5 },
      { kind: 'mutation', path: 'add', input: { by: 1 }, ...rest },
      { kind: 'stream', path: 'count', input: { to: 3 }, ...rest },
      { kind: 'publish', path: 'news', topic: 'news/a', input: { text: 'hi' }, ...rest },
    ]);
  });

  test('stands around the next: the first is outermost', async () => {
    const log: string[] = [];
    const layer =
      (name: string): Interceptor =>
      async (call, next) => {
        log.push(`${name} in`);
        try {
          return await next(call);
        } finally {
          log.push(`${name} out`);
        }
      };
    const client = start([layer('outer'), layer('inner')]);
    const socket = await world.welcomed();
    const ping = client.ping();
    await settle();
    await socket.say(['reply', 1]);
    await ping;
    expect(log).toEqual(['outer in', 'inner in', 'inner out', 'outer out']);
  });

  test('changes what is sent, and what comes back', async () => {
    const client = start(async (call, next) => {
      const output = await next({ ...call, input: { by: 20 }, headers: { ...call.headers, x: '1' }, timeoutMs: 7_000 });
      return (output as number) + 1;
    });
    const socket = await world.welcomed();
    const sum = client.add({ by: 1 }, { headers: { y: '2' } });
    await settle();
    expect(socket.all('call')).toEqual([['call', 1, 'add', { y: '2', x: '1', deadlineMs: 7_000 }, { by: 20 }]]);
    await socket.say(['reply', 1, 41]);
    expect(await sum).toBe(42);
  });

  test('may answer itself, or refuse; safe() works as without', async () => {
    const client = start((call) => {
      if (call.path === 'add') throw new Error('not today');
      return Promise.resolve('from the cache');
    });
    const socket = await world.welcomed();
    expect(await client.ping()).toBe('from the cache');
    expect(await client.add({ by: 1 }).safe()).toMatchObject({ ok: false, error: { message: 'not today' } });
    expect(socket.all('call')).toEqual([]);
  });

  test('that throws at once is a rejection for the one outside of it', async () => {
    const client = start([
      (call, next) => next(call).catch((error: unknown) => `caught ${(error as Error).message}`),
      () => {
        throw new Error('inside');
      },
    ]);
    expect(await client.ping()).toBe('caught inside');
  });

  test('that asks again makes a new call, with a time limit of its own', async () => {
    const client = start(async (call, next) => {
      try {
        return await next(call);
      } catch (error) {
        if (isTautlineError(error) && error.retryable) return next(call);
        throw error;
      }
    });
    const socket = await world.welcomed();
    const sum = client.add({ by: 1 });
    await settle();
    await socket.say(['error', 1, { code: 'RATE_LIMITED', message: '' }]);
    expect(socket.all('call').map(([, id]) => id)).toEqual([1, 2]);
    await socket.say(['reply', 2, 1]);
    expect(await sum).toBe(1);
  });

  test('that asks at once keeps the order of calls', async () => {
    const client = start([spy().intercept, spy().intercept]);
    void client.add({ by: 1 }).safe();
    read(client.count({ to: 2 }));
    void client.add({ by: 3 }).safe();
    const socket = await world.welcomed();
    const acts = socket.received.filter(([name]) => name === 'call' || name === 'open');
    expect(acts.map(([name, id]) => [name, id])).toEqual([
      ['call', 1],
      ['open', 2],
      ['call', 3],
    ]);
  });

  test.each([[5], [[null]], [{}]])('that is none is refused: %j', (intercept) => {
    expect(() => start(intercept as never)).toThrow(TypeError);
  });

  test('is looked at once: a list that changes later changes nothing', async () => {
    const list: Interceptor[] = [spy().intercept];
    const client = start(list);
    list.push(() => Promise.resolve('mine'));
    void client.ping().safe();
    const socket = await world.welcomed();
    expect(socket.all('call')).toHaveLength(1);
  });
});

describe('an intercepted stream', () => {
  test('begins with the first question, and its items may be changed', async () => {
    const { calls, intercept } = spy();
    const client = start([intercept, async (call, next) => mapped(await next(call), (item) => item * 10)]);
    const socket = await world.welcomed();
    const counted = client.count({ to: 2 });
    expect(calls).toEqual([]);
    const reading = read(counted);
    await settle();
    await socket.say(...items(1, 1, 2), ['done', 1]);
    expect(reading).toMatchObject({ items: [10, 20], done: true });
    expect(await counted.next()).toEqual({ done: true, value: undefined });
  });

  test('that is left ends the run, and the finally of what was wrapped around it', async () => {
    const log: string[] = [];
    const client = start(async (call, next) => {
      const stream = await next(call);
      return (async function* () {
        try {
          yield* stream as AsyncIterable<number>;
        } finally {
          log.push('finally');
        }
      })();
    });
    const socket = await world.welcomed();
    const counted = client.count({ to: 9 });
    const first = take(counted, 1);
    await settle();
    await socket.say(...items(1, 1, 2));
    await first;
    const waiting = [counted.next(), counted.next()];
    await settle();
    await counted.return();
    expect((await Promise.all(waiting)).map(({ done }) => done)).toEqual([false, true]);
    await settle();
    expect(log).toEqual(['finally']);
    expect(socket.all('cancel')).toEqual([['cancel', 1]]);
    const mine = new Error('mine');
    await expect(counted.throw(mine)).rejects.toBe(mine);
  });

  test('waits, when it is left, for the finally of what was wrapped around it, and gives nothing behind an early end', async () => {
    const log: string[] = [];
    const client = start(async (call, next) => {
      const stream = (await next(call)) as AsyncIterable<number>;
      return (async function* () {
        try {
          for await (const item of stream) {
            if (item === 2) return;
            yield item;
          }
        } finally {
          await Promise.resolve();
          log.push('finally');
        }
      })();
    });
    const socket = await world.welcomed();
    const early = read(client.count({ to: 9 }));
    const left = client.count({ to: 9 });
    const first = take(left, 1);
    await settle();
    await socket.say(...items(1, 1, 3), ...items(2, 1, 1));
    expect(early).toMatchObject({ items: [1], done: true });
    expect(log).toEqual(['finally']);
    await first;
    await left.return();
    expect(log).toEqual(['finally', 'finally']);
    await settle();
    expect(socket.all('cancel')).toHaveLength(2);
  });

  test('fails with the error of the run, once', async () => {
    const client = start(spy().intercept);
    const socket = await world.welcomed();
    const talk = client.talk();
    const failing = talk.next();
    failing.catch(() => undefined);
    await settle();
    await socket.say(['error', 1, { code: 'QUOTA', message: '' }, { left: 0 }]);
    await expect(failing).rejects.toMatchObject({ code: 'QUOTA', data: { left: 0 } });
    expect(talk.error).toMatchObject({ code: 'QUOTA' });
    expect(await talk.next()).toEqual({ done: true, value: undefined });
  });

  test('may be tried again where nothing was done: a new run; none outlasts its reader', async () => {
    const client = start(async function (call, next) {
      const first = (await next(call)) as AsyncIterable<number>;
      const second = (await next(call)) as AsyncIterable<number>;
      return (async function* () {
        yield* first;
        yield* second;
      })();
    });
    const socket = await world.welcomed();
    const counted = client.count({ to: 2 });
    const taken = take(counted, 2);
    await settle();
    expect(socket.all('open').map(([, id]) => id)).toEqual([1, 2]);
    await socket.say(...items(1, 1, 1), ['done', 1]);
    await socket.say(...items(2, 1, 1));
    expect(await taken).toEqual([1, 1]);
    await counted.return();
    await settle();
    expect(socket.all('cancel')).toEqual([['cancel', 2]]);
  });

  test('whose interceptor gives nothing to read, or throws, leaves no run behind', async () => {
    const client = start(async (call, next) => {
      await next(call);
      if (call.path === 'talk') throw new Error('not today');
      return 5;
    });
    const socket = await world.welcomed();
    await expect(client.count({ to: 1 }).next()).rejects.toMatchObject({
      message: saying('An interceptor gave no AsyncIterable'),
    });
    await expect(client.talk().next()).rejects.toThrow('not today');
    await settle();
    expect(world.connection.stats().inFlight).toBe(0);
    expect(socket.all('open')).toHaveLength(socket.all('cancel').length);
  });

  test('that is left while an interceptor still thinks never begins', async () => {
    let goOn = (): void => undefined;
    const thought = new Promise<void>((resolve) => (goOn = resolve));
    const client = start(async (call, next) => {
      await thought;
      return next(call);
    });
    const socket = await world.welcomed();
    const counted = client.count({ to: 1 });
    const asked = counted.next();
    const left = counted.return();
    goOn();
    expect((await Promise.all([asked, left])).map(({ done }) => done)).toEqual([true, true]);
    await settle();
    expect(socket.all('open')).toEqual([]);
  });
});

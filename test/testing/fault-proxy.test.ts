import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { faultProxy } from '../../src/testing/faults.ts';
import { WayFaults } from '../../src/testing/faults/way-faults.ts';

afterEach(() => {
  vi.useRealTimers();
});

/** One end of a line, and what it saw. */
class End {
  text = '';
  readonly seen: string[] = [];
  readonly socket: Socket;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (data) => (this.text += String(data)));
    socket.on('end', () => this.seen.push('end'));
    socket.on('error', (error: NodeJS.ErrnoException) => this.seen.push(error.code ?? ''));
    socket.on('close', () => this.seen.push('close'));
  }

  /** Until something holds, looked at in each turn of the event loop. */
  async until(holds: (end: this) => boolean): Promise<void> {
    while (!holds(this)) await new Promise(setImmediate);
  }
}

/** A server that echoes, behind a proxy. */
async function world(seed?: number) {
  const ends: End[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    ends.push(new End(socket));
    socket.on('data', (data) => socket.write(data));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const proxy = await faultProxy({ to: `ws://127.0.0.1:${port}/ws?a=1`, seed });
  const clients: Socket[] = [];
  return {
    proxy,
    ends,
    join(to = proxy.port): End {
      const socket = connect({ port: to, host: '127.0.0.1', allowHalfOpen: true });
      clients.push(socket);
      return new End(socket);
    },
    /** What was to happen on a line that is silent would have by the time that a line beside the proxy has answered. */
    async settled() {
      const beside = this.join(port);
      for (const text of ['1', '12']) {
        beside.socket.write(text.at(-1)!);
        await beside.until((end) => end.text === text);
      }
    },
    async [Symbol.asyncDispose]() {
      await proxy.close();
      const closed = once(server, 'close');
      server.close();
      for (const socket of [...clients, ...ends.map((end) => end.socket)]) socket.destroy();
      await closed;
    },
  };
}

describe('the fault proxy', () => {
  test('passes what comes, says what there is, and is empty when all have left', async () => {
    await using context = await world();
    const { proxy } = context;
    expect(proxy.url).toBe(`ws://127.0.0.1:${proxy.port}/ws?a=1`);
    const client = context.join();
    client.socket.write('hello');
    await client.until(({ text }) => text === 'hello');
    expect([proxy.open, proxy.joined, proxy.cuts]).toEqual([1, 1, 0]);
    client.socket.end();
    await context.ends[0]!.until(({ seen }) => seen.includes('end'));
    context.ends[0]!.socket.end();
    await proxy.empty();
    await client.until(({ seen }) => seen.includes('close'));
    expect(client.seen).toEqual(['end', 'close']);
    await proxy.empty();
  });

  test('kill resets both ends of all lines', async () => {
    await using context = await world();
    const client = context.join();
    client.socket.write('a');
    await client.until(({ text }) => text === 'a');
    context.proxy.kill();
    await client.until(({ seen }) => seen.includes('close'));
    await context.ends[0]!.until(({ seen }) => seen.includes('close'));
    expect([client.seen, context.ends[0]!.seen]).toEqual([
      ['ECONNRESET', 'close'],
      ['ECONNRESET', 'close'],
    ]);
  });

  test('a half-closed line goes on the other way', async () => {
    await using context = await world();
    const client = context.join();
    client.socket.write('a');
    await client.until(({ text }) => text === 'a');
    context.proxy.halfClose('down');
    await client.until(({ seen }) => seen.includes('end'));
    client.socket.write('b');
    await context.ends[0]!.until(({ text }) => text === 'ab');
    expect([client.text, client.seen]).toEqual(['a', ['end']]);
  });

  test.each([
    ['down', 'ab'],
    ['up', 'a'],
  ] as const)('a line that is frozen %s is silent that way until it is thawed', async (way, arrived) => {
    await using context = await world();
    const client = context.join();
    client.socket.write('a');
    await client.until(({ text }) => text === 'a');
    context.proxy.freeze(way);
    client.socket.write('b');
    await context.ends[0]!.until(({ text }) => text === arrived);
    await context.settled();
    expect([client.text, client.seen, context.ends[0]!.text]).toEqual(['a', [], arrived]);
    context.proxy.thaw();
    await client.until(({ text }) => text === 'ab');
  });

  test('new lines are refused, or swallowed, and those that are open go on', async () => {
    await using context = await world();
    const { proxy } = context;
    const old = context.join();
    old.socket.write('a');
    await old.until(({ text }) => text === 'a');
    proxy.refuse();
    const refused = context.join();
    await refused.until(({ seen }) => seen.includes('close'));
    proxy.swallow();
    const swallowed = context.join();
    swallowed.socket.write('nobody hears this');
    old.socket.write('b');
    await old.until(({ text }) => text === 'ab');
    await context.settled();
    expect([refused.seen[0], swallowed.text, swallowed.seen]).toEqual(['ECONNRESET', '', []]);
    proxy.accept();
    const accepted = context.join();
    accepted.socket.write('c');
    await accepted.until(({ text }) => text === 'c');
    expect(context.ends.map(({ text }) => text)).toEqual(['ab', '12', 'c']);
    expect(proxy.joined).toBe(4);
  });

  test('a line is cut behind so many bytes, and the next one is whole', async () => {
    await using context = await world();
    context.proxy.cutAfter(7);
    const client = context.join();
    client.socket.write('hello');
    await client.until(({ text }) => text === 'hello');
    client.socket.write(' world');
    await client.until(({ seen }) => seen.includes('close'));
    expect([client.text, client.seen[0], context.proxy.cuts]).toEqual(['hello w', 'ECONNRESET', 1]);
    const next = context.join();
    next.socket.write('hello world');
    await next.until(({ text }) => text === 'hello world');
    expect(context.proxy.cuts).toBe(1);
  });

  test('what is late comes in order by the timers of the test, and a line that is cut leaves none', async () => {
    await using context = await world();
    const client = context.join();
    client.socket.write('a');
    await client.until(({ text }) => text === 'a');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const { proxy, ends } = context;
    proxy.delay(1_000);
    client.socket.write('b');
    await client.until(() => vi.getTimerCount() === 1);
    proxy.delay(0);
    vi.advanceTimersByTime(999);
    client.socket.write('c');
    await context.settled();
    expect(ends[0]!.text).toBe('a');
    vi.advanceTimersByTime(1);
    await client.until(({ text }) => text === 'abc');
    proxy.delay(1_000);
    client.socket.write('d');
    await client.until(() => vi.getTimerCount() === 1);
    proxy.kill();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a slow line takes no more than its rate', async () => {
    await using context = await world();
    const client = context.join();
    client.socket.write('a');
    await client.until(({ text }) => text === 'a');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    context.proxy.slow(10);
    client.socket.write('12345');
    await client.until(({ text }) => text === 'a12345');
    client.socket.write('6');
    await context.settled();
    expect([client.text, vi.getTimerCount()]).toEqual(['a12345', 2]);
    vi.advanceTimersByTime(500);
    await client.until(({ text }) => text === 'a123456');
  });

  test('the client may end its way, too, and hears what the server says after that', async () => {
    await using context = await world();
    const client = context.join();
    client.socket.write('a');
    await client.until(({ text }) => text === 'a');
    const [server] = context.ends;
    context.proxy.halfClose('up');
    await server!.until(({ seen }) => seen.includes('end'));
    server!.socket.write('b');
    await client.until(({ text }) => text === 'ab');
    expect([client.seen, server!.seen]).toEqual([[], ['end']]);
  });

  test('lines are cut at random where the seed of the proxy says', async () => {
    const cutAt = async (seed: number) => {
      await using context = await world(seed);
      context.proxy.cutAtRandom({ everyChunks: 4, most: 6 });
      const echoed: number[] = [];
      while (context.proxy.cuts < 6) {
        const client = context.join();
        const isCut = () => client.seen.includes('close');
        for (let sent = 1; !isCut(); sent++) {
          client.socket.write('.');
          await client.until(({ text }) => text.length === sent || isCut());
        }
        echoed.push(client.text.length);
      }
      return echoed;
    };
    const first = await cutAt(7);
    expect(first).toHaveLength(6);
    expect(await cutAt(7)).toEqual(first);
    expect(await cutAt(8)).not.toEqual(first);
  });

  test('a server that is not there resets whoever comes', async () => {
    const gone = createServer().listen(0, '127.0.0.1');
    await once(gone, 'listening');
    const { port } = gone.address() as AddressInfo;
    gone.close();
    await once(gone, 'close');
    await using proxy = await faultProxy({ to: port });
    const client = new End(connect(proxy.port, '127.0.0.1'));
    await client.until(({ seen }) => seen.includes('close'));
    expect(client.seen[0]).toBe('ECONNRESET');
  });

  test('options that make no sense are refused, with what to give', async () => {
    await expect(faultProxy({ to: 'nowhere' })).rejects.toThrow(TypeError);
    await using proxy = await faultProxy({ to: 1 });
    expect(() => proxy.delay(-1)).toThrow('delay: -1 is no time: give ms, 0 or more');
    expect(() => proxy.slow(0)).toThrow('slow: 0 is no rate: give bytes, more than 0');
    expect(() => proxy.cutAfter(NaN)).toThrow('cutAfter: NaN is no number of bytes: give 0 or more');
    expect(() => proxy.cutAtRandom({ everyChunks: 0.5 })).toThrow('everyChunks is 0.5: give 1 or more');
  });
});

test('cuts at random are the same for the same seed, and no more than they may be', () => {
  const drawn = (seed: number) => {
    const faults = new WayFaults(seed);
    faults.atRandom = { everyChunks: 5, left: 20 };
    const passing = Array.from({ length: 1_000 }, () => faults.passing('up', 100));
    expect([faults.cuts, passing.filter((bytes) => bytes !== undefined).length]).toEqual([20, 20]);
    return passing;
  };
  expect(drawn(1)).toEqual(drawn(1));
  expect(drawn(1)).not.toEqual(drawn(2));
});

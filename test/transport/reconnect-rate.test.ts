import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { TransportOptions } from '../../src/transport/transport-options.ts';
import type { FakeWebSocket } from '../helpers/fake-web-socket.ts';
import { fakeWebSockets } from '../helpers/fake-web-socket.ts';
import type { Told } from './transport-harness.ts';
import { harness } from './transport-harness.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

type Server = (socket: FakeWebSocket) => void;
const servers: ReadonlyArray<readonly [string, Server]> = [
  ['refuses', (socket) => socket.end(1006)],
  ['accepts and closes', (socket) => (socket.open(), socket.end(1006))],
  ['accepts and closes for a restart', (socket) => (socket.open(), socket.end(1012))],
  ['asks for a retry after 0 ms', (socket) => (socket.open(), socket.end(1013, 'retry-after=0'))],
  ['fails with an error alone', (socket) => socket.fail(3)],
];
const randoms: ReadonlyArray<readonly [string, () => () => number]> = [
  ['0', () => () => 0],
  ['seed 1', () => seeded(1)],
  ['seed 2', () => seeded(2)],
];
const cases = servers.flatMap(([name, server]) =>
  randoms.map(([label, random]) => [name, label, server, random] as const),
);

/** Times at which sockets were made within some minutes. */
async function startsOf(server: Server, options: Partial<TransportOptions>, react?: (told: Told) => void) {
  const starts: number[] = [];
  const fake = fakeWebSockets((socket) => {
    starts.push(Date.now());
    // The handlers are set when the constructor has returned.
    queueMicrotask(() => server(socket));
  });
  const bench = harness(options, react && ((told) => react(told)), fake);
  bench.transport.connect();
  await vi.advanceTimersByTimeAsync(300_000);
  bench.transport.close();
  expect(vi.getTimerCount()).toBe(0);
  expect(fake.mostLive).toBeLessThanOrEqual(1);
  return starts;
}

/** Most of the times that lie within one minute, both ends included. */
function mostInAMinute(starts: readonly number[]): number {
  return Math.max(...starts.map((from) => starts.filter((at) => at >= from && at <= from + 60_000).length));
}

describe('at most 10 connections a minute for which time connected did not pay', () => {
  test.each(cases)('to a server that %s, with random %s', async (_name, _label, server, random) => {
    const starts = await startsOf(server, { random: random() });
    expect(mostInAMinute(starts)).toBeLessThanOrEqual(10);
    // It has not stopped trying.
    expect(starts.at(-1)! - starts[0]!).toBeGreaterThan(200_000);
  });

  test('to a server that accepts and drops at once, which clients in the field met 423 times in 3 seconds', async () => {
    for (const code of [1006, 1005, 1011, 4000]) {
      // The least delays that can be drawn; the first minute is the one in which a client is quickest.
      const starts = await startsOf((socket) => (socket.open(), socket.end(code)), { random: () => 0 });
      const first = starts[0]!;
      expect(starts.filter((at) => at <= first + 60_000)).toHaveLength(10);
      expect(mostInAMinute(starts)).toBe(10);
    }
  });

  test.each(randoms)('to a server that welcomes and closes, with random %s', async (_label, random) => {
    for (const code of [1006, 4401]) {
      const fake = fakeWebSockets();
      const bench = harness(
        { random: random(), auth: () => 'token' },
        ([what], _, link) => {
          if (what !== 'opened') return;
          link!.welcomed({ heartbeatMs: 20_000, resumed: false });
          fake.last().end(code);
        },
        fake,
      );
      const starts: number[] = [];
      bench.transport.connect();
      for (let ms = 0; ms < 300_000; ms += 50) {
        await vi.advanceTimersByTimeAsync(50);
        if (fake.made.length > starts.length) {
          starts.push(Date.now());
          fake.last().open();
        }
      }
      bench.transport.close();
      expect(mostInAMinute(starts)).toBeLessThanOrEqual(10);
      expect(starts.length).toBeGreaterThan(10);
    }
  });

  test('with times as short as options allow', async () => {
    const reconnect = { firstMs: 1, sharedFirstMs: 1, capMs: 1, stableAfterMs: 1 };
    const starts = await startsOf((socket) => socket.end(1006), { reconnect });
    expect(mostInAMinute(starts)).toBe(10);
  });

  test('attempts of the app are not held back, but they count', async () => {
    const { transport, fake, settle } = harness();
    for (let n = 0; n < 12; n++) {
      transport.reconnect();
      await settle();
    }
    expect(fake.made).toHaveLength(12);
    fake.last().end(1006);
    expect(transport.status).toMatchObject({ state: 'waiting', retryAt: 1_060_100 });
    transport.wake();
    await settle();
    expect(fake.made).toHaveLength(13);
  });
});

/** A server that does anything: refuses, ends with any code, says goaway, serves for up to `lifeMs`. Gives when sockets were made. */
async function anything(seed: number, lifeMs: number, mayGo: boolean): Promise<readonly number[]> {
  const random = seeded(seed);
  const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)]!;
  const bench = harness({ random, url: () => 'ws://server.test', auth: () => 'token' });
  const starts: number[] = [];
  const endsAt = new Map<FakeWebSocket, number>();
  bench.transport.connect();
  for (let ms = 0; ms < 600_000; ms += 25) {
    await vi.advanceTimersByTimeAsync(25);
    for (const socket of bench.fake.made.slice(starts.length)) {
      starts.push(Date.now());
      const kind = random();
      if (kind > 0.2) socket.open();
      if (kind > 0.4) bench.links.at(-1)!.welcomed({ heartbeatMs: 20_000, resumed: false });
      bench.links.at(-1)!.spreadMs = pick([undefined, 0, 1, 5_000, -1, NaN, 'x']);
      if (kind > 0.8 && mayGo) bench.links.at(-1)!.leaving({ afterMs: 0, withinMs: pick([0, 1_000, 30_000]) });
      endsAt.set(socket, Date.now() + (kind > 0.4 ? random() * lifeMs : 0));
    }
    for (const socket of bench.fake.live())
      if (endsAt.get(socket)! <= Date.now())
        socket.end(pick([1006, 1006, 1001, 1011, 1012, 4408, 4409]), pick(['', 'retry-after=0']));
  }
  bench.transport.close();
  expect(starts.length).toBeGreaterThan(50);
  return starts;
}

describe('a server that does anything', () => {
  test.each([1, 2, 3])('and ends connections at once is asked ten times a minute, seed %i', async (seed) => {
    expect(mostInAMinute(await anything(seed, 0, true))).toBeLessThanOrEqual(10);
  });

  test.each([1, 2, 3])('is asked once more for each 2 s that connections lived, seed %i', async (seed) => {
    for (const lifeMs of [1_900, 4_000, 20_000]) {
      const most = 10 + (lifeMs < 2_000 ? 0 : 30);
      expect(mostInAMinute(await anything(seed, lifeMs, false))).toBeLessThanOrEqual(most);
      // A life that began before that minute pays for moves within it, too.
      expect(mostInAMinute(await anything(seed, lifeMs, true))).toBeLessThanOrEqual(most + 10);
    }
  });
});

test('a server that says goaway after each welcome is asked at most ten times a minute', async () => {
  const bench = harness({ random: () => 0.5 });
  await bench.connect();
  for (let ms = 0; ms < 60_000; ms += 50) {
    bench.links.at(-1)!.leaving({ afterMs: 0, withinMs: 0 });
    await vi.advanceTimersByTimeAsync(50);
    if (bench.fake.last().readyState === 0) bench.welcome();
    // Nor is a line that dies, and has lived, what pays for them.
    for (const socket of bench.fake.live()) socket.message('alive');
  }
  expect(bench.fake.made.length).toBeLessThanOrEqual(11);
  bench.transport.close();
});

test('a random that gives no number makes no more attempts than any other', async () => {
  const bench = harness({ random: () => NaN });
  await bench.dial();
  for (let n = 0; n < 2_000; n++) {
    if (bench.fake.last().readyState < 2) bench.fake.last().end(1006);
    await vi.advanceTimersByTimeAsync(10);
  }
  expect(bench.fake.made.length).toBeLessThanOrEqual(11);
  bench.transport.close();
});

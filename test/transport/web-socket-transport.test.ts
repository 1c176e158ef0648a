import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { harness } from './transport-harness.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('arrows of the diagram', () => {
  test('a new transport is idle and does nothing', async () => {
    const { transport, fake, told, settle } = harness();
    await settle();
    expect(transport.status).toEqual({ state: 'idle' });
    expect(fake.made).toEqual([]);
    expect(told).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('idle -> connecting: connect makes one socket, a second connect none', async () => {
    const { transport, fake, words, settle } = harness({ protocols: ['tautline.v1'] });
    transport.connect();
    transport.connect();
    await settle();
    expect(transport.status).toEqual({ state: 'connecting', attempt: 1 });
    expect(fake.made.map(({ url, protocols }) => [url, protocols])).toEqual([
      ['ws://server.test/line', ['tautline.v1']],
    ]);
    expect(words()).toEqual(['connecting']);
  });

  test('without protocols the constructor gets the URL alone', async () => {
    const { dial } = harness();
    expect((await dial()).protocols).toBeUndefined();
  });

  test('connecting -> connected: not by the open, by the welcome, once', async () => {
    const { transport, dial, links, words } = harness();
    const socket = await dial();
    socket.open();
    expect(transport.status.state).toBe('connecting');
    links[0]!.welcomed({ heartbeatMs: 1, resumed: true });
    links[0]!.welcomed({ heartbeatMs: 1, resumed: true });
    expect(transport.status).toEqual({ state: 'connected', since: 1_000_000, resumed: true });
    expect(words()).toEqual(['connecting', 'opened', 'connected']);
  });

  test('frames go both ways on the link', async () => {
    const { connect, links, told } = harness();
    const socket = await connect();
    expect(links[0]!.send('out')).toBe(true);
    socket.message('in');
    socket.message(new ArrayBuffer(1));
    expect(socket.sent).toEqual(['out']);
    expect(told.slice(-2)).toEqual([['frame', 'in'], ['binary']]);
  });

  test('bufferedAmount is the socket’s, and undefined where that is no number', async () => {
    const { connect, links } = harness();
    const socket = await connect();
    socket.bufferedAmount = 7;
    expect(links[0]!.bufferedAmount).toBe(7);
    Reflect.deleteProperty(socket, 'bufferedAmount');
    expect(links[0]!.bufferedAmount).toBeUndefined();
  });

  test('connecting -> waiting -> connecting: a refused attempt is tried again when its time has come', async () => {
    const { transport, dial, fake, words } = harness({ random: () => 0.5 });
    (await dial()).end(1006);
    // 100 ms + 0.5 · 5 s: a refusal may concern others too.
    expect(transport.status).toEqual({
      state: 'waiting',
      attempt: 2,
      retryAt: 1_002_600,
      cause: { code: 1006, reason: '', opened: false, by: 'peer' },
    });
    await vi.advanceTimersByTimeAsync(2_599);
    expect(fake.made).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(fake.made).toHaveLength(2);
    expect(transport.status).toEqual({ state: 'connecting', attempt: 2 });
    expect(words()).toEqual(['connecting', 'waiting', 'connecting']);
  });

  test('connected -> waiting: the loss is told before the status, with the code of the peer', async () => {
    const { connect, words, told } = harness();
    (await connect()).end(1001, 'away');
    expect(words()).toEqual(['connecting', 'opened', 'connected', 'lost 1001', 'waiting']);
    expect(told.at(-2)).toEqual(['lost', { code: 1001, reason: 'away', opened: true, by: 'peer' }]);
  });

  test.each([
    [1006, 5_100],
    [4408, 1_100],
  ])('a loss after a stable connection, %i, begins a series: its first attempt within %i ms', async (code, ms) => {
    const { connect, transport } = harness({ random: () => 0.999_999 });
    const socket = await connect();
    await vi.advanceTimersByTimeAsync(10_000);
    socket.end(code);
    expect(transport.status).toMatchObject({ state: 'waiting', attempt: 1, retryAt: 1_010_000 + ms });
  });

  test('a loss before the connection paid for an attempt counts as a failed one', async () => {
    const { connect, transport } = harness({ random: () => 0.999_999 });
    const socket = await connect();
    await vi.advanceTimersByTimeAsync(1_999);
    socket.end(1006);
    expect(transport.status).toMatchObject({ state: 'waiting', attempt: 2, retryAt: 1_001_999 + 5_100 });
  });

  test.each([1000, 1008, 4403, 4406, 4500])('connected -> closed: code %i ends it', async (code) => {
    const { connect, transport, words } = harness();
    (await connect()).end(code, 'no');
    expect(transport.status).toEqual({ state: 'closed', cause: { code, reason: 'no', opened: true, by: 'peer' } });
    expect(words().slice(-2)).toEqual([`lost ${code}`, 'closed']);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('connecting -> closed: a first attempt that fails does with reconnect: false', async () => {
    const { dial, transport, fake } = harness({ reconnect: false });
    (await dial()).end(1006);
    expect(transport.status).toMatchObject({ state: 'closed', cause: { code: 1006, opened: false } });
    await vi.advanceTimersByTimeAsync(60_000);
    expect([fake.made.length, vi.getTimerCount()]).toEqual([1, 0]);
  });

  test('connected -> closed: any loss does with reconnect: false', async () => {
    const { connect, transport } = harness({ reconnect: false });
    (await connect()).end(1006);
    expect(transport.status.state).toBe('closed');
  });

  test('connecting -> closed: after maxAttempts', async () => {
    const { dial, fake, transport } = harness({ reconnect: { maxAttempts: 2 } });
    (await dial()).end(1006);
    await vi.advanceTimersByTimeAsync(100);
    fake.last().end(1006);
    expect(transport.status.state).toBe('closed');
  });

  test('a wake does not revive a closed transport, connect does: a fresh series', async () => {
    const { connect, transport, fake, settle } = harness();
    (await connect()).end(4403);
    transport.wake();
    transport.suspend('hidden');
    expect(transport.status.state).toBe('closed');
    transport.connect();
    await settle();
    expect(transport.status).toEqual({ state: 'connecting', attempt: 1 });
    expect(fake.live()).toHaveLength(1);
  });

  test('the layer above can drop a link: the code decides as if the peer had sent it', async () => {
    const { connect, transport, links, told } = harness();
    const socket = await connect();
    links[0]!.drop(4400, 'garbage');
    links[0]!.drop(4400, 'garbage');
    expect(socket.closedWith).toEqual({ code: 4400, reason: 'garbage' });
    const cause = { code: 4400, reason: 'garbage', opened: true, by: 'above' };
    expect(told.slice(3)).toEqual([
      ['lost', cause],
      ['status', transport.status],
    ]);
    expect(transport.status).toMatchObject({ state: 'waiting', cause });
    expect(links[0]!.send('late')).toBe(false);
  });

  test('a server that chooses none of the subprotocols is dropped with 4406, for good', async () => {
    const { dial, transport, words } = harness({ protocols: ['tautline.v1'] });
    const socket = await dial();
    socket.open('');
    expect(socket.closedWith?.code).toBe(4406);
    expect(transport.status).toMatchObject({ state: 'closed', cause: { code: 4406, opened: true } });
    expect(words()).toEqual(['connecting', 'closed']);
  });

  test('a status is the same object until the next transition', async () => {
    const { connect, transport, told } = harness();
    await connect();
    expect(transport.status).toBe(transport.status);
    expect(told.at(-1)![1]).toBe(transport.status);
  });
});

describe('suspend, reconnect, close from every phase', () => {
  type Bench = ReturnType<typeof harness>;
  const phases: ReadonlyArray<readonly [string, (bench: Bench) => Promise<unknown>]> = [
    ['idle', async () => {}],
    ['connecting, asking the app', async ({ transport }) => transport.connect()],
    ['connecting, without an open', ({ dial }) => dial()],
    ['connecting, open', async ({ dial }) => (await dial()).open()],
    ['connected', ({ connect }) => connect()],
    ['waiting', async ({ dial }) => (await dial()).end(1006)],
    ['suspended', async ({ connect, transport }) => (await connect(), transport.suspend('hidden'))],
  ];

  test.each(phases)('close from %s leaves no timer and no socket', async (_, enter) => {
    const bench = harness();
    await enter(bench);
    const opened = bench.words().at(-1) === 'opened' || bench.words().at(-1) === 'connected';
    bench.transport.close();
    const cause = { code: 1000, reason: '', opened, by: 'app' };
    expect(bench.transport.status).toEqual({ state: 'closed', cause });
    expect(vi.getTimerCount()).toBe(0);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(bench.fake.live()).toEqual([]);
    expect(bench.transport.status.state).toBe('closed');
    const before = bench.told.length;
    bench.transport.close(3000);
    expect(bench.told).toHaveLength(before);
  });

  test('close closes the socket with its code and a reason that fits', async () => {
    const { connect, transport } = harness();
    const socket = await connect();
    transport.close(3001, 'ü'.repeat(100));
    expect(socket.closedWith).toEqual({ code: 3001, reason: 'ü'.repeat(61) });
  });

  test.each(phases)('reconnect from %s begins a fresh series at once', async (_, enter) => {
    const bench = harness();
    await enter(bench);
    bench.transport.reconnect();
    await bench.settle();
    expect(bench.transport.status).toEqual({ state: 'connecting', attempt: 1 });
    expect(bench.fake.live()).toHaveLength(1);
    expect(bench.fake.mostLive).toBe(1);
    expect(vi.getTimerCount()).toBe(1);
  });

  test('reconnect tells the loss of the old link and does not close it with 1000, which would make the server forget', async () => {
    const { connect, transport, words } = harness();
    const socket = await connect();
    transport.reconnect();
    expect(socket.closedWith?.code).toBe(4000);
    expect(words().slice(-2)).toEqual(['lost 4000', 'connecting']);
  });

  test.each(phases.slice(1))('suspend from %s drops everything until a wake', async (_, enter) => {
    const bench = harness();
    await enter(bench);
    bench.transport.suspend('hidden');
    expect(bench.transport.status).toEqual({ state: 'suspended', reason: 'hidden' });
    expect(vi.getTimerCount()).toBe(0);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(bench.fake.live()).toEqual([]);
    bench.transport.wake();
    await bench.settle();
    expect(bench.transport.status.state).toBe('connecting');
    expect(bench.fake.live()).toHaveLength(1);
  });

  test('suspend and wake in quick turns begin at most one attempt a second', async () => {
    const { connect, transport, fake, settle } = harness();
    await connect();
    const before = fake.made.length;
    for (let turn = 0; turn < 50; turn++) {
      transport.suspend('hidden');
      transport.wake();
      await vi.advanceTimersByTimeAsync(10);
    }
    await settle();
    expect(fake.made.length - before).toBe(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(fake.live()).toHaveLength(1);
  });

  test('suspend does nothing to an idle transport: a wake must not connect what nobody asked for', () => {
    const { transport, told } = harness();
    transport.suspend('hidden');
    transport.wake();
    expect(told).toEqual([]);
  });
});

import { describe, expect, test } from 'vitest';
import { world, type World } from './world.ts';

const MIB = 1024 * 1024;

/** Patient enough for a line on which a frame takes a third of a second. */
const PATIENT = { connectTimeoutMs: 10_000, heartbeat: { intervalMs: 500, timeoutMs: 500, probeMs: 2_000 } };

/** The connection was never lost. */
function expectNoLoss({ connection }: World): void {
  expect(connection.record().filter(({ what }) => what === 'lost')).toEqual([]);
  expect(connection.stats().reconnects).toBe(0);
}

describe('A line that is slow', () => {
  test('by a delay on everything is not taken for a dead one', async () => {
    await using context = await world({
      // So little grace that it probes before it says something only because it has said nothing.
      connect: { connectTimeoutMs: 10_000, heartbeat: { intervalMs: 100, timeoutMs: 1, probeMs: 5_000 } },
      prepare: (proxy) => {
        proxy.delay(60);
      },
    });
    for (let key = 0; key < 5; key++) expect(await context.client.run({ key })).toBe('done');
    await new Promise<void>((resolve) => {
      context.connection.on('happening', ({ what }) => {
        if (what === 'probe') resolve();
      });
    });
    expect(await context.client.run({ key: 5 })).toBe('done');
    expectNoLoss(context);
  });

  test('by a throttle to 200 kB/s is not taken for a dead one while much is under way', async () => {
    await using context = await world({
      connect: PATIENT,
      prepare: (proxy) => {
        proxy.slow(200_000);
      },
    });
    const ballast = 'x'.repeat(50_000);
    const answers = Array.from({ length: 12 }, (_, key) => context.client.run({ key, ballast }));
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['done']));
    expectNoLoss(context);
  });

  test('is not taken for a dead one by a wake signal while one large message is on its way', async () => {
    await using context = await world({
      connect: { connectTimeoutMs: 10_000, heartbeat: {} },
      prepare: (proxy) => {
        proxy.slow(200_000);
      },
    });
    // The answer to a ping from before must not be taken for life.
    for (const key of [0, 1]) await context.client.run({ key });
    const answer = context.client.run({ key: 2, ballast: 'x'.repeat(1_000_000) });
    // It is written: the probe goes behind it, and takes five seconds to arrive.
    await Promise.resolve();
    expect(context.connection.stats()).toMatchObject({ queued: { bytes: 0 }, inFlight: 1 });
    context.connection.wake();
    expect(await answer).toBe('done');
    expectNoLoss(context);
  });

  test.each([
    ['awaits drained()', async (context: World) => context.connection.drained()],
    ['awaits its publishes', async (_: World, published: Promise<unknown>) => published],
  ] as const)(
    'never holds more than 1 MiB in queue and buffer of a producer that %s',
    async (_, pause) => {
      await using context = await world({
        connect: PATIENT,
        prepare: (proxy) => {
          proxy.slow(200_000);
        },
      });
      await context.reached('connected');
      // More than a mebibyte in all; what waits for each answer is slower, and can't have more than one under way.
      const count = pause.length === 1 ? 60 : 20;
      const ballast = 'x'.repeat(26_000);
      const notes = context.client.notes();
      let peak = 0;
      for (let n = 1; n <= count; n++) {
        const published = notes.publish({ n, ballast });
        published.catch(() => undefined);
        const { queued, bufferedAmount = 0, backlogBytes } = context.connection.stats();
        peak = Math.max(peak, queued.bytes + bufferedAmount, backlogBytes);
        await pause(context, published);
      }
      await context.noted(count);
      expect(context.notes).toEqual(Array.from({ length: count }, (_, index) => index + 1));
      expect(peak).toBeGreaterThan(26_000);
      expect(peak).toBeLessThan(MIB);
      expectNoLoss(context);
    },
    60_000,
  );

  test('lets no more onto it than the high watermark, all buffers of kernels and proxies included', async () => {
    await using context = await world({
      connect: { ...PATIENT, flow: { highWaterMark: 200_000, lowWaterMark: 50_000 } },
      prepare: (proxy) => {
        proxy.slow(300_000);
      },
    });
    await context.reached('connected');
    const ballast = 'x'.repeat(10_000);
    const notes = context.client.notes();
    const told: string[] = [];
    context.connection.on('happening', ({ what }) => {
      if (what === 'congested' || what === 'drained') told.push(what);
    });
    const published = Array.from({ length: 60 }, (_, n) => notes.publish({ n, ballast }));
    await Promise.resolve();
    const { queued, backlogBytes } = context.connection.stats();
    expect(queued.bytes).toBeGreaterThan(300_000);
    expect(backlogBytes - queued.bytes).toBeLessThanOrEqual(200_000);
    await Promise.all(published);
    await context.connection.drained();
    expect(told).toEqual(['congested', 'drained']);
    expectNoLoss(context);
  });
});

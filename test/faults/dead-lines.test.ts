import { describe, expect, test } from 'vitest';
import { world, type World } from './world.ts';

/** The connection is up, and the line has carried something. */
async function settled(context: World): Promise<void> {
  await context.reached('connected');
  expect(await context.client.run({ key: 0 })).toBe('done');
}

/** The loss is told with its cause. */
async function lostBy(context: World): Promise<{ by: string; code: number; opened: boolean }> {
  const { cause } = await context.reached('waiting');
  return { by: cause.by, code: cause.code, opened: cause.opened };
}

describe('A line that dies', () => {
  test.each([
    ['both ways', ['up', 'down']],
    ['on the way to the server', ['up']],
    ['on the way to the client', ['down']],
  ] as const)(
    'silently, %s, is found by an unanswered probe, and what waited runs once after it thaws',
    async (_, ways) => {
      await using context = await world();
      await settled(context);
      context.proxy.freeze(...ways);
      const answer = context.client.run({ key: 1 });
      expect(await lostBy(context)).toEqual({ by: 'probe', code: 4408, opened: true });
      context.proxy.thaw();
      expect(await answer).toBe('done');
      expect(context.ran.get(1)).toBe(1);
      expect(context.connection.status.state).toBe('connected');
    },
  );

  test('silently is found by a wake signal too, where no heartbeat is due', async () => {
    await using context = await world({
      connect: { heartbeat: { intervalMs: 60_000, timeoutMs: 60_000, probeMs: 100 } },
    });
    await settled(context);
    context.proxy.freeze();
    context.connection.wake();
    expect(await lostBy(context)).toEqual({ by: 'probe', code: 4408, opened: true });
    context.proxy.thaw();
    await context.reached('connected');
  });

  test('silently with much on it is found by a wake signal too, when that would have got through', async () => {
    await using context = await world({
      connect: { heartbeat: { intervalMs: 60_000, timeoutMs: 60_000, probeMs: 100 } },
    });
    await settled(context);
    context.proxy.freeze();
    const answer = context.client.run({ key: 1, ballast: 'x'.repeat(20_000) });
    await Promise.resolve();
    context.connection.wake();
    expect(await lostBy(context)).toEqual({ by: 'probe', code: 4408, opened: true });
    context.proxy.thaw();
    expect(await answer).toBe('done');
    expect(context.ran.get(1)).toBe(1);
  });

  test('by a reset is told at once, and the connection comes back', async () => {
    await using context = await world();
    await settled(context);
    context.proxy.kill();
    expect(await lostBy(context)).toEqual({ by: 'peer', code: 1006, opened: true });
    await context.reached('connected');
    expect(await context.client.run({ key: 1 })).toBe('done');
  });

  test('by an end of the server’s side is told at once, and the connection comes back', async () => {
    await using context = await world();
    await settled(context);
    context.proxy.halfClose('down');
    expect(await lostBy(context)).toEqual({ by: 'peer', code: 1006, opened: true });
    await context.reached('connected');
    expect(await context.client.run({ key: 1 })).toBe('done');
  });

  test('by an end of the client’s side, of which the client hears from the server, comes back', async () => {
    await using context = await world();
    await settled(context);
    context.proxy.halfClose('up');
    expect(await lostBy(context)).toMatchObject({ opened: true });
    await context.reached('connected');
    expect(await context.client.run({ key: 1 })).toBe('done');
  });

  test('inside a frame loses nothing of it: the answer comes again, whole, and the call ran once', async () => {
    const long = 'x'.repeat(300_000);
    await using context = await world({
      answer: long,
      // Half of the answer passes.
      prepare: (proxy) => proxy.cutAfter(150_000),
    });
    expect(await context.client.run({ key: 1 })).toBe(long);
    expect(context.proxy.cuts).toBe(1);
    expect(context.ran.get(1)).toBe(1);
    expect(context.connection.stats()).toMatchObject({ reconnects: 1, inFlight: 0 });
  });
});

import { describe, expect, test } from 'vitest';
import { world } from './world.ts';

describe('An attempt', () => {
  test('that is reset fails as a loss before open, and the next gets through when the fault has ended', async () => {
    await using context = await world({
      prepare: (proxy) => {
        proxy.refuse();
      },
    });
    const { cause } = await context.reached('waiting');
    expect(cause).toMatchObject({ by: 'peer', code: 1006, opened: false });
    context.proxy.accept();
    await context.reached('connected');
    expect(await context.client.run({ key: 1 })).toBe('done');
  });

  test('on a line that is taken and never answered fails by its time limit, and leaves no socket behind', async () => {
    await using context = await world({
      connect: { connectTimeoutMs: 100 },
      prepare: (proxy) => {
        proxy.swallow();
      },
    });
    const { cause } = await context.reached('waiting');
    expect(cause).toMatchObject({ by: 'timeout', opened: false });
    await context.proxy.empty();
    context.proxy.accept();
    await context.reached('connected');
    expect(await context.client.run({ key: 1 })).toBe('done');
  });

  test('that opens, and whose greeting is never answered, fails by its time limit as well', async () => {
    await using context = await world({ connect: { connectTimeoutMs: 200 } });
    const stop = context.connection.on('happening', ({ what }) => {
      if (what !== 'opened') return;
      stop();
      context.proxy.freeze('down');
    });
    const { cause } = await context.reached('waiting');
    expect(cause).toMatchObject({ by: 'timeout', opened: true });
    context.proxy.thaw();
    await context.reached('connected');
  });

  test('while the server is gone for long does not spin', async () => {
    await using context = await world({
      prepare: (proxy) => {
        proxy.refuse();
      },
    });
    // The policy's rate guard, not its windows, which are tiny here, ends the quick attempts.
    await new Promise<void>((resolve) => {
      context.connection.on('status', (status) => {
        if (status.state === 'waiting' && status.retryAt - Date.now() > 1_000) resolve();
      });
    });
    expect(context.proxy.joined).toBeLessThanOrEqual(10);
    context.proxy.accept();
    context.connection.reconnect();
    await context.reached('connected');
  });
});

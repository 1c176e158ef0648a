import { describe, expect, test, vi } from 'vitest';
import type { ConnectOptions } from '../../src/index.ts';
import { scripted } from '../helpers/scripted-client.ts';
import { settle, type ScriptedSocket } from '../helpers/scripted-server.ts';

const world = scripted({ timeoutMs: 600_000 });

/** A client on a socket whose server named the memory M1. */
async function started(options: ConnectOptions = {}) {
  const client = world.start(options);
  return { client, first: await world.welcomed() };
}

/** Begins a move and gives its socket, which has said hello. */
async function successor(): Promise<ScriptedSocket> {
  world.connection.reconnect({ seamless: true });
  return world.server.socket();
}

describe('a server that says goaway', () => {
  test('is left in its window, when the successor is welcomed; its calls are answered first', async () => {
    const { client, first } = await started({ random: () => 0 });
    const call = client.add({ by: 1 });
    await first.say(['goaway', { reason: 'deploy', afterMs: 1_000, withinMs: 5_000 }]);
    await vi.advanceTimersByTimeAsync(999);
    expect(world.server.sockets).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    const next = await world.server.socket();
    await next.welcome({ memory: 'M2' });
    await first.say(['reply', 1, 1]);
    expect(await call).toBe(1);
    expect(first.closedWith).toBe(4000);
    expect(world.connection.stats().reconnects).toBe(1);
  });

  test('that does not answer in its window: the calls there are judged when it is over', async () => {
    const { client, first } = await started({ random: () => 0 });
    const call = client.add({ by: 1 }).safe();
    await first.say(['goaway', { reason: 'deploy', afterMs: 0, withinMs: 5_000 }]);
    await settle();
    await (await world.server.socket()).welcome({ memory: 'M2' });
    await vi.advanceTimersByTimeAsync(5_000);
    expect((await call).error).toMatchObject({ code: 'DISCONNECTED', outcome: 'unknown' });
    expect(first.closedWith).toBe(4000);
  });

  test('and whose successors say it, too, again and again, is left ten times a minute, and once for each 2 s that a line lived', async () => {
    await started({ random: () => 0 });
    const welcomed = new Set([world.server.sockets[0]]);
    const away = ['goaway', { reason: 'mad', afterMs: 0, withinMs: 0 }];
    await world.server.sockets[0]!.say(away);
    for (let ms = 0; ms < 59_000; ms += 50) {
      await vi.advanceTimersByTimeAsync(50);
      const newest = world.server.sockets.at(-1)!;
      if (welcomed.has(newest)) continue;
      welcomed.add(newest);
      await newest.welcome();
      await newest.say(away);
    }
    expect(world.server.sockets.length).toBeLessThanOrEqual(10 + 30);
    expect(world.server.sockets.length).toBeGreaterThan(5);
  });
});

describe('credentials in force during a move', () => {
  test('are refreshed on the socket that is spoken on, once', async () => {
    const auth = vi.fn(() => ({ token: 'token', expiresAt: Date.now() + 100_000 }));
    const { first } = await started({ auth, random: () => 0.5, heartbeat: false });
    const next = await successor();
    await next.welcome();
    expect(auth).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(80_000);
    expect(auth).toHaveBeenCalledTimes(3);
    expect(first.all('auth')).toEqual([]);
    expect(next.all('auth')).toHaveLength(1);
  });

  test('a logout ends all sockets of it', async () => {
    const { client, first } = await started();
    const call = client.add({ by: 1 }).safe();
    await settle();
    const second = await successor();
    await second.welcome({ memory: 'M2' });
    const third = await successor();
    world.connection.setAuth(null);
    expect((await call).error).toMatchObject({ code: 'UNAUTHENTICATED', outcome: 'unknown' });
    await settle();
    expect([first, second, third].map(({ closedWith }) => closedWith)).toEqual([4000, 4000, 4000]);
    expect(world.server.sockets).toHaveLength(4);
  });
});

import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import * as one from '../src/index.ts';
import * as server from '../src/server/index.ts';
import { connectedPair } from '../src/testing/index.ts';

/* An app may have two copies of the package: of a monorepo, of a bundler, after a hot update. */

vi.resetModules();
const other = await import('../src/index.ts');
const otherServer = await import('../src/server/index.ts');

const contract = one.defineContract({
  ask: one.query({ output: z.string() }),
  room: one.topic('room', { event: z.string(), snapshot: z.array(z.string()) }),
});

const rules = { authorize: () => true, snapshot: (): string[] => [] };

describe('with two copies of the package', () => {
  test('there are two classes of errors', () => {
    expect(other.TautlineError).not.toBe(one.TautlineError);
    expect(new other.TautlineError('INTERNAL', '', { outcome: 'unknown' })).not.toBeInstanceOf(one.TautlineError);
  });

  test('an error of the other one is known, and its code', () => {
    const error = new other.TautlineError('FORBIDDEN', 'no', { outcome: 'rejected' });
    expect([one.isTautlineError(error), one.isTautlineError(error, 'FORBIDDEN')]).toEqual([true, true]);
    expect([one.isTautlineError(error, 'INTERNAL'), one.isTautlineError(new Error('no'))]).toEqual([false, false]);
    expect([null, undefined, 'TautlineError', {}].map((value) => one.isTautlineError(value))).not.toContain(true);
  });

  test('what an interceptor refuses with the other one’s error is refused, and is no failure of the server', async () => {
    const intercept = (): never => {
      throw new other.TautlineError('FORBIDDEN', 'not for you', { outcome: 'rejected' });
    };
    await using pair = connectedPair(contract, { ask: () => 'answer', room: rules }, { server: { intercept } });
    const { error } = await pair.client.ask().safe();
    expect(error).toMatchObject({ code: 'FORBIDDEN', outcome: 'rejected' });
  });

  test('a state with its position, of the other one, is taken for one', async () => {
    const snapshot = (): server.SnapshotAt<string[]> => otherServer.snapshotAt<string[]>(['kept'], null);
    await using pair = connectedPair(contract, { ask: () => 'answer', room: { ...rules, snapshot } });
    const states: unknown[] = [];
    await pair.client.room().subscribe({ snapshot: (state) => states.push(state) }).ready;
    expect(states).toEqual([['kept']]);
    expect(server.snapshotAt).not.toBe(otherServer.snapshotAt);
  });

  test('the other one’s StopReconnecting stops', async () => {
    const stop = new other.StopReconnecting('over');
    const connection = one.connect('ws://127.0.0.1:1/', {
      auth: () => {
        throw stop;
      },
    });
    const closed = new Promise((resolve) =>
      connection.on('status', ({ state }) => state === 'closed' && resolve(state)),
    );
    connection.on('error', () => undefined);
    void one.createClient(contract, connection).ask().safe();
    await closed;
    expect(connection.status).toMatchObject({ state: 'closed', cause: { error: stop } });
  });

  test('a connection of the other one is refused, with the reason', async () => {
    const connection = other.connect('ws://127.0.0.1:1/', { lazy: true });
    expect(() => one.createClient(contract, connection)).toThrow('of the same copy of the package');
    await connection.close();
  });
});

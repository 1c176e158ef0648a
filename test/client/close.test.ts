import { describe, expect, test, vi } from 'vitest';
import { createClient } from '../../src/index.ts';
import { plain } from '../helpers/chat-contract.ts';
import { scripted } from '../helpers/scripted-client.ts';
import { settle } from '../helpers/scripted-server.ts';

const world = scripted();

let states: string[];

function start() {
  world.connect();
  states = [];
  world.connection.on('status', ({ state }) => states.push(state));
  return createClient(plain, world.connection);
}

describe('close with drain', () => {
  test('waits for what is queued and in flight, takes nothing new, and then closes', async () => {
    const client = start();
    const calls = Array.from({ length: 9 }, (_, by) => client.add({ by }));
    const socket = await world.server.socket();
    await socket.welcome(); // eight go, one waits
    const closing = world.connection.close({ drain: true });
    expect(world.connection.status.state).toBe('closing');
    expect((await client.add({ by: 1 }).safe()).error).toMatchObject({ code: 'CLOSED', outcome: 'not-sent' });
    await socket.say(...Array.from({ length: 8 }, (_, index) => ['reply', index + 1, index]));
    expect(world.connection.status.state).toBe('closing');
    await socket.say(['reply', 9, 8]);
    await closing;
    expect(await Promise.all(calls)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(states).toEqual(['connected', 'closing', 'closed']);
    await settle();
    expect(socket.closedWith).toBe(1000);
  });

  test('goes on over a lost socket, unseen', async () => {
    const client = start();
    const first = await world.server.socket();
    await first.welcome();
    const answer = client.add({ by: 1 });
    await settle();
    const closing = world.connection.close({ drain: true });
    await first.cut();
    const second = await world.server.next();
    await second.welcome();
    await second.say(['reply', 1, 1]);
    await closing;
    expect(await answer).toBe(1);
    expect(states.slice(states.indexOf('closing'))).toEqual(['closing', 'closed']);
  });

  test('ends what is left when the time is up', async () => {
    const client = start();
    const socket = await world.server.socket();
    await socket.welcome();
    const answer = client.add({ by: 1 }).safe();
    const closing = world.connection.close({ drain: true, timeoutMs: 1_000 });
    await vi.advanceTimersByTimeAsync(1_000);
    await closing;
    expect((await answer).error).toMatchObject({ code: 'CLOSED', outcome: 'unknown' });
    expect(world.connection.status.state).toBe('closed');
  });

  test('is cut short by a close without it', async () => {
    const client = start();
    const socket = await world.server.socket();
    await socket.welcome();
    const answer = client.add({ by: 1 }).safe();
    await settle();
    const closing = world.connection.close({ drain: true });
    await world.connection.close();
    await closing;
    expect((await answer).error).toMatchObject({ code: 'CLOSED', outcome: 'unknown' });
    expect(states.filter((state) => state === 'closed')).toEqual(['closed']);
  });

  test('with nothing to wait for closes at once, also from inside a listener and before there is a socket', async () => {
    start();
    world.connection.on('status', ({ state }) => {
      if (state === 'connected') void world.connection.close({ drain: true });
    });
    await (await world.server.socket()).welcome();
    await settle();
    expect(world.connection.status.state).toBe('closed');
    world.connect();
    await world.connection.close({ drain: true });
    expect(world.connection.status.state).toBe('closed');
  });
});

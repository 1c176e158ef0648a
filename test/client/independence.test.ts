import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { connect, createClient, type Connection, type ConnectOptions } from '../../src/index.ts';
import { dated, plain } from '../helpers/chat-contract.ts';
import { fakeWebSockets } from '../helpers/fake-web-socket.ts';
import { ScriptedServer, settle } from '../helpers/scripted-server.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const connections: Connection[] = [];

afterEach(async () => {
  await Promise.all(connections.splice(0).map((connection) => connection.close()));
  vi.useRealTimers();
});

/** A connection to a server of its own, with timers that the test moves. */
function start(options: ConnectOptions = {}): { readonly server: ScriptedServer; readonly connection: Connection } {
  vi.useFakeTimers();
  const server = new ScriptedServer();
  const connection = connect('ws://test/', { WebSocket: server.WebSocket, ...options });
  connections.push(connection);
  return { server, connection };
}

describe('connections of one process', () => {
  test('have their own options, contracts and codecs, and one that ends leaves the other alone', async () => {
    const one = start({ reconnect: false });
    const other = start();
    const [first, second] = [createClient(plain, one.connection), createClient(dated, other.connection)];
    const [firstLine, secondLine] = [await one.server.socket(), await other.server.socket()];
    expect([firstLine.hello.codec, secondLine.hello.codec]).toEqual(['json', 'superjson']);
    await firstLine.welcome();
    await secondLine.welcome();

    const failed = first.add({ by: 1 }).safe();
    const answer = second.remind({ at: new Date(0) });
    await settle();
    await firstLine.cut();
    expect((await failed).error).toMatchObject({ code: 'CLOSED' });
    const [[, id, , , input, meta]] = secondLine.all('call') as unknown as [
      [string, number, string, object, ...unknown[]],
    ];
    await secondLine.say(['reply', id, input, meta]);
    expect(await answer).toEqual({ at: new Date(0) });
    expect([one.connection.status.state, other.connection.status.state]).toEqual(['closed', 'connected']);
  });

  test('that were closed hold nothing: what was made of them can be collected', async () => {
    const fake = fakeWebSockets();
    const live = async (): Promise<WeakRef<Connection>> => {
      const connection = connect('ws://test/', { WebSocket: fake.WebSocket });
      connection.on('status', () => connection.status);
      const answer = createClient(plain, connection).add({ by: 1 }).safe();
      // By then it has a socket.
      await new Promise((resolve) => setImmediate(resolve));
      fake.last().open();
      await connection.close();
      await answer;
      return new WeakRef(connection);
    };
    const references: WeakRef<Connection>[] = [];
    for (let n = 0; n < 20; n++) references.push(await live());
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    // Registers and inline caches of the engine may still hold some: what is kept is kept of all.
    const kept = references.filter((reference) => reference.deref() !== undefined);
    expect(kept.length).toBeLessThan(references.length / 2);
    expect(fake.made).toHaveLength(20);
  });
});

describe('what the app does at every connect', () => {
  test('a call made by the status listener is sent once for each connection', async () => {
    const { server, connection } = start();
    const client = createClient(plain, connection);
    let by = 0;
    connection.on('status', ({ state }) => {
      if (state === 'connected') void client.add({ by: ++by }).safe();
    });
    const first = await server.socket();
    await first.welcome();
    await settle();
    expect(first.all('call').map(([, , , , input]) => input)).toEqual([{ by: 1 }]);
    await first.say(['reply', 1, 1]);
    await first.cut();
    const second = await server.next();
    await second.welcome();
    await settle();
    expect(second.all('call').map(([, , , , input]) => input)).toEqual([{ by: 2 }]);
  });
});

describe('the time limit of the connection', () => {
  test('is that of every call that names none, and an answer after it disturbs nothing', async () => {
    const { server, connection } = start({ timeoutMs: 5_000 });
    const errors: unknown[] = [];
    connection.on('error', (error) => errors.push(error));
    const client = createClient(plain, connection);
    const socket = await server.socket();
    await socket.welcome();
    const late = client.add({ by: 1 }).safe();
    await settle();
    await vi.advanceTimersByTimeAsync(4_999);
    const inTime = client.add({ by: 2 });
    await vi.advanceTimersByTimeAsync(1);
    expect((await late).error).toMatchObject({ code: 'TIMEOUT', outcome: 'unknown' });
    await socket.say(['reply', 1, 1], ['reply', 2, 2]);
    expect(await inTime).toBe(2);
    expect(errors).toEqual([]);
  });
});

describe('many topics', () => {
  const channels = Array.from({ length: 50 }, (_, n) => String(n));

  test('subscribed in one turn are all subscribed anew after a loss, and all left in one turn', async () => {
    const { server, connection } = start();
    const client = createClient(plain, connection);
    const first = await server.socket();
    await first.welcome();
    const heard: string[] = [];
    const subscriptions = channels.map((channel) =>
      client.news({ channel }).subscribe(({ text }) => heard.push(`${channel} ${text}`)),
    );
    await settle();
    const names = channels.map((channel) => `news/${channel}`);
    expect(first.all('subscribe').map(([, , name]) => name)).toEqual(names);
    await first.say(...first.all('subscribe').map(([, n, name]) => ['subscribed', n, name, ['E', 0], 'live']));

    await first.cut();
    const second = await server.next();
    await second.welcome();
    await settle();
    const again = second.all('subscribe');
    expect(again.map(([, , name]) => name)).toEqual(names);
    await second.say(...again.map(([, n, name]) => ['subscribed', n, name, ['E', 0], 'resumed']));
    await second.say(['event', 'news/7', 1, { text: 'seven' }]);
    expect(heard).toEqual(['7 seven']);

    for (const subscription of subscriptions) subscription.unsubscribe();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(second.all('unsubscribe')).toHaveLength(50);
  });

  test('a listener that leaves twice is not taken for two', async () => {
    const { server, connection } = start();
    const client = createClient(plain, connection);
    const socket = await server.socket();
    await socket.welcome();
    const heard: string[] = [];
    const leaving = client.news({ channel: 'a' }).subscribe(() => undefined);
    client.news({ channel: 'a' }).subscribe(({ text }) => heard.push(text));
    await settle();
    await socket.say(['subscribed', 1, 'news/a', ['E', 0], 'live']);
    leaving.unsubscribe();
    leaving.unsubscribe();
    await vi.advanceTimersByTimeAsync(10_000);
    await socket.say(['event', 'news/a', 1, { text: 'still here' }]);
    expect(heard).toEqual(['still here']);
    expect(socket.all('unsubscribe')).toEqual([]);
  });
});

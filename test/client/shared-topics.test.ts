import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { createClient, defineContract, query, topic } from '../../src/index.ts';
import { DEVELOPMENT } from '../../src/development.ts';
import { plain } from '../helpers/chat-contract.ts';
import { scripted } from '../helpers/scripted-client.ts';
import { settle } from '../helpers/scripted-server.ts';

const world = scripted({ timeoutMs: 600_000 });

/** A listener of everything, and what it heard. */
function listener() {
  const heard: unknown[] = [];
  return {
    heard,
    listeners: {
      event: (event: unknown) => heard.push(event),
      snapshot: (snapshot: unknown) => heard.push(['snapshot', snapshot]),
      gap: (gap: { from: unknown; to: unknown }) => heard.push(['gap', gap.from, gap.to]),
      status: (state: string) => heard.push(state),
    },
  };
}

const at = (offset: number) => ['event', 'board', offset, { at: offset }];
const count = (offset: number, key: string, value: number) => ['event', 'counts', offset, { key, count: value }];

describe('a topic subscribed anew for a second listener', () => {
  test('goes on for the first meanwhile, and repeats nothing to it', async () => {
    const client = world.start();
    const first = listener();
    client.board().subscribe(first.listeners);
    const socket = await world.welcomed();
    await socket.say(['subscribed', 1, 'board', ['E', 5], 'live'], ['snapshot', 'board', ['E', 5], { size: 5 }], at(6));
    const second = listener();
    client.board().subscribe(second.listeners);
    // The server takes the position before it reads the state, and this line is still the first subscription's.
    await socket.say(at(7), at(8));
    await socket.say(
      ['subscribed', 2, 'board', ['E', 7], 'live'],
      ['snapshot', 'board', ['E', 7], { size: 8 }],
      at(8),
      at(9),
    );
    expect(first.heard).toEqual([['snapshot', { size: 5 }], 'live', { at: 6 }, { at: 7 }, { at: 8 }, { at: 9 }]);
    expect(second.heard).toEqual([['snapshot', { size: 8 }], 'live', { at: 8 }, { at: 9 }]);
    expect(world.connection.stats().gaps).toBe(0);
  });

  const begun = async (first: ReturnType<typeof listener>, second: ReturnType<typeof listener>) => {
    const client = world.start();
    client.board().subscribe(first.listeners);
    const socket = await world.welcomed();
    await socket.say(['subscribed', 1, 'board', ['E', 5], 'live'], ['snapshot', 'board', ['E', 5], { size: 5 }]);
    client.board().subscribe(second.listeners);
    await socket.say(['subscribed', 2, 'board', ['E', 7], 'live'], ['snapshot', 'board', ['E', 7], { size: 7 }], at(8));
    return socket;
  };

  test('asks once more from where the first was, when it had not heard as much: nobody misses anything', async () => {
    const [first, second] = [listener(), listener()];
    const socket = await begun(first, second);
    expect(socket.all('subscribe').at(-1)).toEqual(['subscribe', 3, 'board', ['E', 5]]);
    await socket.say(['subscribed', 3, 'board', ['E', 5], 'resumed'], at(6), at(7), at(8), at(9));
    expect(first.heard).toEqual([['snapshot', { size: 5 }], 'live', { at: 6 }, { at: 7 }, { at: 8 }, { at: 9 }]);
    expect(second.heard).toEqual([['snapshot', { size: 7 }], 'live', { at: 8 }, { at: 9 }]);
    expect(world.connection.stats().gaps).toBe(0);
  });

  test('tells both a gap and the state where history does not cover the first: there is no third round', async () => {
    const [first, second] = [listener(), listener()];
    const socket = await begun(first, second);
    await socket.say(['subscribed', 3, 'board', ['E', 9], 'gap'], ['snapshot', 'board', ['E', 9], { size: 9 }], at(10));
    const end = [['snapshot', { size: 9 }], { at: 10 }];
    expect(first.heard).toEqual([['snapshot', { size: 5 }], 'live', ['gap', ['E', 5], ['E', 9]], ...end]);
    expect(second.heard).toEqual([['snapshot', { size: 7 }], 'live', { at: 8 }, ['gap', ['E', 8], ['E', 9]], ...end]);
    expect(socket.all('subscribe')).toHaveLength(3);
  });
});

describe('a listener that joins while the connection is lost', () => {
  test('begins with the folded state when the topic is resumed', async () => {
    const client = world.start();
    client.counts().subscribe({});
    const first = await world.welcomed();
    await first.say(['subscribed', 1, 'counts', ['E', 1], 'live'], ['snapshot', 'counts', ['E', 1], { a: 1 }]);
    await first.cut();
    const late = listener();
    client.counts().subscribe(late.listeners);
    const second = await world.server.next();
    await second.welcome();
    await second.say(['subscribed', 2, 'counts', ['E', 1], 'resumed'], count(2, 'b', 2));
    expect(late.heard).toEqual([['snapshot', { a: 1 }], 'live', { key: 'b', count: 2 }]);
  });

  test('gets a snapshot of its own where nothing folds', async () => {
    const client = world.start();
    client.board().subscribe({});
    const first = await world.welcomed();
    await first.say(['subscribed', 1, 'board', ['E', 1], 'live'], ['snapshot', 'board', ['E', 1], { size: 1 }]);
    await first.cut();
    const late = listener();
    client.board().subscribe(late.listeners);
    const second = await world.server.next();
    await second.welcome();
    await second.say(['subscribed', 2, 'board', ['E', 1], 'resumed']);
    expect(second.all('subscribe')).toEqual([
      ['subscribe', 2, 'board', ['E', 1]],
      ['subscribe', 3, 'board'],
    ]);
    await second.say(['subscribed', 3, 'board', ['E', 1], 'live'], ['snapshot', 'board', ['E', 1], { size: 1 }]);
    expect(late.heard).toEqual([['snapshot', { size: 1 }], 'live']);
  });
});

describe('a topic that two contracts of one connection declare', () => {
  const edition = (word: string) =>
    defineContract({ words: topic('words', { event: z.string(), snapshot: z.string(), apply: () => word }) });
  const live = (n: number) => [
    ['subscribed', n, 'words', ['E', 0], 'live'],
    ['snapshot', 'words', ['E', 0], ''],
  ];

  test('is refused while both have listeners', async () => {
    const connection = world.connect();
    createClient(edition('one'), connection).words().subscribe({});
    const other = createClient(edition('two'), connection).words();
    expect(() => other.subscribe({})).toThrow(DEVELOPMENT ? 'declared by two contracts' : 'words');
  });

  test('is the later one’s when the earlier one’s listeners have left, as when a contract is edited and the page goes on', async () => {
    const connection = world.connect();
    const before = createClient(edition('one'), connection).words();
    const subscription = before.subscribe({});
    const socket = await world.welcomed();
    await socket.say(...live(1), ['event', 'words', 1, 'x']);
    expect(before.state.get()).toBe('one');
    subscription.unsubscribe();
    const after = createClient(edition('two'), connection).words();
    after.subscribe({});
    await settle();
    expect(socket.received.slice(-2)).toEqual([
      ['unsubscribe', 'words'],
      ['subscribe', 2, 'words'],
    ]);
    await socket.say(['event', 'words', 2, 'x'], ...live(2), ['event', 'words', 1, 'x']);
    expect([before.state.get(), after.state.get()]).toEqual([undefined, 'two']);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(connection.stats().subscriptions).toBe(1);
  });
});

describe('another identity', () => {
  test('hears nothing of what was still being read for the former, and listeners learn that the state is gone', async () => {
    const checks: Array<() => void> = [];
    const slow = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value: unknown) =>
          new Promise((done) =>
            checks.push(() => {
              done({ value });
            }),
          ),
      },
    };
    world.start();
    const client = createClient(
      defineContract({
        secret: query({ output: slow }),
        private: topic('private', { event: slow }),
        vault: topic('vault', { event: slow, snapshot: slow, apply: (_, event) => event }),
      }),
      world.connection,
    );
    const counts = createClient(plain, world.connection).counts();
    const heard: unknown[] = [];
    client.private().subscribe((event) => heard.push(event));
    client.vault().subscribe({});
    const shown: unknown[] = [];
    counts.state.listen(() => shown.push(counts.state.get()));
    const first = await world.server.socket();
    await first.welcome({ identity: 'Ada' });
    const answer = client.secret().safe();
    await settle();
    await first.say(['subscribed', 1, 'private', ['E', 0], 'live'], ['event', 'private', 1, 'for Ada']);
    await first.say(['subscribed', 3, 'counts', ['E', 0], 'live'], ['snapshot', 'counts', ['E', 0], { ada: 1 }]);
    await first.say(['subscribed', 2, 'vault', ['E', 0], 'live'], ['snapshot', 'vault', ['E', 0], 'of Ada']);
    await first.say(['reply', 1, 'secret of Ada']);
    await first.cut();
    await (await world.server.next()).welcome({ identity: 'Bob' });
    for (const check of checks) check();
    await settle();
    expect(heard).toEqual([]);
    expect(client.vault().state.get()).toBeUndefined();
    expect(shown).toEqual([{ ada: 1 }, undefined]);
    expect((await answer).error).toMatchObject({ code: 'UNAUTHENTICATED', outcome: 'unknown' });
  });
});

describe('the queue', () => {
  test('that is full costs no topic its listeners', async () => {
    const client = world.start({ queue: { maxMessages: 1 } });
    const first = listener();
    client.news({ channel: 'a' }).subscribe(first.listeners);
    const socket = await world.welcomed();
    await socket.say(['subscribed', 1, 'news/a', ['E', 0], 'live']);
    for (let by = 0; by < 9; by++) {
      void client.add({ by }).safe(); // eight go, one fills the queue
      await settle();
    }
    await socket.say(['event', 'news/a', 5, { text: 'after a hole' }]);
    expect(socket.all('subscribe').at(-1)).toEqual(['subscribe', 2, 'news/a', ['E', 0]]);
    expect(first.heard).toEqual(['live']);
  });

  test('that was left while the connection was lost is not asked for again', async () => {
    const client = world.start();
    const subscription = client.news({ channel: 'a' }).subscribe(() => undefined);
    const socket = await world.welcomed();
    await socket.say(['subscribed', 1, 'news/a', ['E', 0], 'live']);
    await socket.cut();
    subscription.unsubscribe();
    const next = await world.server.next();
    await next.welcome();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(next.received.map(([name]) => name).filter((name) => name.endsWith('subscribe'))).toEqual([]);
    expect(world.connection.stats().subscriptions).toBe(0);
  });

  test('holds nothing for topics that come and go without a socket', async () => {
    const client = world.start();
    world.connection.suspend();
    for (let channel = 0; channel < 50; channel++)
      client
        .news({ channel: String(channel) })
        .subscribe({})
        .unsubscribe();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(world.connection.stats()).toMatchObject({ subscriptions: 0, queued: { messages: 0 } });
  });

  test('keeps a subscription behind the mutations that were made before it', async () => {
    const client = world.start();
    void client.add({ by: 1 }).safe();
    client.news({ channel: 'a' }).subscribe(() => undefined);
    const socket = await world.server.socket();
    expect(socket.received.map(([name]) => name)).toEqual(['hello']);
    await socket.welcome();
    const names = socket.received.map(([name]) => name).filter((name) => name !== 'ping');
    expect(names).toEqual(['hello', 'call', 'subscribe']);
  });

  test('a snapshot that can’t be read ends the subscription at the server too', async () => {
    const client = world.start();
    client.counts().subscribe({});
    const socket = await world.welcomed();
    await socket.say(['subscribed', 1, 'counts', ['E', 0], 'live'], ['snapshot', 'counts', ['E', 0], { a: 'one' }]);
    expect(socket.all('unsubscribe')).toEqual([['unsubscribe', 'counts']]);
  });
});

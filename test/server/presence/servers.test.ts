import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { memoryBroker, type Broker } from '../../../src/server/index.ts';
import { memoryPresenceStore } from '../../../src/server/presence/memory-presence-store.ts';
import type { PresenceStore } from '../../../src/server/presence/presence-store.ts';
import { clientName, Gate } from '../peer.ts';
import { HERE, onlooker, settle, start, tab } from './fixture.ts';

const GRACE_MS = 10_000;
const LEASE_MS = 6_000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

const closing: Array<() => Promise<unknown>> = [];

/** What one server has of the store and the broker: either can be taken away from it. */
function line(inner: { readonly store: PresenceStore; readonly broker: Broker }) {
  const state = {
    isCut: false,
    /** Steps of the store that fail: all, or those of a name; or that are done, and fail then. */
    fails: undefined as 'all' | 'replace' | `${'replace' | 'renew' | 'release'}, done` | undefined,
    /** Publications wait for it. */
    held: undefined as Gate | undefined,
  };
  const cut = () => (state.isCut ? new Promise<never>(() => undefined) : undefined);
  const broker: Broker = {
    isShared: true,
    publish: async (...args) => {
      await cut();
      await state.held?.opened;
      return inner.broker.publish(...args);
    },
    subscribe: (...args) => inner.broker.subscribe(...args),
    close: () => undefined,
  };
  const presenceStore = new Proxy(inner.store, {
    get: (store, name: keyof PresenceStore) => {
      const value = store[name];
      if (typeof value !== 'function') return value;
      return async (...args: never[]) => {
        await cut();
        if (state.fails === 'all' || state.fails === name) throw new Error('the store is away');
        const answer = await (value as (...given: never[]) => unknown).apply(store, args);
        if (state.fails === `${name}, done`) throw new Error('the store is away');
        return answer;
      };
    },
  });
  return Object.assign(state, { broker, presenceStore });
}

/** Servers that share a broker and a store. */
async function servers(count = 2) {
  const broker = memoryBroker();
  const store = memoryPresenceStore({ leaseMs: LEASE_MS });
  const all = Array.from({ length: count }, () => {
    const way = line({ store, broker });
    return Object.assign(way, start({ broker: way.broker, presenceStore: way.presenceStore }));
  });
  await settle();
  closing.push(
    ...all.map(
      ({ server }) =>
        () =>
          server.close(),
    ),
    async () => broker.close(),
  );
  return { all, store };
}

const left = (events: string[]) => events.filter((event) => event.startsWith('left'));

describe('several servers', () => {
  test('see the same people: two tabs on two servers are one of them, and he has left with the last', async () => {
    const { all } = await servers();
    const [one, other] = all as [(typeof all)[0], (typeof all)[0]];
    const eves = [await onlooker(one.server), await onlooker(other.server)];
    const tabs = [await tab(one.server, 'ann'), await tab(other.server, 'ann')];
    await tabs[0]!.enter({ name: 'here' });
    await tabs[1]!.enter({ name: 'there' });
    for (const { server } of all) expect((await onlooker(server)).first()).toEqual(['ann there 2']);
    await tabs[1]!.leave();
    await tabs[0]!.leave();
    for (const eve of eves) {
      expect(eve.events()).toEqual([
        'joined ann here 1',
        'updated ann there 2',
        'updated ann here 1',
        'left ann here 1',
      ]);
    }
    for (const { server } of all) expect((await onlooker(server)).first()).toEqual([]);
  });

  test('a client that comes back to another one is not told, and is one connection meanwhile', async () => {
    const { all } = await servers();
    const eve = await onlooker(all[0]!.server);
    const ann = await tab(all[0]!.server, 'ann');
    await ann.enter();
    await ann.vanishes();
    await (await tab(all[1]!.server, 'ann', ann.name, 2)).enter();
    await vi.advanceTimersByTimeAsync(GRACE_MS + 1_000);
    expect(eve.events()).toEqual(['joined ann ann 1']);
    expect((await onlooker(all[0]!.server)).first()).toEqual(['ann ann 1']);
  });

  test('that tell of one person in the wrong order put it right', async () => {
    const { all, store } = await servers();
    const [one, other] = all as [(typeof all)[0], (typeof all)[0]];
    const eve = await onlooker(other.server);
    const tabs = [await tab(one.server, 'ann'), await tab(other.server, 'ann')];
    one.held = new Gate();
    await tabs[0]!.enter({ name: 'here' });
    await tabs[1]!.enter({ name: 'there' });
    await tabs[1]!.leave();
    one.held.open();
    await settle();
    expect(eve.events().at(-1)).toMatch(/ann here 1$/);
    one.held = new Gate();
    await tabs[0]!.enter({ name: 'here again' });
    await tabs[1]!.enter({ name: 'there again' });
    one.held.open();
    await settle();
    expect(eve.events().at(-1)).toBe('updated ann there again 2');
    expect(await store.members('rooms/1/here')).toHaveLength(1);
  });

  test('of which one says that somebody left while he enters the other leave him there', async () => {
    const { all } = await servers();
    const [one, other] = all as [(typeof all)[0], (typeof all)[0]];
    const eve = await onlooker(other.server);
    const tabs = [await tab(one.server, 'ann'), await tab(other.server, 'ann')];
    await tabs[0]!.enter();
    one.held = new Gate();
    await tabs[0]!.leave();
    await tabs[1]!.enter();
    one.held.open();
    await settle();
    expect(eve.events().slice(-2)).toEqual(['left ann ann 1', 'joined ann ann 1']);
    expect((await onlooker(one.server)).first()).toEqual(['ann ann 1']);
  });
});

describe('a server that dies', () => {
  test('leaves no ghost: another tells that its people have left, once, and not of who is on another', async () => {
    const { all } = await servers(2);
    const [dead, alive] = all as [(typeof all)[0], (typeof all)[0]];
    const eve = await onlooker(alive.server);
    for (const user of ['ann', 'bob']) await (await tab(dead.server, user)).enter();
    await (await tab(alive.server, 'bob')).enter();
    dead.isCut = true;
    await vi.advanceTimersByTimeAsync(LEASE_MS - 1);
    expect(left(eve.events())).toEqual([]);
    await vi.advanceTimersByTimeAsync(LEASE_MS);
    expect(eve.events().slice(3)).toEqual(['left ann ann 1', 'updated bob bob 1']);
    expect((await onlooker(alive.server)).first()).toEqual(['bob bob 1']);
  });

  test('between storing that somebody left and telling it is told for', async () => {
    const { all } = await servers(2);
    const [dead, alive] = all as [(typeof all)[0], (typeof all)[0]];
    const eve = await onlooker(alive.server);
    const ann = await tab(dead.server, 'ann');
    await ann.enter();
    dead.held = new Gate();
    await ann.leave();
    dead.isCut = true;
    expect((await onlooker(alive.server)).first()).toEqual([]);
    await vi.advanceTimersByTimeAsync(2 * LEASE_MS);
    expect(left(eve.events())).toEqual(['left ann ann 0']);
  });

  test('and of which it is only thought comes back with its people', async () => {
    const { all } = await servers(2);
    const [frozen, alive] = all as [(typeof all)[0], (typeof all)[0]];
    const eve = await onlooker(alive.server);
    await (await tab(frozen.server, 'ann')).enter();
    frozen.fails = 'all';
    await vi.advanceTimersByTimeAsync(2 * LEASE_MS);
    expect(left(eve.events())).toEqual(['left ann ann 1']);
    frozen.fails = undefined;
    await vi.advanceTimersByTimeAsync(LEASE_MS);
    expect(eve.events().slice(-1)).toEqual(['joined ann ann 1']);
    expect((await onlooker(alive.server)).first()).toEqual(['ann ann 1']);
    expect(frozen.errors).toContainEqual(new Error('the store is away'));
    frozen.isCut = true;
    await vi.advanceTimersByTimeAsync(2 * LEASE_MS);
    expect(left(eve.events())).toHaveLength(2);
  });

  test('comes back with its people also where the renewal that found out was done and not answered', async () => {
    const { all } = await servers(2);
    const [frozen, alive] = all as [(typeof all)[0], (typeof all)[0]];
    const eve = await onlooker(alive.server);
    await (await tab(frozen.server, 'ann')).enter();
    frozen.fails = 'all';
    await vi.advanceTimersByTimeAsync(2 * LEASE_MS);
    frozen.fails = 'renew, done';
    await vi.advanceTimersByTimeAsync(LEASE_MS / 3);
    frozen.fails = undefined;
    await vi.advanceTimersByTimeAsync(LEASE_MS);
    expect(eve.events()).toEqual(['joined ann ann 1', 'left ann ann 1', 'joined ann ann 1']);
    expect((await onlooker(alive.server)).first()).toEqual(['ann ann 1']);
  });

  test('leaves no ghost of somebody who came back while taking him off its list failed and was done', async () => {
    const { all } = await servers(2);
    const [dead, alive] = all as [(typeof all)[0], (typeof all)[0]];
    const eve = await onlooker(alive.server);
    const ann = await tab(dead.server, 'ann');
    await ann.enter();
    dead.fails = 'release, done';
    await ann.leave();
    dead.fails = undefined;
    await ann.enter();
    await vi.advanceTimersByTimeAsync(2_000);
    dead.isCut = true;
    await vi.advanceTimersByTimeAsync(2 * LEASE_MS);
    const told = ['joined', 'left'].map((what) => `${what} ann ann 1`);
    expect(eve.events()).toEqual([...told, ...told]);
  });

  test('in the middle of a deploy is not seen where its people come to another one', async () => {
    const { all } = await servers(2);
    const [old, next] = all as [(typeof all)[0], (typeof all)[0]];
    const eve = await onlooker(next.server);
    const name = clientName();
    await (await tab(old.server, 'ann', name)).enter();
    await old.server.close();
    await (await tab(next.server, 'ann', name, 2)).enter();
    await vi.advanceTimersByTimeAsync(2 * LEASE_MS);
    expect(eve.events().filter((event) => !event.startsWith('updated'))).toEqual(['joined ann ann 1']);
  });
});

test('a store that is away loses nothing that is said meanwhile', async () => {
  const { all } = await servers(1);
  const [only] = all as [(typeof all)[0]];
  const eve = await onlooker(only.server);
  const [ann, bob] = [await tab(only.server, 'ann'), await tab(only.server, 'bob')];
  await ann.enter();
  only.fails = 'all';
  await ann.leave();
  await bob.enter();
  expect(eve.events()).toEqual(['joined ann ann 1']);
  only.fails = undefined;
  await vi.advanceTimersByTimeAsync(3_000);
  expect(eve.events()).toEqual(['joined ann ann 1', 'left ann ann 1', 'joined bob bob 1']);
});

test('a store that has done what it failed to answer has it told all the same', async () => {
  const { all } = await servers(1);
  const [only] = all as [(typeof all)[0]];
  const eve = await onlooker(only.server);
  const ann = await tab(only.server, 'ann');
  only.fails = 'replace, done';
  await ann.enter();
  only.fails = undefined;
  await vi.advanceTimersByTimeAsync(2_000);
  expect(eve.events()).toEqual(['joined ann ann 1']);
  only.fails = 'replace, done';
  await ann.leave();
  await ann.enter();
  only.fails = undefined;
  await vi.advanceTimersByTimeAsync(2_000);
  // Who read the state meanwhile saw nobody.
  expect(eve.events()).toEqual(['joined ann ann 1', 'updated ann ann 1']);
  only.fails = 'replace, done';
  await ann.leave();
  only.fails = undefined;
  await vi.advanceTimersByTimeAsync(2_000);
  expect(eve.events()).toEqual(['joined ann ann 1', 'updated ann ann 1', 'left ann ann 1']);
});

test('who leaves before he was told of has left for those who saw him in the state', async () => {
  const { all } = await servers(1);
  const [only] = all as [(typeof all)[0]];
  const ann = await tab(only.server, 'ann');
  only.fails = 'replace, done';
  await ann.enter();
  const eve = await onlooker(only.server);
  expect(eve.first()).toEqual(['ann ann 1']);
  await ann.leave();
  only.fails = undefined;
  await vi.advanceTimersByTimeAsync(2_000);
  expect(left(eve.events())).toHaveLength(1);
});

test('who has left, and is there again in a store that lost that, goes with the next renewal', async () => {
  const { all, store } = await servers(1);
  const [only] = all as [(typeof all)[0]];
  const ann = await tab(only.server, 'ann');
  await ann.enter();
  await (await tab(only.server, 'bob')).enter();
  const [stored] = (await store.members(HERE)).filter(([id]) => id === 'ann').map(([, text]) => text);
  const [[server]] = JSON.parse(stored!) as [[string]];
  await ann.leave();
  await store.hold(server, HERE, 'ann');
  await store.replace(HERE, 'ann', '', stored!);
  // It must not rely on the store any more, long before its lease is over.
  only.fails = 'renew, done';
  await vi.advanceTimersByTimeAsync(LEASE_MS / 3);
  only.fails = undefined;
  await vi.advanceTimersByTimeAsync(LEASE_MS / 3);
  expect((await onlooker(only.server)).first()).toEqual(['bob bob 1']);
});

test('a store that has lost all is told all again, and who leaves then has left', async () => {
  const { all, store } = await servers(1);
  const [only] = all as [(typeof all)[0]];
  const eve = await onlooker(only.server);
  const [ann, bob] = [await tab(only.server, 'ann'), await tab(only.server, 'bob')];
  await ann.enter();
  await bob.enter();
  const lose = async () => {
    for (const [id, stored] of await store.members(HERE)) await store.replace(HERE, id, stored, '');
  };
  await lose();
  await ann.leave();
  only.fails = 'all';
  await vi.advanceTimersByTimeAsync(LEASE_MS);
  only.fails = undefined;
  await vi.advanceTimersByTimeAsync(LEASE_MS);
  expect(eve.events()).toEqual(['joined ann ann 1', 'joined bob bob 1', 'left ann ann 1', 'joined bob bob 1']);
  expect((await onlooker(only.server)).first()).toEqual(['bob bob 1']);
});

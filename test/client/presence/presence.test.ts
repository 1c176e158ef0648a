import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { defineContract, presence, type PresenceEvent } from '../../../src/index.ts';
import { refuse, type AuthenticateArgs } from '../../../src/server/index.ts';
import { connectedPair, type ConnectedPairOptions } from '../../../src/testing/index.ts';

const contract = defineContract({
  here: presence('rooms/{roomId}/here', { info: z.object({ name: z.string() }) }),
});
type Tree = (typeof contract)['tree'];
interface Context {
  readonly user: string;
}

const settle = () => vi.advanceTimersByTimeAsync(0);
const room = { roomId: '1' };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

/** A pair whose tokens are the names of users, an onlooker in it, and what that one sees. */
async function world(
  allowed: (user: string) => unknown = () => true,
  { connect, server }: ConnectedPairOptions<Tree, Context> = {},
) {
  const errors: unknown[] = [];
  const pair = connectedPair(
    contract,
    { here: { authorize: ({ context, action }) => (action === 'subscribe' || allowed(context.user)) as boolean } },
    {
      connect: { auth: () => 'ann', ...connect },
      server: {
        authenticate: ({ token = refuse() }: AuthenticateArgs) => ({ identity: token, context: { user: token } }),
        onError: (error) => void errors.push(error),
        ...server,
      },
    },
  );
  const eve = pair.connect({ auth: () => 'eve' }).client.here(room);
  const told: string[] = [];
  const short = ({ type, member }: PresenceEvent<{ name: string }>) =>
    told.push(`${type} ${member.id} ${member.info.name} ${member.connections}`);
  const looking = eve.subscribe({ event: short, snapshot: () => undefined });
  await looking.ready;
  const there = () => eve.state.get()?.map(({ id, info, connections }) => `${id} ${info.name} ${connections}`);
  const reported: unknown[] = [];
  const stop = pair.connection.on('error', (error) => reported.push(error));
  const done = () => {
    stop();
    looking.unsubscribe();
  };
  return { pair, told, there, errors, reported, done, here: pair.client.here(room) };
}

describe('a stay', () => {
  test('is told to the others, says something else, and ends; the state is folded by itself', async () => {
    const { pair, told, there, done, here } = await world();
    await using _ = pair;
    const stay = here.enter({ name: 'Ann' });
    await stay.ready;
    expect(there()).toEqual(['ann Ann 1']);
    stay.update({ name: 'Anna' });
    await stay.ready;
    expect(there()).toEqual(['ann Anna 1']);
    stay.leave();
    stay.leave();
    await settle();
    expect(there()).toEqual([]);
    expect(told).toEqual(['joined ann Ann 1', 'updated ann Anna 1', 'left ann Anna 1']);
    done();
  });

  test('of three tabs is one person with three connections', async () => {
    const { pair, told, there, done, here } = await world();
    await using _ = pair;
    const tabs = [here, pair.connect().client.here(room), pair.connect().client.here(room)];
    const stays = [];
    for (const [at, tab] of tabs.entries()) {
      stays.push(tab.enter({ name: `tab ${at}` }));
      await settle();
    }
    expect(there()).toEqual(['ann tab 2 3']);
    for (const stay of stays) stay.leave();
    await settle();
    expect([there(), told.filter((event) => !event.startsWith('updated'))]).toEqual([
      [],
      ['joined ann tab 0 1', expect.stringMatching(/^left ann/)],
    ]);
    done();
  });

  test('held twice by one client is one connection: the last word counts, and the last to leave leaves', async () => {
    const { pair, told, there, done, here } = await world();
    await using _ = pair;
    const [one, other] = [here.enter({ name: 'one' }), here.enter({ name: 'other' })];
    await Promise.all([one.ready, other.ready]);
    expect(there()).toEqual(['ann other 1']);
    one.update({ name: 'one again' });
    await one.ready;
    one.leave();
    await settle();
    expect(there()).toEqual(['ann other 1']);
    other.leave();
    await settle();
    expect(told.at(-1)).toBe('left ann other 1');
    done();
  });

  test('says what was said last where words come faster than answers', async () => {
    const { pair, told, done, here } = await world();
    await using _ = pair;
    using stay = here.enter({ name: '0' });
    for (let n = 1; n < 50; n++) stay.update({ name: String(n) });
    await stay.ready;
    expect(told).toEqual(['joined ann 0 1', 'updated ann 49 1']);
    done();
  });
});

describe('a lost connection', () => {
  test('that is back within the grace is not told', async () => {
    const { pair, told, there, done, here } = await world();
    await using _ = pair;
    using stay = here.enter({ name: 'Ann' });
    await stay.ready;
    for (let n = 0; n < 3; n++) {
      pair.cut();
      await vi.advanceTimersByTimeAsync(15_000);
    }
    expect([there(), told]).toEqual([['ann Ann 1'], ['joined ann Ann 1']]);
    done();
  });

  test('that takes longer is a leaving, and the stay comes back with what was said meanwhile', async () => {
    const { pair, told, there, done } = await world();
    await using _ = pair;
    const tab = pair.connect({ auth: () => 'bob' });
    const stay = tab.client.here(room).enter({ name: 'Bob' });
    await stay.ready;
    tab.lifecycle.offline();
    await vi.advanceTimersByTimeAsync(60_000);
    stay.update({ name: 'Bob is back' });
    tab.lifecycle.online();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([there(), told]).toEqual([
      ['bob Bob is back 1'],
      ['joined bob Bob 1', 'left bob Bob 1', 'joined bob Bob is back 1'],
    ]);
    stay.leave();
    await settle();
    expect(there()).toEqual([]);
    done();
  });

  test('over which the answer was lost, for longer than the grace, is entered anew', async () => {
    const asked: Array<(answer: boolean) => void> = [];
    const { pair, told, there, done, here } = await world(() => new Promise((resolve) => asked.push(resolve)), {
      connect: { timeoutMs: 120_000 },
    });
    await using _ = pair;
    using _stay = here.enter({ name: 'Ann' });
    await settle();
    pair.lifecycle.offline();
    asked.shift()!(true);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(told).toEqual(['joined ann Ann 1', 'left ann Ann 1']);
    pair.lifecycle.online();
    await vi.advanceTimersByTimeAsync(5_000);
    asked.shift()!(true);
    await settle();
    expect(there()).toEqual(['ann Ann 1']);
    done();
  });

  test('of a server that is another one then is entered anew', async () => {
    const { pair, there, done, here } = await world();
    await using _ = pair;
    using stay = here.enter({ name: 'Ann' });
    await stay.ready;
    await pair.restart();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(there()).toEqual(['ann Ann 1']);
    done();
  });

  test('takes no stay along that was left meanwhile', async () => {
    const { pair, there, told, done } = await world();
    await using _ = pair;
    const tab = pair.connect({ auth: () => 'bob' });
    const stay = tab.client.here(room).enter({ name: 'Bob' });
    await stay.ready;
    tab.lifecycle.offline();
    await settle();
    stay.leave();
    tab.lifecycle.online();
    await vi.advanceTimersByTimeAsync(20_000);
    expect([there(), told]).toEqual([[], ['joined bob Bob 1', 'left bob Bob 1']]);
    done();
  });
});

test('another user of the connection is there in place of the former, at once; nobody is while it is signed out', async () => {
  const { pair, told, there, done, here } = await world();
  await using _ = pair;
  using stay = here.enter({ name: 'who' });
  await stay.ready;
  pair.connection.setAuth(() => 'bob');
  await vi.advanceTimersByTimeAsync(1_000);
  expect(there()).toEqual(['bob who 1']);
  pair.connection.setAuth(null);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(there()).toEqual([]);
  pair.connection.setAuth(() => 'cid');
  await vi.advanceTimersByTimeAsync(1_000);
  expect([there(), told.filter((event) => event.startsWith('left'))]).toEqual([
    ['cid who 1'],
    ['left ann who 1', 'left bob who 1'],
  ]);
  done();
});

describe('what is refused', () => {
  test('rejects ready, or is reported; the next word is said all the same', async () => {
    const { pair, there, reported, done, here } = await world();
    await using _ = pair;
    const stay = here.enter({ name: 1 as never });
    await expect(stay.ready).rejects.toMatchObject({ code: 'BAD_INPUT' });
    expect(reported).toEqual([]);
    stay.update({ name: 'x'.repeat(5_000) });
    await settle();
    expect(reported).toEqual([expect.objectContaining({ code: 'TOO_LARGE' })]);
    stay.update({ name: 'Ann' });
    await stay.ready;
    expect(there()).toEqual(['ann Ann 1']);
    stay.leave();
    await settle();
    done();
  });

  test('by the app is asked again on the next connection', async () => {
    let may = false;
    const { pair, there, done, here } = await world(() => may);
    await using _ = pair;
    using stay = here.enter({ name: 'Ann' });
    await expect(stay.ready).rejects.toMatchObject({ code: 'FORBIDDEN' });
    may = true;
    pair.connection.reconnect();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(there()).toEqual(['ann Ann 1']);
    done();
  });

  test('by a server that failed is said again after a pause', async () => {
    let fails = true;
    const { pair, there, errors, done, here } = await world(() => {
      if (fails) throw new Error('the database is away');
      return true;
    });
    await using _ = pair;
    using stay = here.enter({ name: 'Ann' });
    await vi.advanceTimersByTimeAsync(3_000);
    fails = false;
    await vi.advanceTimersByTimeAsync(60_000);
    await stay.ready;
    expect([there(), errors.length > 0]).toEqual([['ann Ann 1'], true]);
    done();
  });

  test('by a closed connection rejects ready; left before it was taken, too', async () => {
    const { pair, done, here } = await world();
    await using _ = pair;
    const early = here.enter({ name: 'Ann' });
    const { ready } = early;
    early.leave();
    await expect(ready).rejects.toMatchObject({ code: 'ABORTED' });
    pair.lifecycle.offline();
    await settle();
    using waits = here.enter({ name: 'Ann' });
    const waiting = expect(waits.ready).rejects.toMatchObject({ code: 'CLOSED' });
    await pair.connection.close();
    await waiting;
    using late = here.enter({ name: 'Ann' });
    await expect(late.ready).rejects.toMatchObject({ code: 'CLOSED' });
    done();
  });
});

test('a connection that refuses to wait enters when it is there, and a lazy one is held by a stay', async () => {
  const { pair, there, done } = await world();
  await using _ = pair;
  const [bob, cid] = [
    pair.connect({ auth: () => 'bob', whileOffline: 'fail' }),
    pair.connect({ auth: () => 'cid', lazy: true, idleMs: 1_000 }),
  ];
  using _bob = bob.client.here(room).enter({ name: 'Bob' });
  const stay = cid.client.here(room).enter({ name: 'Cid' });
  await vi.advanceTimersByTimeAsync(20_000);
  expect([there()?.sort(), cid.connection.status.state]).toEqual([['bob Bob 1', 'cid Cid 1'], 'connected']);
  bob.cut();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(there()?.sort()).toEqual(['bob Bob 1', 'cid Cid 1']);
  stay.leave();
  await vi.advanceTimersByTimeAsync(2_000);
  expect([there(), cid.connection.status.state]).toEqual([['bob Bob 1'], 'idle']);
  done();
});

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { refuse } from '../../../src/server/index.ts';
import { Gate } from '../peer.ts';
import { failingBroker, HERE, onlooker, settle, start, tab } from './fixture.ts';

const GRACE_MS = 10_000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('who is there', () => {
  test('is told as he joins, says something else, and leaves; the state has those who are there', async () => {
    const { server } = start();
    const eve = await onlooker(server);
    const ann = await tab(server, 'ann');
    expect(await ann.enter()).toEqual(['reply', 1, ['', 0]]);
    await ann.enter({ name: 'Ann' });
    await (await tab(server, 'bob')).enter();
    expect((await onlooker(server)).first()).toEqual(['ann Ann 1', 'bob bob 1']);
    await ann.leave();
    expect(eve.first()).toEqual([]);
    expect(eve.events()).toEqual(['joined ann ann 1', 'updated ann Ann 1', 'joined bob bob 1', 'left ann Ann 1']);
    expect((await onlooker(server)).first()).toEqual(['bob bob 1']);
    const { state } = await server.topic('here', { roomId: '1' }).read();
    expect(state).toEqual([{ id: 'bob', info: { name: 'bob' }, connections: 1 }]);
  });

  test('is there once with three tabs, says what the last tab said that is there, and leaves with the last', async () => {
    const { server } = start();
    const eve = await onlooker(server);
    const tabs = [await tab(server, 'ann'), await tab(server, 'ann'), await tab(server, 'ann')];
    for (const [at, each] of tabs.entries()) await each.enter({ name: `tab ${at}` });
    expect((await onlooker(server)).first()).toEqual(['ann tab 2 3']);
    await tabs[0]!.enter({ name: 'first' });
    for (const each of tabs) await each.leave();
    expect(eve.events()).toEqual([
      'joined ann tab 0 1',
      'updated ann tab 1 2',
      'updated ann tab 2 3',
      'updated ann first 3',
      'updated ann tab 2 2',
      'updated ann tab 2 1',
      'left ann tab 2 1',
    ]);
  });

  test('to say the same again is told to nobody, and is no newer word than that of another tab', async () => {
    const { server } = start();
    const eve = await onlooker(server);
    const ann = await tab(server, 'ann');
    for (let n = 0; n < 3; n++) await ann.enter();
    expect(eve.events()).toEqual(['joined ann ann 1']);
    await (await tab(server, 'ann')).enter({ name: 'newer' });
    await ann.enter();
    expect(eve.events()).toEqual(['joined ann ann 1', 'updated ann newer 2']);
  });

  test('clients of a server that authenticates nobody are one person each, and no name of theirs is told', async () => {
    const { server } = start({ authenticate: undefined, handlers: { here: { authorize: () => true } } });
    const eve = await onlooker(server);
    const [one, other] = [await tab(server, 'a'), await tab(server, 'b')];
    await one.enter();
    await other.enter();
    await one.enter({ name: 'A' });
    const ids = eve.peer.all('event').map(([, , , { member }]) => member.id as string);
    expect([ids[0] === ids[2], ids[0] === ids[1], ids.length]).toEqual([true, false, 3]);
    expect(JSON.stringify(eve.peer.received)).not.toContain(one.name);
  });
});

describe('a lost connection', () => {
  test('is not told where the client is back within the grace, and says so', async () => {
    const { server } = start();
    const eve = await onlooker(server);
    const ann = await tab(server, 'ann');
    await ann.enter();
    await ann.vanishes();
    await vi.advanceTimersByTimeAsync(GRACE_MS - 1);
    const back = await tab(server, 'ann', ann.name, 2);
    back.write(['publish', 2, HERE, [{ name: 'ann' }]]);
    await vi.advanceTimersByTimeAsync(2 * GRACE_MS);
    expect(eve.events()).toEqual(['joined ann ann 1']);
  });

  test('is a leaving when the grace is over, also of one who is back and does not enter again', async () => {
    const { server } = start({ presenceGraceMs: 5_000 });
    const eve = await onlooker(server);
    const ann = await tab(server, 'ann');
    await ann.enter();
    await ann.vanishes();
    await tab(server, 'ann', ann.name, 2);
    await vi.advanceTimersByTimeAsync(4_999);
    expect(eve.events()).toEqual(['joined ann ann 1']);
    await vi.advanceTimersByTimeAsync(1);
    expect(eve.events()).toEqual(['joined ann ann 1', 'left ann ann 1']);
  });

  test('that nobody noticed is one: who is on another socket and does not enter there has left in time', async () => {
    const { server } = start({ presenceGraceMs: 5_000 });
    const eve = await onlooker(server);
    const [ann, bob] = [await tab(server, 'ann'), await tab(server, 'bob')];
    await ann.enter();
    await bob.enter();
    (await tab(server, 'ann', ann.name, 2)).write(['ping', 1]);
    (await tab(server, 'bob', bob.name, 2)).write(['publish', 2, HERE, [{ name: 'bob' }]]);
    await vi.advanceTimersByTimeAsync(4_999);
    expect(eve.events()).toEqual(['joined ann ann 1', 'joined bob bob 1']);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(eve.events().slice(2)).toEqual(['left ann ann 1']);
  });

  test('of one who says goodbye, or is disconnected, has no grace', async () => {
    const { server } = start();
    const eve = await onlooker(server);
    const [ann, bob] = [await tab(server, 'ann'), await tab(server, 'bob')];
    await ann.enter();
    await bob.enter();
    await ann.vanishes(1000);
    server.disconnect('bob');
    await settle();
    expect(eve.events().slice(2)).toEqual(['left ann ann 1', 'left bob bob 1']);
  });

  test('while the app is still asked leaves no ghost', async () => {
    const gate = new Gate<boolean>();
    const { server } = start({}, () => gate.opened);
    const eve = await onlooker(server);
    const ann = await tab(server, 'ann');
    await ann.enter().catch(() => undefined);
    await ann.vanishes();
    gate.open(true);
    await settle();
    expect(eve.events()).toEqual(['joined ann ann 1']);
    await vi.advanceTimersByTimeAsync(GRACE_MS);
    expect(eve.events()).toEqual(['joined ann ann 1', 'left ann ann 1']);
  });
});

describe('a broker that fails', () => {
  test('loses no leaving: what could not be told is told when it is back, once, and who is between is not told of', async () => {
    const failing = failingBroker();
    const { server, errors } = start({ broker: failing.broker });
    const eve = await onlooker(server);
    const [ann, bob, cid] = [await tab(server, 'ann'), await tab(server, 'bob'), await tab(server, 'cid')];
    await ann.enter();
    failing.isAway = true;
    await bob.enter();
    await ann.vanishes(1000);
    await cid.enter();
    await cid.leave();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(eve.events()).toEqual(['joined ann ann 1']);
    expect(errors).toEqual(Array.from({ length: 3 }, () => new Error('the broker is away')));
    failing.isAway = false;
    await vi.advanceTimersByTimeAsync(2_000);
    expect(eve.events()).toEqual(['joined ann ann 1', 'joined bob bob 1', 'left ann ann 1']);
    const { tries } = failing;
    await vi.advanceTimersByTimeAsync(20_000);
    expect(failing.tries).toBe(tries);
  });

  test('tells once what it had published when it failed', async () => {
    const failing = failingBroker();
    const { publish } = failing.broker;
    let fails = true;
    failing.broker.publish = async (...args) => {
      const position = await publish(...args);
      if (fails) throw new Error('no answer came');
      return position;
    };
    const { server } = start({ broker: failing.broker });
    const eve = await onlooker(server);
    await (await tab(server, 'ann')).enter();
    fails = false;
    await vi.advanceTimersByTimeAsync(20_000);
    expect(eve.events()).toEqual(['joined ann ann 1']);
  });
});

describe('who may not be there', () => {
  test('does not enter; one who was there before has left, also where he only says it again', async () => {
    const banned = new Set(['bob']);
    const { server } = start({}, (user) => !banned.has(user));
    const eve = await onlooker(server);
    const [ann, bob] = [await tab(server, 'ann'), await tab(server, 'bob')];
    expect(await bob.enter()).toMatchObject(['error', 1, { code: 'FORBIDDEN' }]);
    await ann.enter();
    banned.add('ann');
    expect(await ann.leave()).toMatchObject(['error', 2, { code: 'FORBIDDEN' }]);
    expect(eve.events()).toEqual(['joined ann ann 1', 'left ann ann 1']);
  });

  test('has left when he is revoked, also between two sockets, and when the app is asked again', async () => {
    const banned = new Set<string>();
    const { server } = start({}, (user) => (banned.has(user) ? refuse('no', 'FORBIDDEN') : true));
    const eve = await onlooker(server);
    for (const user of ['ann', 'bob', 'cid']) {
      const joined = await tab(server, user);
      await joined.enter();
      if (user === 'bob') await joined.vanishes();
    }
    server.topic('here', { roomId: '1' }).revoke('bob');
    banned.add('ann');
    server.reauthorize();
    await settle();
    expect(eve.events().slice(3)).toEqual(['left bob bob 1', 'left ann ann 1']);
  });

  test('nobody says too much, is in too many rooms, or speaks for the server', async () => {
    const { server } = start({ limits: { subscriptions: 1 } });
    const ann = await tab(server, 'ann');
    const refused = (code: string) => ['error', expect.any(Number), expect.objectContaining({ code })];
    expect(await ann.enter({ name: 'x'.repeat(5_000) })).toEqual(refused('TOO_LARGE'));
    expect(await ann.enter({ name: 1 })).toEqual(refused('BAD_INPUT'));
    await ann.enter();
    ann.write(['publish', 9, 'rooms/2/here', [{ name: 'ann' }]]);
    ann.write(['publish', 10, HERE, { type: 'left', member: { id: 'bob', info: { name: 'bob' }, connections: 1 } }]);
    await settle();
    expect([ann.answers(9)[0], ann.answers(10)[0]]).toEqual([refused('RATE_LIMITED'), refused('BAD_INPUT')]);
    await expect(server.topic('here', { roomId: '1' }).publish(undefined as never)).rejects.toThrow('is a presence');
  });
});

test('a broker that several servers share needs a store of presences that they share', () => {
  const { broker } = failingBroker();
  expect(() => start({ broker: { ...broker, isShared: true } })).toThrow('contract.here: servers that share a broker');
});

test('a server that closes tells nobody that all have left, and leaves no timer behind', async () => {
  const failing = failingBroker();
  const { server } = start({ broker: failing.broker });
  const [ann, bob, cid] = [await tab(server, 'ann'), await tab(server, 'bob'), await tab(server, 'cid')];
  for (const each of [ann, bob]) await each.enter();
  await ann.vanishes();
  failing.isAway = true;
  cid.write(['publish', 1, 'rooms/2/here', [{ name: 'cid' }]]);
  await settle();
  const { tries } = failing;
  await server.close();
  await failing.broker.close();
  await settle();
  expect(failing.tries).toBe(tries);
  expect(vi.getTimerCount()).toBe(0);
});

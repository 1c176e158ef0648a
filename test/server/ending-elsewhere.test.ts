import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { refuse } from '../../src/server/index.ts';
import { start } from './fixture.ts';
import { events, join, room, settle } from './joining.ts';
import { Gate } from './peer.ts';
import { SharedHistory } from './shared-history.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Servers that share a broker and a database, in which somebody may be banned, or a member of the room. */
function servers(own: Parameters<typeof start>[0] = {}) {
  const history = new SharedHistory();
  const [banned, members] = [new Set<string>(), new Set(['ann', 'bob'])];
  const ran: string[] = [];
  const expiry = new Map<string, number>();
  const asked = vi.fn();
  let gate: Gate | undefined;
  const options = {
    authenticate: async ({ token = '' }) => {
      asked(token);
      const isBanned = banned.has(token);
      await gate?.opened;
      if (isBanned) refuse('banned', 'FORBIDDEN');
      return { identity: token, context: { user: token }, expiresAt: expiry.get(token) };
    },
  };
  const node = () => {
    const line = history.line();
    const made = start(
      {
        echo: ({ input }) => (ran.push(input), input),
        room: { authorize: ({ context }) => members.has(context.user), publish: () => undefined },
        ...own,
      },
      { ...options, broker: line.broker },
    );
    return Object.assign(made, { line });
  };
  const hold = (): Gate => (gate = new Gate());
  return { one: node(), other: node(), node, banned, members, ran, expiry, asked, hold };
}

const codes = (...peers: Awaited<ReturnType<typeof join>>[]) => peers.map(({ closedWith }) => closedWith?.code);

async function inRoom(server: ReturnType<typeof start>['server'], user: string) {
  const peer = await join(server, user);
  peer.write(['subscribe', 1, 'rooms/1']);
  await settle();
  return peer;
}

describe('a broker that was away for a second', () => {
  test('of the server that disconnects somebody: the others are told within another one', async () => {
    const { one, other } = servers();
    await settle();
    const [ann, bob] = [await join(other.server, 'ann'), await join(other.server, 'bob')];
    one.line.isAway = true;
    one.server.disconnect('ann', { reason: 'banned' });
    one.server.topic('room', room).revoke('bob');
    await vi.advanceTimersByTimeAsync(1000);
    expect(codes(ann, bob)).toEqual([undefined, undefined]);
    one.line.isAway = false;
    await vi.advanceTimersByTimeAsync(1000);
    expect([ann.closedWith, bob.closedWith]).toEqual([{ code: 4403, reason: 'banned' }, undefined]);
    expect(one.errors.map(({ info }) => info)).toEqual([{ during: 'broker' }, { during: 'broker' }]);
  });

  test('that never answers what it was told: after 30 s the others are told again', async () => {
    const { one, other } = servers();
    await settle();
    const ann = await join(other.server, 'ann');
    vi.spyOn(one.line.broker, 'publish').mockImplementationOnce(() => new Promise<never>(() => undefined));
    one.server.disconnect('ann');
    for (let seconds = 0; seconds <= 30; seconds += 10) {
      await vi.advanceTimersByTimeAsync(10_000);
      ann.write(['pong', 0]);
    }
    expect(codes(ann)).toEqual([4403]);
    expect(one.errors.map(({ info }) => info)).toEqual([{ during: 'broker' }]);
  });

  test('of the server that is told: it hears it when its broker is back', async () => {
    const { one, other } = servers();
    await settle();
    const peer = await inRoom(other.server, 'ann');
    other.line.isAway = true;
    one.server.topic('room', room).revoke('ann');
    await one.server.topic('room', room).publish({ text: 'secret' });
    await settle();
    other.line.isAway = false;
    other.line.deliver();
    await settle();
    expect([peer.all('unsubscribed').length, events(peer)]).toEqual([1, []]);
  });

  test('what could not be told is told once, however often it was said, and what is told is no more', async () => {
    const { one, other } = servers();
    await settle();
    one.line.isAway = true;
    for (let times = 0; times < 5; times++) one.server.disconnect('ann');
    await settle();
    one.line.isAway = false;
    const heard = vi.spyOn(other.line, 'heard');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(heard).toHaveBeenCalledTimes(1);
    const again = await join(other.server, 'ann');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(codes(again)).toEqual([undefined]);
  });

  test('and more than can be kept: everybody is asked about again', async () => {
    const { one, other, banned } = servers();
    await settle();
    const [ann, bob] = [await join(other.server, 'ann'), await join(other.server, 'bob')];
    one.line.isAway = true;
    banned.add('ann');
    one.server.disconnect('ann');
    for (let n = 0; n < 1000; n++) one.server.disconnect(`somebody ${n}`);
    await settle();
    one.line.isAway = false;
    await vi.advanceTimersByTimeAsync(1000);
    await settle();
    expect(codes(ann, bob)).toEqual([4403, undefined]);
  });

  test('when the server closes: who ended something hears that it was not told', async () => {
    const { one } = servers();
    await settle();
    one.line.isAway = true;
    one.server.disconnect('ann');
    await settle();
    await one.server.close();
    expect(one.errors.map(({ error }) => String(error))).toEqual([
      'Error: the broker is away',
      'Error: other servers were not told what was ended here: disconnect',
    ]);
  });
});

describe('a history that was lost with what was told in it', () => {
  test('has everybody authenticated again: who was banned goes for good, and what runs for them is aborted', async () => {
    const signals: AbortSignal[] = [];
    const { other, banned } = servers({
      echo: ({ signal }) => (signals.push(signal), new Gate<string>().opened),
    });
    await settle();
    const [ann, bob] = [await join(other.server, 'ann'), await join(other.server, 'bob')];
    for (const peer of [ann, bob]) peer.write(['call', 1, 'echo', null, 'x']);
    await settle();
    banned.add('ann');
    other.line.lose();
    await settle();
    expect([ann.closedWith, bob.closedWith]).toEqual([{ code: 4403, reason: 'FORBIDDEN: banned' }, undefined]);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    expect(other.server.stats()).toMatchObject({ peers: 1, clients: 1, calls: 1 });
  });

  test('lets nothing through until that is done; who stays misses nothing', async () => {
    const { other, members, hold, one } = servers();
    await settle();
    const [ann, bob] = [await inRoom(other.server, 'ann'), await inRoom(other.server, 'bob')];
    members.delete('ann');
    const gate = hold();
    other.line.lose();
    await one.server.topic('room', room).publish({ text: 'secret' });
    await settle();
    expect([events(ann), events(bob)]).toEqual([[], []]);
    gate.open();
    await settle();
    expect([events(ann), events(bob)]).toEqual([[], ['secret']]);
    expect(ann.all('unsubscribed').map(([, , , { code }]) => code)).toEqual(['FORBIDDEN']);
    expect(codes(ann, bob)).toEqual([undefined, undefined]);
  });

  test('asks about who is being let in, too, and about the newest credentials', async () => {
    const { other, banned, hold, asked } = servers();
    await settle();
    const bob = await join(other.server, 'bob');
    bob.write(['auth', 1, 'bob']);
    await settle();
    const gate = hold();
    const ann = await join(other.server, 'ann');
    banned.add('ann');
    asked.mockClear();
    other.line.lose();
    gate.open();
    await settle();
    expect(codes(ann, bob)).toEqual([4403, undefined]);
    expect(asked.mock.calls.map(([token]) => token as string).sort()).toEqual(['ann', 'bob']);
  });

  test('and an authenticate that fails then is tried again by the client: it is asked to come back', async () => {
    let fails = false;
    const line = new SharedHistory().line();
    const authenticate = ({ token = '' }) => {
      if (fails) throw new Error('the database is away');
      return { identity: token, context: { user: token } };
    };
    const { server, errors } = start({}, { broker: line.broker, authenticate });
    await settle();
    const ann = await join(server, 'ann');
    fails = true;
    line.lose();
    await settle();
    expect(codes(ann)).toEqual([1011]);
    expect(errors.map(({ info }) => info.during)).toEqual(['broker', 'authenticate']);
  });

  test('and who proves to be somebody else is not served any more', async () => {
    let identity = 'ann';
    const line = new SharedHistory().line();
    const authenticate = () => ({ identity, context: { user: identity } });
    const { server } = start({}, { broker: line.broker, authenticate });
    await settle();
    const ann = await join(server, 'ann');
    identity = 'bob';
    line.lose();
    await settle();
    expect(codes(ann)).toEqual([4410]);
  });

  test('and what the new one holds by then is done, also where it can not be read at first', async () => {
    const { one, other } = servers();
    await settle();
    const [ann, bob] = [await join(other.server, 'ann'), await join(other.server, 'bob')];
    other.line.isAway = true;
    one.server.disconnect('ann');
    for (let n = 0; n < 300; n++) one.server.disconnect(`somebody ${n}`);
    one.server.disconnect('bob');
    await settle();
    other.line.lose();
    await settle();
    expect(codes(ann, bob)).toEqual([undefined, undefined]);
    other.line.isAway = false;
    await vi.advanceTimersByTimeAsync(2000);
    expect(codes(ann, bob)).toEqual([4403, 4403]);
    expect(other.errors.map(({ error }) => String(error))).toEqual([
      'Error: what other servers told to end may be lost: all clients are authenticated and authorized again',
      'Error: the broker is away',
    ]);
  });

  test('many are asked about some at a time', async () => {
    const { other, asked, hold } = servers();
    await settle();
    for (let n = 0; n < 200; n++) await join(other.server, `user ${n}`);
    asked.mockClear();
    const gate = hold();
    other.line.lose();
    await settle();
    expect(asked).toHaveBeenCalledTimes(64);
    gate.open();
    await settle();
    expect(asked).toHaveBeenCalledTimes(200);
  });
});

test('who is let in before a server hears what others tell is asked about when it does', async () => {
  const { banned, one, node } = servers();
  await settle();
  const opened = one.line.holdSubscriptions();
  const late = node();
  await settle();
  const [ann, bob] = [await join(late.server, 'ann'), await join(late.server, 'bob')];
  banned.add('ann');
  one.server.disconnect('ann');
  opened.open();
  await settle();
  expect(codes(ann, bob)).toEqual([4403, undefined]);
  // That is no fault.
  expect(late.errors).toEqual([]);
});

describe('a client that comes to the other server', () => {
  test('in the gap between its disconnection and the news of it is let in neither before nor after', async () => {
    const { one, other, banned, ran, hold } = servers();
    await settle();
    const first = await join(one.server, 'ann');
    // Asked about before it was banned, and answered after that.
    const gate = hold();
    const second = await join(other.server, 'ann', first.name, 2);
    banned.add('ann');
    other.line.isAway = true;
    one.server.disconnect('ann');
    gate.open();
    await settle();
    // The server can't know yet.
    expect(codes(first, second)).toEqual([4403, undefined]);
    other.line.isAway = false;
    other.line.deliver();
    await settle();
    second.write(['call', 1, 'echo', null, 'after']);
    const third = await join(other.server, 'ann', first.name, 3);
    third.write(['call', 2, 'echo', null, 'later']);
    await settle();
    expect(codes(second, third)).toEqual([4403, 4403]);
    expect([ran, third.received]).toEqual([[], []]);
  });

  test('after its credentials have expired is let in by none, and what it sends is not run', async () => {
    const { one, other, ran, expiry } = servers();
    await settle();
    expiry.set('ann', Date.now() + 5000);
    const first = await inRoom(one.server, 'ann');
    first.vanish();
    const second = await join(other.server, 'ann', first.name, 2);
    second.write(['subscribe', 1, 'rooms/1']);
    await settle();
    await vi.advanceTimersByTimeAsync(5000);
    await one.server.topic('room', room).publish({ text: 'secret' });
    second.write(['call', 1, 'echo', null, 'after']);
    await settle();
    const third = await join(one.server, 'ann', first.name, 3);
    third.write(['call', 2, 'echo', null, 'later']);
    await settle();
    expect([codes(second, third), ran]).toEqual([[4401, 4401], []]);
    expect([...events(second), ...events(third)]).toEqual([]);
  });

  test('after it was put out of a room hears nothing of it, wherever it goes on', async () => {
    const { one, other, members } = servers();
    await settle();
    const first = await inRoom(one.server, 'ann');
    const [, , , position] = first.all('subscribed')[0]!;
    first.vanish();
    members.delete('ann');
    one.server.topic('room', room).revoke('ann');
    await one.server.topic('room', room).publish({ text: 'secret' });
    const second = await join(other.server, 'ann', first.name, 2);
    second.write(['subscribe', 2, 'rooms/1', position]);
    await settle();
    expect([second.all('unsubscribed')[0]?.[3].code, second.all('subscribed'), events(second)]).toEqual([
      'FORBIDDEN',
      [],
      [],
    ]);
  });
});

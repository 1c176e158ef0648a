import { describe, expect, test } from 'vitest';
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

const ids = (socket: ScriptedSocket) => socket.all('call').map(([, id]) => id);

describe('a move within one memory', () => {
  test('says nothing on the successor but hello before its welcome, and goes on where it is', async () => {
    const { client, first } = await started();
    const before = client.get({ id: 1 });
    await settle();
    const next = await successor();
    const during = client.get({ id: 2 });
    await settle();
    expect(next.received.map(([name]) => name)).toEqual(['hello']);
    expect(next.hello).toMatchObject({ client: first.hello.client, n: 2, floor: [2, 1] });
    await first.say(['reply', 1, { name: 'one' }], ['reply', 2, { name: 'two' }]);
    expect(await Promise.all([before, during])).toEqual([{ name: 'one' }, { name: 'two' }]);
    expect(world.connection.status).toMatchObject({ state: 'connected', resumed: false });
  });

  test('sends again what has no answer, lowest id first, before new work, and leaves the socket before', async () => {
    const { client, first } = await started();
    const sent = [client.add({ by: 1 }), client.get({ id: 2 }), client.note({ text: 'three' })];
    await settle();
    const next = await successor();
    await next.welcome();
    const later = client.add({ by: 4 });
    await settle();
    expect(ids(next)).toEqual([1, 2, 3, 4]);
    expect(first.closedWith).toBe(4000);
    await next.say(['reply', 1, 1], ['reply', 2, { name: 'two' }], ['reply', 3], ['reply', 4, 4]);
    expect(await Promise.all([...sent, later])).toEqual([1, { name: 'two' }, undefined, 4]);
    expect(world.connection.status).toMatchObject({ state: 'connected', resumed: true });
  });

  test('sends again before what waits for a slot', async () => {
    const { client, first } = await started();
    const nine = Array.from({ length: 9 }, (_, by) => by);
    const calls = nine.map((by) => client.add({ by }));
    await settle();
    expect(ids(first)).toHaveLength(8);
    const next = await successor();
    await next.welcome({ limits: { calls: 9 } });
    expect(next.all('call').map(([, , , , input]) => input)).toEqual(nine.map((by) => ({ by })));
    await next.say(...ids(next).map((id) => ['reply', id, id]));
    expect(await Promise.all(calls)).toEqual(ids(next));
  });

  test('takes topics along from their positions; nobody hears that they were moved', async () => {
    const { client, first } = await started();
    const events: string[] = [];
    const states: string[] = [];
    client.news({ channel: 'a' }).subscribe({
      event: ({ text }) => events.push(text),
      gap: () => events.push('gap'),
      status: (state) => states.push(state),
    });
    await settle();
    await first.say(['subscribed', 1, 'news/a', ['E', 5], 'live'], ['event', 'news/a', 6, { text: 'six' }]);
    const next = await successor();
    await first.say(['event', 'news/a', 7, { text: 'seven' }]);
    await next.welcome();
    expect(next.all('subscribe')).toEqual([['subscribe', 2, 'news/a', ['E', 7]]]);
    await next.say(
      ['subscribed', 2, 'news/a', ['E', 7], 'resumed'],
      ['event', 'news/a', 8, { text: 'eight' }],
      ['event', 'news/a', 8, { text: 'again' }],
    );
    expect(events).toEqual(['six', 'seven', 'eight']);
    expect(states).toEqual(['live']);
  });

  test('bears that the server closes the socket before, because its successor said hello', async () => {
    const { client, first } = await started();
    const states: string[] = [];
    const statuses: string[] = [];
    client.news({ channel: 'a' }).subscribe({ status: (state) => states.push(state) });
    await settle();
    await first.say(['subscribed', 1, 'news/a', ['E', 5], 'live']);
    world.connection.on('status', ({ state }) => statuses.push(state));
    const call = client.add({ by: 1 });
    await settle();
    const next = await successor();
    await first.close(4409);
    // Written on a socket that is gone: nobody has it, so it goes with the rest.
    const during = client.add({ by: 2 });
    await settle();
    await next.welcome();
    expect(ids(next)).toEqual([1, 2]);
    await next.say(['subscribed', 2, 'news/a', ['E', 5], 'resumed'], ['reply', 1, 1], ['reply', 2, 2]);
    expect(await Promise.all([call, during])).toEqual([1, 2]);
    expect(states).toEqual(['live']);
    expect(statuses).toEqual(['connected']);
  });

  test('is no takeover by somebody else, however often', async () => {
    const { first } = await started();
    const sockets = [first];
    for (let moves = 0; moves < 3; moves++) {
      const next = await successor();
      await sockets.at(-1)!.close(4409);
      await next.welcome();
      sockets.push(next);
    }
    expect(new Set(sockets.map(({ hello }) => hello.client)).size).toBe(1);
    expect(sockets.map(({ hello }) => hello.n)).toEqual([1, 2, 3, 4]);
  });

  test('whose welcome never comes, though its hello took the client over, again and again: nobody else did', async () => {
    const { client, first } = await started();
    const call = client.add({ by: 1 });
    await settle();
    let present = first;
    for (let moves = 0; moves < 3; moves++) {
      const next = await successor();
      await present.close(4409);
      await next.cut();
      present = await world.server.next();
      await present.welcome();
      expect(ids(present)).toEqual([1]);
    }
    expect(present.hello).toMatchObject({ client: first.hello.client, n: 7 });
    await present.say(['reply', 1, 1]);
    expect(await call).toBe(1);
  });

  test('is told in the record', async () => {
    await started();
    const next = await successor();
    await next.welcome();
    const again = await successor();
    await again.cut();
    const moves = world.connection.record().filter(({ what }) => what === 'move');
    expect(moves.map(({ details }) => details)).toMatchObject([
      { step: 'done', resumed: true },
      { step: 'failed', code: 1006 },
    ]);
  });
});

describe('a move to another memory', () => {
  test('keeps the socket before for what was sent on it, and sends nothing new there', async () => {
    const { client, first } = await started();
    const acts = client.add({ by: 1 });
    const reads = client.get({ id: 2 });
    await settle();
    const next = await successor();
    const before = first.frames.length;
    await next.welcome({ memory: 'M2' });
    const later = client.add({ by: 3 });
    await settle();
    expect(ids(next)).toEqual([3]);
    await first.say(['reply', 1, 1]);
    expect(await acts).toBe(1);
    expect(first.closedWith).toBeUndefined();
    expect(first.frames).toHaveLength(before);
    await first.say(['reply', 2, { name: 'two' }]);
    expect(await reads).toEqual({ name: 'two' });
    expect(first.closedWith).toBe(4000);
    await next.say(['reply', 3, 3]);
    expect(await later).toBe(3);
  });

  test('leaves the socket before at once where nothing was sent on it', async () => {
    const { first } = await started();
    await (await successor()).welcome({ memory: 'M2' });
    expect(first.closedWith).toBe(4000);
  });

  test('answers the pings of the socket before, or it would be taken for dead', async () => {
    const { client, first } = await started();
    void client.add({ by: 1 }).safe();
    await settle();
    await (await successor()).welcome({ memory: 'M2' });
    await first.say(['ping', 77]);
    expect(first.all('pong')).toEqual([['pong', 77]]);
    expect(first.received.at(-1)).toEqual(['pong', 77]);
  });

  test('cancels there what was sent there', async () => {
    const { client, first } = await started();
    const abort = new AbortController();
    const call = client.add({ by: 1 }, { signal: abort.signal }).safe();
    await settle();
    const next = await successor();
    await next.welcome({ memory: 'M2' });
    abort.abort();
    await settle();
    expect((await call).error).toMatchObject({ code: 'ABORTED', outcome: 'unknown' });
    expect(first.all('cancel')).toEqual([['cancel', 1]]);
    expect(next.all('cancel')).toEqual([]);
    await first.say(['error', 1, { code: 'ABORTED', message: 'cancelled' }]);
    expect(first.closedWith).toBe(4000);
  });

  test('that loses the socket before: what acts ends unknown, the rest is sent again', async () => {
    const { client, first } = await started();
    const acts = client.add({ by: 1 }).safe();
    const reads = client.get({ id: 2 });
    const sets = client.set({ to: 3 });
    await settle();
    const next = await successor();
    await next.welcome({ memory: 'M2' });
    await first.cut();
    expect((await acts).error).toMatchObject({ code: 'DISCONNECTED', outcome: 'unknown' });
    expect(ids(next)).toEqual([2, 3]);
    await next.say(['reply', 2, { name: 'two' }], ['reply', 3, 3]);
    expect(await Promise.all([reads, sets])).toEqual([{ name: 'two' }, 3]);
    expect(world.connection.status.state).toBe('connected');
  });

  test('and on to a third: the oldest goes, and what it has not answered is judged', async () => {
    const { client, first } = await started();
    const acts = client.add({ by: 1 }).safe();
    await settle();
    const second = await successor();
    await second.welcome({ memory: 'M2' });
    const later = client.add({ by: 2 });
    await settle();
    const third = await successor();
    await third.welcome({ memory: 'M3' });
    expect((await acts).error).toMatchObject({ code: 'DISCONNECTED', outcome: 'unknown' });
    expect(first.closedWith).toBe(4000);
    expect(second.closedWith).toBeUndefined();
    await second.say(['reply', 2, 2]);
    expect(await later).toBe(2);
    expect(second.closedWith).toBe(4000);
  });

  test('and back to the first: what it has not answered is sent to it again', async () => {
    const { client, first } = await started();
    const acts = client.add({ by: 1 });
    await settle();
    await (await successor()).welcome({ memory: 'M2' });
    const third = await successor();
    await third.welcome({ memory: 'M1' });
    expect(first.closedWith).toBe(4000);
    expect(ids(third)).toEqual([1]);
    await third.say(['reply', 1, 1]);
    expect(await acts).toBe(1);
  });

  test('takes events from the socket before until the subscription on the new one is in force', async () => {
    const { client, first } = await started();
    const events: string[] = [];
    client.news({ channel: 'a' }).subscribe({ event: ({ text }) => events.push(text) });
    void client.get({ id: 1 }).safe();
    await settle();
    const { n } = { n: first.all('subscribe')[0]![1] };
    await first.say(['subscribed', n, 'news/a', ['E', 5], 'live']);
    const next = await successor();
    await next.welcome({ memory: 'M2' });
    await first.say(['event', 'news/a', 6, { text: 'six' }]);
    const [, again] = next.all('subscribe')[0]!;
    await next.say(['subscribed', again, 'news/a', ['E', 5], 'resumed'], ['event', 'news/a', 6, { text: 'six' }]);
    await first.say(['event', 'news/a', 7, { text: 'from the socket before' }]);
    await next.say(['event', 'news/a', 7, { text: 'seven' }]);
    expect(events).toEqual(['six', 'seven']);
  });

  test('sends nobody back: what a late answer of the socket before settles, is settled', async () => {
    const { client, first } = await started();
    const call = client.add({ by: 1 });
    await settle();
    const next = await successor();
    await next.welcome({ memory: 'M2' });
    await next.say(['reply', 1, 999]);
    await first.say(['reply', 1, 1]);
    expect(await call).toBe(1);
  });
});

describe('a successor that fails', () => {
  test('takes nothing along: what is under way is answered where it is', async () => {
    const { client, first } = await started();
    const call = client.add({ by: 1 });
    await settle();
    const next = await successor();
    await next.close(1013);
    const later = client.add({ by: 2 });
    await settle();
    expect(ids(first)).toEqual([1, 2]);
    await first.say(['reply', 1, 1], ['reply', 2, 2]);
    expect(await Promise.all([call, later])).toEqual([1, 2]);
    expect(world.server.sockets).toHaveLength(2);
  });

  test('because its credentials prove another identity: nothing of the former user goes on', async () => {
    const { client, first } = await started();
    const call = client.add({ by: 1 }).safe();
    await settle();
    const next = await successor();
    await next.welcome({ identity: 'I2' });
    expect((await call).error).toMatchObject({ code: 'UNAUTHENTICATED', outcome: 'unknown' });
    expect(next.closedWith).toBe(4410);
    expect(first.closedWith).toBe(4410);
    const third = await world.server.socket();
    expect(third.hello.client).not.toBe(first.hello.client);
    expect(third.hello.n).toBe(1);
  });
});

describe('the socket that serves ends during a move', () => {
  test('because credentials were refused: the next are asked for as refused, and on a new socket', async () => {
    const reasons: string[] = [];
    const auth: ConnectOptions['auth'] = ({ reason }) => (reasons.push(reason), reason);
    const { first } = await started({ auth });
    const next = await successor();
    await first.close(4401);
    expect(next.closedWith).toBe(4000);
    const third = await world.server.socket();
    expect(reasons).toEqual(['connect', 'connect', 'refused']);
    expect(third.hello.token).toBe('refused');
  });

  test('because it belongs to another identity: the successor, which gave the former name, is left too', async () => {
    const { first } = await started();
    const next = await successor();
    await first.close(4410);
    expect(next.closedWith).toBe(4000);
    const third = await world.server.socket();
    expect(third.hello.client).not.toBe(next.hello.client);
    await third.welcome({ identity: 'I2' });
    expect(world.connection.status.state).toBe('connected');
  });

  test('over the size of a frame: what waits on the socket before was not in it, and is asked again', async () => {
    const { client } = await started();
    const reads = client.get({ id: 1 });
    await settle();
    const second = await successor();
    await second.welcome({ memory: 'M2' });
    const large = client.note({ text: 'large' }).safe();
    await settle();
    await second.close(1009);
    expect((await large).error).toMatchObject({ code: 'TOO_LARGE' });
    const third = await world.server.next();
    expect(ids(third)).toEqual([1]);
    await third.welcome({ memory: 'M2' });
    await third.say(['reply', 1, { name: 'one' }]);
    expect(await reads).toEqual({ name: 'one' });
  });
});

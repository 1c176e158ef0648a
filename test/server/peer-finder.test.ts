import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { start } from './fixture.ts';
import { join, settle } from './joining.ts';
import { SharedHistory } from './shared-history.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function world() {
  const history = new SharedHistory();
  const node = () => {
    const line = history.line();
    return Object.assign(start({}, { broker: line.broker }), { line });
  };
  return { node };
}

/** Servers that know of each other. */
async function servers() {
  const { node } = world();
  const [one, other, third] = [node(), node(), node()];
  await vi.advanceTimersByTimeAsync(1000);
  return { one, other, third, node };
}

/** What it gives, and whether it waited for a time limit. */
async function found(server: ReturnType<typeof start>['server'], identity: string) {
  const began = performance.now();
  let told: Awaited<ReturnType<typeof server.findPeers>> | undefined;
  void server.findPeers({ identity }).then((given) => (told = given));
  await settle();
  if (told === undefined) await vi.advanceTimersByTimeAsync(1000);
  const clients = told!.peers.map(({ client }) => client).sort();
  return { clients, isComplete: told!.isComplete, waited: performance.now() - began, peers: told!.peers };
}

test('who is connected is found on all servers, at once', async () => {
  const { one, other, third } = await servers();
  const [here, there] = [await join(one.server, 'ann'), await join(other.server, 'ann')];
  there.write(['subscribe', 1, 'rooms/1']);
  await join(third.server, 'bob');
  for (const { server } of [one, other, third]) {
    expect(await found(server, 'ann')).toMatchObject({ clients: [here.name, there.name], isComplete: true, waited: 0 });
    expect(await found(server, 'cleo')).toMatchObject({ clients: [], isComplete: true, waited: 0 });
  }
  const { peers } = await found(third.server, 'ann');
  const subscriptions = peers.map((peer) => [peer.client, peer.subscriptions]);
  expect(Object.fromEntries(subscriptions)).toEqual({ [here.name]: 0, [there.name]: 1 });
  expect(new Set(peers.map(({ server }) => server)).size).toBe(2);
});

test('a server that does not answer is waited for once, and is there again when it says something', async () => {
  const { one, other } = await servers();
  const there = await join(other.server, 'ann');
  other.line.isAway = true;
  expect(await found(one.server, 'ann')).toMatchObject({ clients: [], isComplete: false, waited: 1000 });
  expect(await found(one.server, 'ann')).toMatchObject({ isComplete: true, waited: 0 });
  other.line.isAway = false;
  other.line.deliver();
  await settle();
  expect(await found(one.server, 'ann')).toMatchObject({ clients: [there.name], isComplete: true, waited: 0 });
});

test('a server that is closed is not waited for, and a new one is asked, also by those that were there', async () => {
  const { one, other, third, node } = await servers();
  await other.server.close();
  const fourth = node();
  await settle();
  const there = await join(fourth.server, 'ann');
  expect(await found(third.server, 'ann')).toMatchObject({ clients: [there.name], isComplete: true, waited: 0 });
  // It does not know yet whether all have said that they are there.
  const here = await join(one.server, 'bob');
  expect(await found(fourth.server, 'bob')).toMatchObject({ clients: [here.name], waited: 1000 });
  expect(await found(fourth.server, 'bob')).toMatchObject({ clients: [here.name], isComplete: true, waited: 0 });
});

test('a server that could not say that it is there says it again', async () => {
  const { one, node } = await servers();
  const late = node();
  late.line.isAway = true;
  await settle();
  expect(late.errors).toHaveLength(1);
  late.line.isAway = false;
  await vi.advanceTimersByTimeAsync(2000);
  // Known by now: it is waited for where it does not answer.
  late.line.isAway = true;
  expect(await found(one.server, 'ann')).toMatchObject({ isComplete: false, waited: 1000 });
});

test('a server by itself asks nobody; a broker that can not be asked says so; a question is settled by close', async () => {
  const alone = start();
  const here = await join(alone.server, 'ann');
  expect(await found(alone.server, 'ann')).toMatchObject({ clients: [here.name], isComplete: true, waited: 0 });
  const { one, other } = await servers();
  one.line.isAway = true;
  await expect(one.server.findPeers({ identity: 'ann' })).rejects.toThrow('the broker is away');
  one.line.isAway = false;
  other.line.isAway = true;
  const asked = one.server.findPeers({ identity: 'ann' });
  await settle();
  await one.server.close();
  expect(await asked).toEqual({ peers: [], isComplete: false });
  await expect(one.server.findPeers({ identity: 5 as never })).rejects.toThrow(TypeError);
  await expect(one.server.findPeers({ identity: 'ann', withinMs: -1 })).rejects.toThrow(RangeError);
});

test('a broker that never answers is not waited for longer than that, and a closed server waits for nobody', async () => {
  const { one, other } = await servers();
  const here = await join(one.server, 'ann');
  vi.spyOn(one.line.broker, 'publish').mockImplementation(() => new Promise<never>(() => undefined));
  expect(await found(one.server, 'ann')).toMatchObject({ clients: [here.name], isComplete: false, waited: 1000 });
  await other.server.close();
  expect(await other.server.findPeers({ identity: 'ann' })).toEqual({ peers: [], isComplete: false });
});

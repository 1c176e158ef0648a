import { afterEach, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { defineContract, mutation, query, stream, topic } from '../../src/index.ts';
import { createServer, type AuthenticateArgs, type BrokerConnection } from '../../src/server/index.ts';
import { clientName, Gate, Peer } from '../server/peer.ts';
import type { CallStoreWorld, StoreBounds } from './call-store-world.ts';

const contract = defineContract({
  echo: query({ input: z.string(), output: z.string() }),
  pay: mutation({ input: z.string(), output: z.string() }),
  tag: mutation({ input: z.string(), output: z.string(), idempotent: true, errors: { TAKEN: z.null() } }),
  count: stream({ input: z.int(), output: z.int() }),
  room: topic('rooms/{roomId}', { event: z.string() }),
});

/** What servers that share a memory of calls do, whatever it is kept in. */
export function describeCallStore(world: CallStoreWorld): void {
  /** What the servers of a test report: nothing, unless it is about that. */
  const problems: unknown[] = [];
  afterEach(() => expect(problems.splice(0)).toEqual([]));

  /** A server that shares its memory of calls, and what was run on it. */
  async function node(kind = world.kinds[0]!, options?: StoreBounds) {
    const ran: string[] = [];
    let gate: Gate | undefined;
    const run = async (name: string): Promise<string> => {
      ran.push(name);
      await gate?.opened;
      return `did ${name}`;
    };
    const callStore = await world.storeOf(kind, options);
    const server = createServer(contract, {
      callStore,
      authenticate: ({ token = 'ann' }: AuthenticateArgs) => ({ identity: token, context: undefined }),
      onError: (error) => void problems.push(error),
      handlers: {
        echo: ({ input }) => input,
        pay: ({ input }) => run(input),
        tag: async ({ input, fail }) => {
          const done = await run(input);
          return input === 'taken' ? fail('TAKEN', null) : done;
        },
        async *count({ input }) {
          for (let n = 1; n <= input; n++) yield n;
          await run('count');
        },
        room: { authorize: () => true, publish: ({ event }) => void run(event) },
      },
    });
    onTestFinished(() => server.close());
    const hold = (): Gate => (gate = new Gate());
    return { server, callStore, ran, hold };
  }

  type Node = Awaited<ReturnType<typeof node>>;

  /** Waits for what the server says. */
  async function until(peer: Peer, holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => (peer.onSend = () => queueMicrotask(resolve)));
  }

  async function hello({ server }: Node, client: string, n = 1, more: Record<string, unknown> = {}): Promise<Peer> {
    const peer = new Peer(server).hello(client, n, more);
    await until(peer, () => peer.welcome !== undefined);
    return peer;
  }

  async function answer(peer: Peer, id: number): Promise<any> {
    await until(peer, () => settled(peer, id).length > 0);
    return settled(peer, id)[0];
  }

  const settled = (peer: Peer, id: number) =>
    peer.received.filter(([name, of]) => ['reply', 'error', 'published', 'done'].includes(name) && of === id);
  const pay = (id: number, name = 'tea') => ['call', id, 'pay', null, name];
  /** The store is known to be there, or to be away. */
  function changed(connection: BrokerConnection, isUp: boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => connection.isUp === isUp && resolve();
      connection.onChange(look);
      look();
    });
  }

  /** Looks once a question to the store: it is what is being waited for, or goes on meanwhile. */
  async function eventually(holds: () => unknown): Promise<void> {
    while (!(await holds())) await world.ask();
  }

  /** Something is stored of a call. */
  async function stored(client: string, id: number, state: 'runs' | 'answered'): Promise<void> {
    await eventually(async () => (await world.stateOf(client, id)) === state);
  }

  test.each(world.kinds)(
    'with %s: an answer that was lost is given by another server, which runs nothing',
    async (kind) => {
      const [one, other] = [await node(kind), await node(kind)];
      const client = clientName();
      const first = await hello(one, client);
      first.write(pay(1));
      expect(await answer(first, 1)).toEqual(['reply', 1, 'did tea']);
      await stored(client, 1, 'answered');
      first.vanish();
      const second = await hello(other, client, 2);
      expect(second.welcome.memory).toBe(first.welcome.memory);
      second.write(pay(1), pay(2, 'cake'));
      expect(await answer(second, 1)).toEqual(['reply', 1, 'did tea']);
      expect(await answer(second, 2)).toEqual(['reply', 2, 'did cake']);
      expect([one.ran, other.ran]).toEqual([['tea'], ['cake']]);
    },
  );

  test.each(world.kinds)('with %s: what still runs on one server is answered on the other', async (kind) => {
    const [one, other] = [await node(kind), await node(kind)];
    const client = clientName();
    const gate = one.hold();
    const first = await hello(one, client);
    first.write(pay(1));
    await stored(client, 1, 'runs');
    first.vanish();
    const second = await hello(other, client, 2);
    // It waits for none that has begun elsewhere.
    second.write(pay(1), pay(2, 'cake'));
    expect(await answer(second, 2)).toEqual(['reply', 2, 'did cake']);
    expect(settled(second, 1)).toEqual([]);
    gate.open();
    expect(await answer(second, 1)).toEqual(['reply', 1, 'did tea']);
    expect([one.ran, other.ran]).toEqual([['tea'], ['cake']]);
  });

  test('what a dead server ran is of unknown outcome, for all and for ever, whatever comes of it later', async () => {
    const [one, other] = [await node(), await node()];
    const client = clientName();
    const gate = one.hold();
    const first = await hello(one, client);
    first.write(pay(1));
    await stored(client, 1, 'runs');
    first.vanish();
    await world.kill();
    const second = await hello(other, client, 2);
    second.write(pay(1));
    expect(await answer(second, 1)).toMatchObject(['error', 1, { code: 'UNKNOWN_OUTCOME' }]);
    gate.open();
    second.vanish();
    const third = await hello(await node(), client, 3);
    third.write(pay(1));
    expect(await answer(third, 1)).toMatchObject(['error', 1, { code: 'UNKNOWN_OUTCOME' }]);
    expect([one.ran, other.ran]).toEqual([['tea'], []]);
  });

  test('a server that dies while another waits for its answer is found out', async () => {
    const [one, other] = [await node(), await node()];
    const client = clientName();
    one.hold();
    const first = await hello(one, client);
    first.write(pay(1));
    await stored(client, 1, 'runs');
    const second = await hello(other, client, 2);
    second.write(pay(1));
    await eventually(() => world.isAwaited(client));
    await world.kill();
    await world.tell(client);
    expect(await answer(second, 1)).toMatchObject(['error', 1, { code: 'UNKNOWN_OUTCOME' }]);
  });

  test('what is declared idempotent is run again where the server that ran it is dead', async () => {
    const [one, other] = [await node(), await node()];
    const client = clientName();
    one.hold();
    const first = await hello(one, client);
    first.write(['call', 1, 'tag', null, 'x']);
    await stored(client, 1, 'runs');
    await world.kill();
    const second = await hello(other, client, 2);
    second.write(['call', 1, 'tag', null, 'x']);
    expect(await answer(second, 1)).toEqual(['reply', 1, 'did x']);
    expect([one.ran, other.ran]).toEqual([['x'], ['x']]);
  });

  test('an error of what is run again says nothing of the run before: it is told as unknown', async () => {
    const [one, other] = [await node(), await node()];
    const client = clientName();
    one.hold();
    const first = await hello(one, client);
    first.write(['call', 1, 'tag', null, 'taken']);
    await stored(client, 1, 'runs');
    await world.kill();
    const second = await hello(other, client, 2);
    second.write(['call', 1, 'tag', null, 'taken'], ['call', 2, 'tag', null, 'taken']);
    expect(await answer(second, 1)).toMatchObject(['error', 1, { code: 'UNKNOWN_OUTCOME' }]);
    expect((await answer(second, 2))[2]).toMatchObject({ code: 'TAKEN' });
  });

  test('a publish takes effect once, and a stream is on its server alone', async () => {
    const [one, other] = [await node(), await node()];
    const client = clientName();
    const first = await hello(one, client);
    first.write(['publish', 1, 'rooms/a', 'hi'], ['open', 2, 'count', null, 0, 9, 2]);
    const published = await answer(first, 1);
    await answer(first, 2);
    await stored(client, 1, 'answered');
    await stored(client, 2, 'answered');
    const second = await hello(other, client, 2);
    second.write(['publish', 1, 'rooms/a', 'hi'], ['open', 2, 'count', null, 0, 9, 2]);
    expect(await answer(second, 1)).toEqual(published);
    expect(await answer(second, 2)).toMatchObject(['error', 2, { code: 'UNKNOWN_OUTCOME' }]);
    expect([one.ran, other.ran]).toEqual([['hi', 'count'], []]);
  });

  test('calls begin in the order in which they came, though each is claimed first', async () => {
    const one = await node();
    const peer = await hello(one, clientName());
    const names = Array.from({ length: 60 }, (_, index) => `${index + 1}`);
    peer.write(
      ...names.map((name, index) => (index % 3 === 1 ? ['publish', index + 1, 'rooms/a', name] : pay(index + 1, name))),
    );
    await until(peer, () => names.every((_, index) => settled(peer, index + 1).length > 0));
    expect(one.ran).toEqual(names);
  });

  test('what the client has settled is forgotten, and not run when it comes once more', async () => {
    const [one, other] = [await node(), await node()];
    const client = clientName();
    const first = await hello(one, client);
    first.write(pay(1), pay(2), pay(3));
    await answer(first, 3);
    for (const id of [1, 2, 3]) await stored(client, id, 'answered');
    const bytes = await world.bytes(client);
    first.write(['floor', 1], ['floor', 2, 1]);
    const second = await hello(other, client, 2, { floor: [4, 2] });
    second.write(pay(1), pay(2));
    expect(await answer(second, 1)).toMatchObject(['error', 1, { code: 'UNKNOWN_OUTCOME' }]);
    expect(await answer(second, 2)).toEqual(['reply', 2, 'did tea']);
    expect(await world.ids(client)).toEqual([2]);
    expect((await world.bytes(client)) * 3).toBe(bytes);
    expect([one.ran.length, other.ran.length]).toEqual([3, 0]);
  });

  test('a store that may have lost writes gives all memories other names: nothing runs twice', async () => {
    const [one, other] = [await node(), await node()];
    const client = clientName();
    const first = await hello(one, client);
    await world.save();
    // It is run, and the store may lose that.
    first.write(pay(1));
    await answer(first, 1);
    await world.restart();
    await Promise.all([one, other].map(({ callStore }) => callStore.connection!.ready()));
    expect(await world.memoryOf(client)).toBe(first.welcome.memory);
    // Who stayed connected is told when it acts, and what it asked for is not done.
    first.write(pay(2));
    await eventually(() => first.closedWith !== undefined);
    expect(first.closedWith).toEqual({ code: 4000, reason: 'what was remembered of calls is lost' });
    const second = await hello(other, client, 2);
    expect(second.welcome.memory).not.toBe(first.welcome.memory);
    second.write(pay(3));
    await answer(second, 3);
    expect([one.ran, other.ran.length]).toEqual([['tea'], 1]);
  });

  test('while the store is away: what acts is refused and not done later, queries are answered, and others are let in', async () => {
    const one = await node(world.kinds[0], { timeoutMs: 1_000 });
    const [client, newcomer] = [clientName(), clientName()];
    const peer = await hello(one, client);
    await world.freeze();
    onTestFinished(() => world.thaw());
    peer.write(pay(1), ['call', 2, 'echo', null, 'x']);
    expect(await answer(peer, 2)).toEqual(['reply', 2, 'x']);
    expect(await answer(peer, 1)).toMatchObject(['error', 1, { code: 'UNKNOWN_OUTCOME' }]);
    expect(problems.splice(0)).toMatchObject([{ code: 'TIMEOUT' }]);
    await changed(one.callStore.connection!, false);
    const other = await hello(one, newcomer);
    other.write(pay(1, 'cake'));
    expect(await answer(other, 1)).toEqual(['reply', 1, 'did cake']);
    world.thaw();
    await changed(one.callStore.connection!, true);
    await eventually(async () => [undefined, 'free'].includes(await world.stateOf(client, 1)));
    expect(one.ran).toEqual(['cake']);
    // The name that it was let in with is its server's alone.
    expect((await hello(one, newcomer, 2)).welcome.memory).not.toBe(other.welcome.memory);
  });

  test('one that is cancelled before it is claimed is not run, and others learn how it ended', async () => {
    const [one, other] = [await node(), await node()];
    const client = clientName();
    const first = await hello(one, client);
    first.write(pay(1), ['cancel', 1]);
    await stored(client, 1, 'answered');
    const second = await hello(other, client, 2);
    second.write(pay(1));
    expect(await answer(second, 1)).toMatchObject(['error', 1, { code: 'ABORTED' }]);
    expect([one.ran, other.ran]).toEqual([[], []]);
  });

  test('a memory is its identity’s alone, and its newest socket’s', async () => {
    const [one, other] = [await node(), await node()];
    const client = clientName();
    await hello(one, client, 5);
    const refused = async (n: number, token: string): Promise<number | undefined> => {
      const peer = new Peer(other.server).hello(client, n, { token });
      await eventually(() => peer.closedWith !== undefined);
      return peer.closedWith?.code;
    };
    expect(await refused(6, 'bob')).toBe(4410);
    expect(await refused(5, 'ann')).toBe(4409);
  });

  test('who says that it will not come back is forgotten, who is lost is kept for a while, who is elsewhere for long', async () => {
    const [one, other] = [await node(), await node()];
    const [gone, lost, moved, elsewhere] = [clientName(), clientName(), clientName(), clientName()];
    const peers = await Promise.all([gone, lost, moved, elsewhere].map((client) => hello(one, client)));
    for (const client of [moved, elsewhere]) await hello(other, client, 2);
    for (const [index, code] of [1000, 1006, 1000, 1006].entries()) peers[index]!.vanish(code);
    await eventually(async () => (await world.memoryOf(gone)) === undefined);
    await eventually(async () => (await world.leftMs(lost)) <= 120_000);
    expect(await world.leftMs(lost)).toBeGreaterThan(0);
    for (const client of [moved, elsewhere]) expect(await world.leftMs(client)).toBeGreaterThan(3_600_000);
  });

  test('what a client has settled is claimed by nobody, however late a server is with it', async () => {
    const [store, late] = [await world.storeOf(world.kinds[0]!), await world.storeOf(world.kinds.at(-1)!)];
    const client = clientName();
    const opened = await store.open({ client, identity: 'ann', n: 1 });
    const memory = opened.refused === undefined ? opened.memory : '';
    const request = (id: number) => ({ client, memory, id, key: 'call pay', idempotent: false });
    const kinds = async (...ids: number[]): Promise<string[]> =>
      Promise.all(ids.map(async (id) => (await late.claim(request(id))).kind));
    const claim = await store.claim(request(5));
    await store.answer({ ...request(5), token: claim.kind === 'new' ? claim.token : '', message: '["reply",5]' });
    await store.floor({ client, memory }, 8, [3, 4, 6]);
    expect(await kinds(2, 4, 5, 7, 8)).toEqual(['unknown', 'new', 'unknown', 'unknown', 'new']);
    // One that is older than what is known, and one that takes nothing back.
    await store.floor({ client, memory }, 6, [5]);
    expect(await kinds(5, 3)).toEqual(['unknown', 'new']);
    await store.floor({ client, memory }, 8, [2, 4]);
    expect(await kinds(2, 3, 4, 6)).toEqual(['unknown', 'unknown', 'running', 'unknown']);
  });

  test('answers are bounded by number and by bytes: the oldest go first, and never run again', async () => {
    const store = await world.storeOf(world.kinds[0]!, { answers: 3, answerBytes: 1000 });
    const client = clientName();
    const opened = await store.open({ client, identity: 'ann', n: 1 });
    const memory = opened.refused === undefined ? opened.memory : '';
    const request = (id: number) => ({ client, memory, id, key: 'mutation pay', idempotent: false });
    const done = async (id: number, message: string): Promise<void> => {
      const claim = await store.claim(request(id));
      const token = claim.kind === 'new' ? claim.token : '';
      await store.answer({ ...request(id), token, message });
    };
    const running = await store.claim(request(1));
    for (const id of [2, 3, 4]) await done(id, `${id}`);
    const kinds = async (...ids: number[]): Promise<string[]> =>
      Promise.all(ids.map(async (id) => (await store.claim(request(id))).kind));
    expect(running.kind).toBe('new');
    expect(await kinds(1, 2, 3, 4)).toEqual(['running', 'unknown', 'answered', 'answered']);
    await done(5, 'x'.repeat(975));
    expect(await kinds(1, 2, 3, 4, 5)).toEqual(['running', 'unknown', 'unknown', 'unknown', 'answered']);
    expect((await store.claim({ ...request(5), key: 'mutation tag' })).kind).toBe('other');
    expect((await store.claim({ ...request(9), memory: 'another' })).kind).toBe('gone');
  });

  test('a store that is closed leaves nothing behind, and what it had claimed is unknown at once', async () => {
    const one = await node();
    const client = clientName();
    one.hold();
    const peer = await hello(one, client);
    peer.write(pay(1));
    await stored(client, 1, 'runs');
    await one.callStore.close();
    expect(await world.leases()).toBe(0);
    const second = await hello(await node(), client, 2);
    second.write(pay(1));
    expect(await answer(second, 1)).toMatchObject(['error', 1, { code: 'UNKNOWN_OUTCOME' }]);
  });
}

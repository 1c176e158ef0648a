import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { defineContract } from '../../src/contract/contract.ts';
import { mutation } from '../../src/contract/procedure.ts';
import { createServer } from '../../src/server/index.ts';
import type { CallStore, Claim, Opened } from '../../src/server/index.ts';
import { start } from './fixture.ts';
import { events, join, settle } from './joining.ts';
import { clientName, Gate, Peer } from './peer.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A store that says what the test has it say; else each call is new. */
function handStore(connection?: CallStore['connection']) {
  const claim = vi.fn<CallStore['claim']>(async ({ id }) => ({ kind: 'new', token: `${id}` }));
  const watched = new Set<() => void>();
  const store = {
    open: vi.fn<CallStore['open']>(async () => ({ memory: 'memory-of-all-servers' })),
    claim,
    answer: vi.fn<CallStore['answer']>(async () => undefined),
    floor: vi.fn<CallStore['floor']>(async () => undefined),
    leave: vi.fn<CallStore['leave']>(async () => undefined),
    forget: vi.fn<CallStore['forget']>(async () => undefined),
    watch: (_: string, listener: () => void) => {
      watched.add(listener);
      return () => watched.delete(listener);
    },
    close: () => undefined,
    connection,
  };
  return { store, claim, watched };
}

const cancel = (id: number, input = `${id}`) => ['call', id, 'orders.cancel', null, input];
const publish = (id: number) => ['publish', id, 'rooms/1', { text: `${id}` }];

describe('calls that act', () => {
  test('are claimed all at once, and begin in their order whatever is answered first; queries are not claimed', async () => {
    const gates = [1, 2, 3].map(() => new Gate<Claim>());
    const { store, claim } = handStore();
    claim.mockImplementation(({ id }) => gates[id - 1]!.opened);
    const ran: string[] = [];
    const orders = { cancel: ({ input }: { input: string }) => void ran.push(input), place: () => ({ number: 1 }) };
    const { server } = start({ orders }, { callStore: store });
    const peer = await join(server, 'ann');
    peer.write(['subscribe', 1, 'rooms/1']);
    peer.write(cancel(1), cancel(2), publish(3), publish(0), ['call', 4, 'echo', null, 'x']);
    await settle();
    expect([claim.mock.calls.map(([{ id }]) => id), peer.answers(4)]).toEqual([[1, 2, 3], [['reply', 4, 'x']]]);
    for (const id of [3, 2]) gates[id - 1]!.open({ kind: 'new', token: '' });
    await settle();
    expect([ran, events(peer)]).toEqual([[], []]);
    gates[0]!.open({ kind: 'new', token: '' });
    await settle();
    expect([ran, events(peer)]).toEqual([
      ['1', '2'],
      ['3', '0'],
    ]);
    expect(store.answer.mock.calls.map(([{ id }]) => id)).toEqual([1, 2, 3]);
  });

  test('are refused where the store fails, and not done; the server’s onError hears why', async () => {
    const { store, claim } = handStore();
    claim.mockRejectedValueOnce(new Error('no disk'));
    const orders = { cancel: vi.fn(), place: () => ({ number: 1 }) };
    const { server, errors } = start({ orders }, { callStore: store });
    const peer = await join(server, 'ann');
    peer.write(cancel(1), cancel(2));
    await settle();
    const message = 'the server can not reach what remembers calls: it has not run this one, but another may have';
    expect(peer.answers(1)).toEqual([['error', 1, { code: 'UNKNOWN_OUTCOME', message }]]);
    expect(peer.answers(2)).toEqual([['reply', 2]]);
    expect(orders.cancel).toHaveBeenCalledTimes(1);
    expect(errors).toEqual([{ error: new Error('no disk'), info: { during: 'calls', path: 'orders.cancel' } }]);
  });

  test('that run elsewhere are asked for from time to time, until they are known or nobody wants them', async () => {
    const { store, claim, watched } = handStore();
    claim.mockResolvedValue({ kind: 'running' });
    const { server } = start({}, { callStore: store });
    const peer = await join(server, 'ann');
    peer.write(cancel(1), cancel(2));
    await vi.advanceTimersByTimeAsync(10_000);
    expect([claim.mock.calls.length, watched.size]).toEqual([12, 2]);
    peer.write(['cancel', 2]);
    claim.mockResolvedValue({ kind: 'answered', message: '["reply",1]' });
    await vi.advanceTimersByTimeAsync(2000);
    expect([peer.answers(1), peer.answers(2)[0]?.[2].code]).toEqual([[['reply', 1]], 'ABORTED']);
    await vi.advanceTimersByTimeAsync(10_000);
    expect([claim.mock.calls.length, watched.size]).toEqual([13, 0]);
    await server.close();
  });

  test('that come to be this server’s after nobody wants them are not run, and are answered all the same', async () => {
    const { store, claim } = handStore();
    const late = new Gate<Claim>();
    claim.mockResolvedValueOnce({ kind: 'running' }).mockReturnValueOnce(late.opened);
    const cancelOrder = vi.fn();
    const { server } = start({ orders: { cancel: cancelOrder, place: () => ({ number: 1 }) } }, { callStore: store });
    const peer = await join(server, 'ann');
    peer.write(cancel(1));
    await vi.advanceTimersByTimeAsync(2000);
    peer.write(['cancel', 1]);
    late.open({ kind: 'new', token: 't' });
    await settle();
    expect(store.answer.mock.calls.map(([{ id, token }]) => [id, token])).toEqual([[1, 't']]);
    expect(cancelOrder).not.toHaveBeenCalled();
  });

  test.each([
    ['pay', 'is refused when later ones have begun', [['2'], 'RATE_LIMITED']],
    ['put', 'which is idempotent, runs: it may have run before', [['2', '1'], undefined]],
  ])('given up by the server that had it, %s %s', async (path, _, [ran, code]) => {
    const { store, claim } = handStore();
    const started: unknown[] = [];
    const run = ({ input }: { input: string }): void => void started.push(input);
    const procedures = { pay: mutation({ input: z.string() }), put: mutation({ input: z.string(), idempotent: true }) };
    const server = createServer(defineContract(procedures), { handlers: { pay: run, put: run }, callStore: store });
    const peer = await join(server, 'ann');
    claim.mockResolvedValueOnce({ kind: 'running' });
    peer.write(['call', 1, path, null, '1'], ['call', 2, path, null, '2']);
    await settle();
    expect(started).toEqual(['2']);
    await vi.advanceTimersByTimeAsync(2000);
    expect([started, peer.answers(1)[0]?.[2]?.code]).toEqual([ran, code]);
    // Others that are asked for it say the same.
    expect(store.answer.mock.calls.map(([{ id }]) => id)).toEqual([2, 1]);
  });

  test('that end because their client is forgotten are told as unknown, so that nobody waits for them', async () => {
    const { store } = handStore();
    const { server } = start(
      { orders: { cancel: () => new Promise(() => undefined), place: () => ({ number: 1 }) } },
      {
        callStore: store,
        windowMs: 1000,
      },
    );
    const peer = await join(server, 'ann');
    peer.write(cancel(1));
    await settle();
    peer.vanish(1006);
    await vi.advanceTimersByTimeAsync(1001);
    expect(store.answer.mock.calls.map(([{ id, token, message }]) => [id, token, JSON.parse(message)])).toMatchObject([
      [1, '1', ['error', 1, { code: 'UNKNOWN_OUTCOME' }]],
    ]);
    expect(store.leave.mock.calls).toEqual([[{ client: peer.name, memory: 'memory-of-all-servers' }, 1, 1000]]);
    expect(store.forget).not.toHaveBeenCalled();
  });
});

describe('a client that says hello', () => {
  test('is welcomed with the name that the store gives, or one of the server’s own where it fails or is away', async () => {
    const { store } = handStore();
    store.open.mockResolvedValueOnce({ memory: 'm' }).mockRejectedValueOnce(new Error('no disk'));
    const { server, errors } = start({}, { callStore: store });
    const [first, second] = [await join(server, 'ann'), await join(server, 'ann')];
    expect(first.welcome.memory).toBe('m');
    expect(second.welcome.memory).not.toMatch(/^m/);
    expect(errors.map(({ info }) => info)).toEqual([{ during: 'calls' }]);
    const connection = { isUp: false, onChange: () => () => undefined, ready: async () => undefined };
    const away = handStore(connection);
    const third = await join(start({}, { callStore: away.store }).server, 'ann');
    third.write(cancel(1));
    await settle();
    expect([third.answers(1), away.store.open.mock.calls, away.claim.mock.calls]).toEqual([[['reply', 1]], [], []]);
  });

  test('finds another name where the store has one: what its server remembered is no more', async () => {
    const { store } = handStore();
    store.open.mockResolvedValueOnce({ memory: 'old' }).mockResolvedValueOnce({ memory: 'new' });
    const signals: AbortSignal[] = [];
    const orders = {
      cancel: ({ signal }: { signal: AbortSignal }) => new Promise<void>(() => void signals.push(signal)),
      place: () => ({ number: 1 }),
    };
    const { server } = start({ orders }, { callStore: store });
    const client = clientName();
    const first = await join(server, 'ann', client);
    first.write(cancel(1));
    await settle();
    const second = await join(server, 'ann', client, 2);
    expect([second.welcome.memory, signals[0]?.aborted]).toEqual(['new', true]);
    // Its present socket, where the welcome of the next never arrives: one after which it comes back.
    expect(first.closedWith?.code).toBe(4000);
  });

  test('is not let in when it was banned, or went away, while the store was asked', async () => {
    const { store } = handStore();
    let opened = new Gate<Opened>();
    store.open.mockImplementation(() => opened.opened);
    const { server } = start({}, { callStore: store });
    const [ann, bob] = [clientName(), clientName()];
    const peers = [ann, bob].map((client, index) =>
      new Peer(server).hello(client, 1, { token: ['ann', 'bob'][index] }),
    );
    await settle();
    server.disconnect('ann');
    peers[1]!.vanish();
    opened.open({ memory: 'm' });
    await settle();
    expect(peers.map(({ closedWith, welcome }) => [closedWith?.code, welcome])).toEqual([
      [4403, undefined],
      [undefined, undefined],
    ]);
    expect(store.leave.mock.calls.map(([{ client }]) => client)).toEqual([ann, bob]);
    opened = new Gate();
    const slow = new Peer(server).hello(clientName());
    await vi.advanceTimersByTimeAsync(10_000);
    expect(slow.closedWith?.code).toBe(4408);
  });

  test('tells the store what it has settled, and is forgotten there when it is disconnected', async () => {
    const { store } = handStore();
    const { server } = start({}, { callStore: store });
    const peer = await join(server, 'ann');
    peer.write(cancel(1), cancel(2), ['floor', 3, 1]);
    await settle();
    const name = { client: peer.name, memory: 'memory-of-all-servers' };
    expect(store.floor.mock.calls).toEqual([[name, 3, [1]]]);
    server.disconnect('ann');
    expect(store.forget.mock.calls).toEqual([[name, 1]]);
  });
});

test('a store that lacks a method is refused', () => {
  expect(() => start({}, { callStore: { open: async () => ({ memory: '' }) } as never })).toThrow(
    new TypeError('callStore has no method claim: give a CallStore, like redisCallStore(…), or leave it off'),
  );
});

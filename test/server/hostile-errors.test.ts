import { describe, expect, test } from 'vitest';
import { start } from './fixture.ts';
import { clientName, Peer, settle } from './peer.ts';

const nobody = (): never => {
  throw new Error('not to be looked at');
};

/** What an app may throw that does not let itself be looked at. */
const errors: readonly (readonly [what: string, make: () => unknown])[] = [
  [
    'a proxy that was revoked',
    () => {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      return proxy;
    },
  ],
  [
    'a proxy that answers nothing',
    () => new Proxy(new Error('x'), { get: nobody, has: nobody, getPrototypeOf: nobody, ownKeys: nobody }),
  ],
  [
    'an error whose properties throw',
    () =>
      Object.defineProperties(new Error('x'), {
        name: { get: nobody },
        message: { get: nobody },
        code: { get: nobody },
        stack: { get: nobody },
      }),
  ],
  ['an object without a prototype', () => Object.create(null) as unknown],
];

const INTERNAL = { code: 'INTERNAL', message: 'the server failed' };

describe.each(errors)('%s', (_, make) => {
  const ways = [() => Promise.reject(make()), () => { throw make(); }] as const; // prettier-ignore

  test.each(ways)('of a handler is reported, and answered as a failure', async (fail) => {
    const { server, errors: reported } = start({
      orders: { place: fail, cancel: () => undefined },
      echo: fail,
    });
    const peer = new Peer(server).hello(clientName());
    peer.write(['call', 1, 'echo', null, 'x'], ['call', 2, 'orders.place', null, { item: 'x' }]);
    peer.write(['call', 3, 'orders.cancel', null, 'x']);
    await settle();
    expect([1, 2, 3].map((id) => peer.answers(id)[0]?.[2])).toEqual([INTERNAL, INTERNAL, undefined]);
    expect(reported.map(({ info }) => info)).toEqual([
      { during: 'handler', path: 'echo' },
      { during: 'handler', path: 'orders.place' },
    ]);
  });

  test.each(ways)('of a stream ends it behind its items', async (fail) => {
    const { server, errors: reported } = start({
      async *count() {
        yield 1;
        await fail();
      },
    });
    const peer = new Peer(server).hello(clientName()).write(['open', 1, 'count', null, 0, 9, 3]);
    await settle();
    expect(peer.answers(1)[0]?.[2]).toEqual(INTERNAL);
    expect(reported.map(({ info }) => info.during)).toEqual(['handler']);
  });

  test.each(ways)('of an interceptor is a failure', async (fail) => {
    const { server, errors: reported } = start({}, { intercept: fail });
    const peer = new Peer(server).hello(clientName()).write(['call', 1, 'echo', null, 'x']);
    await settle();
    expect(peer.answers(1)[0]?.[2]).toEqual(INTERNAL);
    expect(reported).toHaveLength(1);
  });

  test.each(ways)('of authorize, of a snapshot and of a publish handler is a failure', async (fail) => {
    const { server, errors: reported } = start({
      room: { authorize: fail, publish: () => undefined },
      board: { authorize: () => true, snapshot: fail },
    });
    const peer = new Peer(server).hello(clientName());
    peer.write(['subscribe', 1, 'rooms/1'], ['subscribe', 2, 'boards/1'], ['publish', 3, 'rooms/1', { text: 'x' }]);
    await settle();
    expect(peer.all('unsubscribed').map(([, n, , { code }]) => [n, code]).sort()).toEqual([
      [1, 'INTERNAL'],
      [2, 'INTERNAL'],
    ]); // prettier-ignore
    expect(peer.answers(3)[0]?.[2].code).toBe('INTERNAL');
    expect(reported.map(({ info }) => info.during).sort()).toEqual(['authorize', 'publish', 'snapshot']);
  });

  test.each(ways)('of authenticate closes with 1011', async (fail) => {
    const { server, errors: reported } = start({}, { authenticate: fail });
    const peer = new Peer(server).hello(clientName());
    await settle();
    expect(peer.closedWith?.code).toBe(1011);
    expect(reported.map(({ info }) => info.during)).toEqual(['authenticate']);
  });
});

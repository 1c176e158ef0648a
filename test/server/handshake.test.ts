import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { TautlineError } from '../../src/errors.ts';
import { refuse } from '../../src/server/index.ts';
import { start } from './fixture.ts';
import { clientName, Gate, Peer, settle } from './peer.ts';

const anyone = { user: 'ann' };

describe('the handshake', () => {
  test('welcomes a hello with the memory, the identity and the limits', async () => {
    const { server } = start();
    const peer = new Peer(server).hello(clientName());
    await settle();
    expect(peer.received).toHaveLength(1);
    expect(peer.welcome).toEqual({
      memory: expect.stringMatching(/^[0-9a-f]{32}$/),
      identity: expect.any(String),
      windowMs: 120_000,
      heartbeatMs: 25_000,
      spreadMs: 3,
      limits: {
        frameBytes: 1_048_576,
        partBytes: 16_384,
        messageBytes: 16_777_216,
        calls: 1024,
        streams: 16,
        items: 256,
        subscriptions: 1000,
      },
      codec: 'json',
    });
  });

  test('names an identity the same on every server, and not by itself', async () => {
    const identityOf = async (token: string): Promise<string> => {
      const peer = new Peer(start().server).hello(clientName(), 1, { token });
      await settle();
      return peer.welcome.identity;
    };
    expect(await identityOf('ann')).toBe(await identityOf('ann'));
    expect(await identityOf('ann')).not.toBe(await identityOf('bob'));
    expect(await identityOf('ann')).not.toContain('ann');
  });

  test('closes with 4400 when the first message is not hello, and at a second hello', async () => {
    const { server } = start();
    const rude = new Peer(server).write(['ping', 1]);
    expect(rude.closedWith).toEqual({ code: 4400, reason: 'the first message must be hello' });
    const twice = new Peer(server).hello(clientName());
    await settle();
    twice.hello(clientName(), 2);
    expect(twice.closedWith?.code).toBe(4400);
  });

  test('closes with 4400 at a malformed hello, at garbage, and with 1003 at binary', async () => {
    const { server } = start();
    expect(new Peer(server).write(['hello', { client: 'short', n: 1, floor: [1] }]).closedWith?.code).toBe(4400);
    expect(new Peer(server).writeText('{"not":"a frame"}').closedWith?.code).toBe(4400);
    const peer = new Peer(server).hello(clientName());
    peer.writeBinary();
    expect(peer.closedWith?.code).toBe(1003);
  });

  test('answers what came before a fault in the same frame, then closes with 4400', async () => {
    const { server } = start();
    const peer = new Peer(server).hello(clientName());
    await settle();
    peer.writeText('[["call",1,"echo",null,"hi"],"rubbish"]');
    expect(peer.answers(1)).toEqual([['reply', 1, 'hi']]);
    expect(peer.closedWith?.code).toBe(4400);
  });

  test('holds what follows hello, in order, until the token is verified', async () => {
    const gate = new Gate<{ identity: string; context: { user: string } }>();
    const { server } = start({}, { authenticate: () => gate.opened });
    const peer = new Peer(server);
    peer.write(['hello', { client: clientName(), n: 1, floor: [1] }], ['call', 1, 'echo', null, 'a']);
    peer.write(['call', 2, 'echo', null, 'b'], ['ping', 7]);
    await settle();
    expect(peer.received).toEqual([]);
    gate.open({ identity: 'ann', context: anyone });
    await settle();
    expect(peer.received.map(([name]) => name)).toEqual(['welcome', 'reply', 'reply', 'pong']);
    expect(peer.received.slice(1, 3)).toEqual([
      ['reply', 1, 'a'],
      ['reply', 2, 'b'],
    ]);
  });

  test.each([
    ['a frame of more than 16 KiB', (peer: Peer) => peer.write(['subscribe', 1, 'x', null, 'y'.repeat(16 * 1024)])],
    ['more bytes than 16 KiB in fewer characters', (peer: Peer) => peer.write(['ping', 1, 'ü'.repeat(8 * 1024)])],
    ['more than 64 KiB', (peer: Peer) => [1, 2, 3, 4, 5].forEach(() => peer.write(['ping', 1, 'y'.repeat(14_000)]))],
    ['a ninth call', (peer: Peer) => [1, 2, 3, 4, 5, 6, 7, 8, 9].forEach((id) => peer.write(['call', id, 'echo']))],
  ])('closes with 4429 at %s before welcome', async (_, write) => {
    const { server } = start({}, { authenticate: () => new Gate<never>().opened });
    const peer = new Peer(server).hello(clientName());
    write(peer);
    expect(peer.closedWith?.code).toBe(4429);
  });

  test('closes with 4429 when the hello itself is above 16 KiB', () => {
    const peer = new Peer(start().server).hello(clientName(), 1, { token: 'x'.repeat(16 * 1024) });
    expect(peer.closedWith?.code).toBe(4429);
  });

  const says = (code: string, message: string, retryAfterMs?: number): TautlineError =>
    new TautlineError(code, message, { outcome: 'rejected', retryAfterMs });
  const refusals: readonly (readonly [what: string, error: unknown, code: number, reason: string])[] = [
    ['a refusal', says('UNAUTHENTICATED', 'expired'), 4401, 'UNAUTHENTICATED: expired'],
    ['a refusal for good', says('FORBIDDEN', 'banned'), 4403, 'FORBIDDEN: banned'],
    ['a refusal of a code of the app’s', says('UNPAID', 'pay first'), 4401, 'UNPAID: pay first'],
    ['a refusal until later', says('RATE_LIMITED', 'too often', 7_000), 1013, 'retry-after=7000'],
    ['what a database throws', new Error('db at 10.0.0.7'), 1011, 'the server failed'],
    ['a call of the app’s that took too long', says('TIMEOUT', 'users at 10.0.0.7'), 1011, 'the server failed'],
    ['nothing', undefined, 1011, 'the server failed'],
  ];

  test.each(refusals)('that is thrown, %s, is told as what it is', async (_what, error, code, reason) => {
    const { server, errors } = start({}, { authenticate: () => Promise.reject(error) });
    const peer = new Peer(server).hello(clientName());
    await settle();
    expect(peer.received).toEqual([]);
    expect(peer.closedWith).toEqual({ code, reason });
    expect(errors).toEqual(code === 1011 ? [{ error, info: { during: 'authenticate' } }] : []);
  });

  test.each([
    [undefined, undefined, 4401, 'UNAUTHENTICATED: the credentials were refused'],
    ['you are banned', 'FORBIDDEN', 4403, 'FORBIDDEN: you are banned'],
  ] as const)('is refused by refuse(%j, %j)', async (message, forGood, code, reason) => {
    const { server } = start({}, { authenticate: async () => refuse(message, forGood) });
    const peer = new Peer(server).hello(clientName());
    await settle();
    expect(peer.closedWith).toEqual({ code, reason });
  });

  test('gives authenticate the token and the request, and its signal aborts when the socket goes', async () => {
    const authenticate = vi.fn((_: { signal: AbortSignal }) => new Gate<never>().opened);
    const { server } = start({}, { authenticate });
    const peer = new Peer(server, { url: '/ws?x', headers: { cookie: 'a=b' } }).hello(clientName(), 1, {
      token: 'tok',
    });
    const given = authenticate.mock.calls[0]?.[0];
    expect(given).toMatchObject({ token: 'tok', request: { url: '/ws?x', headers: { cookie: 'a=b' } } });
    expect(given?.signal.aborted).toBe(false);
    peer.vanish();
    expect(given?.signal.aborted).toBe(true);
  });

  test('a socket that goes while its token is verified attaches to nothing', async () => {
    const gate = new Gate<{ identity: string; context: { user: string } }>();
    const { server } = start({}, { authenticate: () => gate.opened });
    const peer = new Peer(server).hello(clientName());
    peer.vanish();
    gate.open({ identity: 'ann', context: anyone });
    await settle();
    expect(server.stats()).toMatchObject({ peers: 0, clients: 0 });
  });

  test('an authenticate that gives no identity lets nobody in', async () => {
    const { server, errors } = start({}, { authenticate: () => ({}) as never });
    const peer = new Peer(server).hello(clientName());
    await settle();
    expect(peer.closedWith?.code).toBe(1011);
    expect(errors[0]?.info.during).toBe('authenticate');
  });
});

describe('time', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('a socket that says no hello is closed with 4408 after 10 s', () => {
    const peer = new Peer(start().server);
    vi.advanceTimersByTime(9_999);
    expect(peer.closedWith).toBeUndefined();
    vi.advanceTimersByTime(1);
    expect(peer.closedWith?.code).toBe(4408);
  });

  test('an authenticate that never answers is given up after 10 s', () => {
    const peer = new Peer(start({}, { authenticate: () => new Gate<never>().opened }).server).hello(clientName());
    vi.advanceTimersByTime(10_000);
    expect(peer.closedWith?.code).toBe(4408);
  });

  test('a silent peer is pinged after the interval, and closed with 4408 when it answers nothing', async () => {
    const peer = new Peer(start().server).hello(clientName());
    await vi.advanceTimersByTimeAsync(25_000);
    expect(peer.all('ping')).toEqual([['ping', 1, 3]]);
    await vi.advanceTimersByTimeAsync(9_999);
    expect(peer.closedWith).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(peer.closedWith?.code).toBe(4408);
  });

  test('a silent peer whose line still takes something on is waited for; as soon as it does not, it is closed', async () => {
    const peer = new Peer(start().server).hello(clientName());
    peer.bufferedAmount = 500_000;
    await vi.advanceTimersByTimeAsync(25_000);
    expect(peer.all('ping')).toHaveLength(1);
    // 8 kB/s: less than the slowest line that is waited for at first.
    for (let second = 0; second < 60; second++) {
      peer.bufferedAmount -= 8_000;
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(peer.closedWith).toBeUndefined();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(peer.closedWith?.code).toBe(4408);
  });

  test('a silent peer behind one large frame has the time that this takes, and no more', async () => {
    const peer = new Peer(start().server).hello(clientName());
    // Node passes a frame on as a whole: its bytes don't fall before it is gone.
    peer.bufferedAmount = 1_000_000;
    await vi.advanceTimersByTimeAsync(25_000 + 29_999);
    expect(peer.closedWith).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(peer.closedWith?.code).toBe(4408);
  });

  test('a silent peer of whose message more and more comes is waited for; as soon as nothing comes, it is closed', async () => {
    const peer = new Peer(start().server);
    peer.bytesRead = 0;
    peer.hello(clientName());
    await vi.advanceTimersByTimeAsync(25_000);
    expect(peer.all('ping')).toHaveLength(1);
    for (let second = 0; second < 60; second++) {
      peer.bytesRead += 20_000;
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(peer.closedWith).toBeUndefined();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(peer.closedWith?.code).toBe(4408);
  });

  test('bytes that came before the ping, or that the system took at once, are no answer to it', async () => {
    const { server } = start();
    const peer = new Peer(server);
    peer.bytesRead = 0;
    peer.bytesTaken = 0;
    peer.hello(clientName()).write(['subscribe', 1, 'rooms/1']);
    peer.onSend = (frame) => (peer.bytesTaken! += frame.length);
    for (let second = 0; second < 35; second++) {
      if (second < 24) peer.bytesRead += 100;
      await server.topic('room', { roomId: '1' }).publish({ text: 'tick' });
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(peer.closedWith?.code).toBe(4408);
  });

  test('a peer that is spoken to all the time is pinged all the same when nothing is heard of it', async () => {
    const { server } = start();
    const peer = new Peer(server).hello(clientName()).write(['subscribe', 1, 'rooms/1']);
    for (let second = 0; second < 40; second++) {
      await vi.advanceTimersByTimeAsync(1000);
      await server.topic('room', { roomId: '1' }).publish({ text: 'tick' });
    }
    expect(peer.all('ping')).toHaveLength(1);
    expect(peer.closedWith?.code).toBe(4408);
  });

  test('a peer that talks but hears nothing is pinged, and any frame of it is life', async () => {
    const { server } = start();
    const peer = new Peer(server).hello(clientName());
    for (let second = 0; second < 90; second++) {
      peer.write(['pong', 0]);
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(peer.all('ping')).toHaveLength(3);
    expect(peer.closedWith).toBeUndefined();
  });

  test('leaves no timer behind when it is closed', async () => {
    const { server } = start();
    new Peer(server).hello(clientName());
    new Peer(server);
    const gone = new Peer(server).hello(clientName());
    gone.vanish();
    expect(vi.getTimerCount()).toBeGreaterThan(0);
    await server.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});

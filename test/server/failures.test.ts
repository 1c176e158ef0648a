import { describe, expect, test, vi } from 'vitest';
import { TautlineError } from '../../src/errors.ts';
import { refuse } from '../../src/server/index.ts';
import { start } from './fixture.ts';
import { clientName, Peer, settle } from './peer.ts';

describe('a failure of the app’s is no verdict', () => {
  const failures: readonly (readonly [what: string, fail: () => never])[] = [
    [
      'what a database throws',
      () => {
        throw new Error('secret');
      },
    ],
    [
      'a call that took too long',
      () => {
        throw new TautlineError('TIMEOUT', 'secret', { outcome: 'unknown' });
      },
    ],
    ['no credentials at all', () => undefined as never],
  ];

  test.each(failures)('new credentials: %s is told as such, and the old ones stay', async (_what, fail) => {
    const authenticate = ({ token = 'ann' }) =>
      token === 'new' ? fail() : { identity: token, context: { user: token } };
    const { server, errors } = start({}, { authenticate });
    const peer = new Peer(server).hello(clientName()).write(['auth', 1, 'new'], ['call', 2, 'echo', null, 'x']);
    await settle();
    expect(peer.answers(1)[0]?.[2]).toEqual({ code: 'INTERNAL', message: 'the server failed' });
    expect(peer.answers(2)).toEqual([['reply', 2, 'x']]);
    expect(errors).toEqual([{ error: expect.anything(), info: { during: 'authenticate' } }]);
    expect(peer.closedWith).toBeUndefined();
  });

  test('new credentials: that authenticate hangs is told as such after a while, and the next ones are verified', async () => {
    vi.useFakeTimers();
    const authenticate = ({ token = 'ann' }) =>
      token === 'new' ? new Promise<never>(() => undefined) : { identity: 'ann', context: { user: token } };
    const { server, errors } = start({}, { authenticate });
    const peer = new Peer(server).hello(clientName());
    await vi.advanceTimersByTimeAsync(0);
    peer.write(['auth', 1, 'new'], ['auth', 2, 'newer']);
    await vi.advanceTimersByTimeAsync(29_999);
    expect(peer.answers(1)).toEqual([]);
    peer.write(['ping', 1]);
    await vi.advanceTimersByTimeAsync(2);
    expect(peer.answers(1)[0]?.[2]).toMatchObject({ code: 'INTERNAL' });
    expect(peer.answers(2)).toEqual([['reply', 2]]);
    expect(errors.map(({ error }) => error.message)).toEqual(['authenticate took longer than 30000 ms']);
    await server.close();
    vi.useRealTimers();
  });

  test('authorize may say with which code it refuses, and its failures stay in the server', async () => {
    const authorize = ({ params }: { params: { roomId: string } }): boolean => {
      if (params.roomId === '1') refuse('log in first');
      throw new TautlineError('INTERNAL', 'secret', { outcome: 'unknown' });
    };
    const { server, errors } = start({ room: { authorize, publish: () => undefined } });
    const peer = new Peer(server).hello(clientName());
    peer.write(['subscribe', 1, 'rooms/1'], ['subscribe', 2, 'rooms/2']);
    peer.write(['publish', 3, 'rooms/1', { text: 'x' }], ['publish', 4, 'rooms/2', { text: 'x' }]);
    await settle();
    expect(peer.all('unsubscribed').map(([, n, , { code }]) => [n, code])).toEqual([
      [1, 'UNAUTHENTICATED'],
      [2, 'INTERNAL'],
    ]);
    expect([3, 4].map((id) => peer.answers(id)[0]?.[2].code)).toEqual(['UNAUTHENTICATED', 'INTERNAL']);
    expect(JSON.stringify(peer.received)).not.toContain('secret');
    expect(errors).toHaveLength(2);
  });
});

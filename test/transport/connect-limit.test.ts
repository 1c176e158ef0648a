import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { AuthRequest, UrlRequest } from '../../src/transport/transport-options.ts';
import { harness } from './transport-harness.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

const never = () => new Promise<never>(() => {});

describe('limit of an attempt', () => {
  test('a server that never answers the upgrade is given up after 10 s', async () => {
    const { dial, transport, words } = harness();
    const socket = await dial();
    await vi.advanceTimersByTimeAsync(9_999);
    expect(transport.status.state).toBe('connecting');
    await vi.advanceTimersByTimeAsync(1);
    expect(transport.status).toMatchObject({ state: 'waiting', cause: { code: 4408, opened: false, by: 'timeout' } });
    expect(socket.closedWith?.code).toBe(4408);
    expect(words()).toEqual(['connecting', 'waiting']);
  });

  test('a server that accepts and never welcomes is given up too, and the link is lost', async () => {
    const { dial, words } = harness({ connectTimeoutMs: 3_000 });
    (await dial()).open();
    await vi.advanceTimersByTimeAsync(3_000);
    expect(words()).toEqual(['connecting', 'opened', 'lost 4408', 'waiting']);
  });

  test('the limit counts from asking for the URL, not from the socket', async () => {
    const url = () => new Promise<string>((resolve) => setTimeout(resolve, 6_000, 'ws://server.test'));
    const { transport, fake } = harness({ url });
    transport.connect();
    await vi.advanceTimersByTimeAsync(9_999);
    expect(fake.live()).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(transport.status).toMatchObject({ state: 'waiting', cause: { by: 'timeout' } });
  });

  test.each(['url', 'auth'])('%s that hangs is a failed attempt, and its signal aborts', async (option) => {
    let signal: AbortSignal | undefined;
    const provider = (request: { signal: AbortSignal }) => {
      signal = request.signal;
      return never();
    };
    const { transport, fake } = harness({ [option]: provider });
    transport.connect();
    await vi.advanceTimersByTimeAsync(9_999);
    expect(signal?.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(transport.status).toMatchObject({ state: 'waiting', cause: { by: 'provider' } });
    expect(signal?.aborted).toBe(true);
    expect(fake.made).toEqual([]);
  });

  test('what a provider gives after its attempt was given up makes no socket', async () => {
    let give = (_url: string) => {};
    const url = () => new Promise<string>((resolve) => (give = resolve));
    const { transport, fake, settle } = harness({ url });
    transport.connect();
    transport.close();
    give('ws://server.test');
    await settle();
    expect(fake.made).toEqual([]);
  });
});

describe('what the app gives', () => {
  test('URL and credentials are asked for at the same time', async () => {
    const auth = vi.fn(never);
    const { transport, settle } = harness({ url: never, auth });
    transport.connect();
    await settle();
    expect(auth).toHaveBeenCalledTimes(1);
  });

  test('nobody is asked when the attempt ended as it was told', () => {
    const url = vi.fn(never);
    const { transport } = harness({ url }, (_, transport) => transport.close());
    transport.connect();
    expect(url).not.toHaveBeenCalled();
  });

  test('a provider that rejects because it was aborted changes nothing any more', async () => {
    const url = ({ signal }: UrlRequest) =>
      new Promise<string>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    const { transport, words, settle } = harness({ url });
    transport.connect();
    transport.suspend('hidden');
    await settle();
    expect(words()).toEqual(['connecting', 'suspended']);
  });

  const error = new TypeError('Failed to fetch');
  test.each([
    [
      'url throws',
      'url',
      () => {
        throw error;
      },
    ],
    ['url rejects', 'url', () => Promise.reject(error)],
    [
      'auth throws',
      'auth',
      () => {
        throw error;
      },
    ],
    ['auth rejects', 'auth', () => Promise.reject(error)],
  ] as const)('%s: a failed attempt like any other', async (_, option, provider) => {
    const { transport, settle, told } = harness({ [option]: provider });
    transport.connect();
    await settle();
    expect(transport.status).toMatchObject({ state: 'waiting', cause: { code: 1006, by: 'provider', error } });
    await vi.advanceTimersByTimeAsync(100);
    expect(told).toContainEqual(['status', { state: 'connecting', attempt: 2 }]);
  });

  test('both rejecting leaves no rejection unhandled', async () => {
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    try {
      const reject = () => Promise.reject(error);
      const { transport, settle } = harness({ url: reject, auth: reject });
      transport.connect();
      await settle();
      vi.useRealTimers();
      await new Promise(setImmediate);
    } finally {
      process.off('unhandledRejection', unhandled);
    }
    expect(unhandled).not.toHaveBeenCalled();
  });

  test('a token that is no string is a failed attempt', async () => {
    const { transport, settle } = harness({ auth: () => null as never });
    transport.connect();
    await settle();
    expect(transport.status).toMatchObject({ state: 'waiting', cause: { by: 'provider' } });
  });

  test('a URL function is asked for every attempt and told its number', async () => {
    const url = vi.fn(({ attempt }: UrlRequest) => `wss://host${attempt}.test/`);
    const { dial, fake } = harness({ url });
    (await dial()).end(1006);
    await vi.advanceTimersByTimeAsync(100);
    expect(fake.made.map((socket) => socket.url)).toEqual(['wss://host1.test/', 'wss://host2.test/']);
  });

  test('the token goes to the greeting of the attempt it was asked for', async () => {
    let n = 0;
    const { dial, fake, told } = harness({ auth: async () => `token ${++n}` });
    (await dial()).end(1006);
    await vi.advanceTimersByTimeAsync(100);
    fake.last().open();
    expect(told.at(-1)).toEqual(['opened', 'token 2']);
  });
});

describe('refused credentials', () => {
  const asking = () => {
    const auth = vi.fn(({ reason }: AuthRequest) => reason);
    const reasons = () => auth.mock.calls.map(([{ reason }]) => reason);
    return { ...harness({ auth }), reasons };
  };

  test.each([4401, 3000])('after %i new ones are asked for and tried at once; refused again: the end', async (code) => {
    const { dial, fake, transport, settle, reasons } = asking();
    (await dial()).open();
    fake.last().end(code);
    await settle();
    expect(reasons()).toEqual(['connect', 'refused']);
    fake.last().open();
    fake.last().end(code);
    expect(transport.status).toMatchObject({ state: 'closed', cause: { code } });
  });

  test('a lost network between refusal and welcome does not bring the refused credentials back', async () => {
    const { dial, fake, settle, welcome, reasons } = asking();
    (await dial()).end(4401);
    await settle();
    fake.last().end(1006);
    await vi.advanceTimersByTimeAsync(100);
    expect(reasons()).toEqual(['connect', 'refused', 'refused']);
    welcome().end(1006);
    await vi.advanceTimersByTimeAsync(200);
    expect(reasons()).toEqual(['connect', 'refused', 'refused', 'connect']);
  });

  test('without a way to get new ones a refusal is the end', async () => {
    const { dial, transport } = harness();
    (await dial()).end(4401);
    expect(transport.status.state).toBe('closed');
  });
});

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Transport } from '../../src/transport/transport.ts';
import { fakeWebSockets } from '../helpers/fake-web-socket.ts';
import type { Told } from './transport-harness.ts';
import { harness } from './transport-harness.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Leads a transport through every callback there is. */
async function life({ transport, settle, welcome, fake }: ReturnType<typeof harness>): Promise<void> {
  transport.connect();
  await settle();
  // It was ended before it began.
  if (fake.made.length === 0) return;
  welcome();
  fake.last().message('in');
  fake.last().message(new ArrayBuffer(1));
  await vi.advanceTimersByTimeAsync(30_001);
  fake.last().end(1006);
  await vi.advanceTimersByTimeAsync(200);
}

const moments = ['connecting', 'opened', 'connected', 'frame', 'binary', 'probe', 'lost', 'waiting'] as const;
const isAt = ([what, detail]: Told, moment: string) =>
  what === moment || (what === 'status' && (detail as { state: string }).state === moment);

/** Does something the first time that a moment comes. */
function once(moment: string, act: (transport: Transport) => void) {
  let done = false;
  return (told: Told, transport: Transport) => {
    if (done || !isAt(told, moment)) return;
    done = true;
    act(transport);
  };
}

describe('calls from inside a callback', () => {
  test('the life used here passes every moment', async () => {
    const bench = harness();
    await life(bench);
    expect(moments.filter((moment) => !bench.told.some((told) => isAt(told, moment)))).toEqual([]);
  });

  test.each(moments)('close inside %s leaves no timer, no socket, and nothing is told afterwards', async (moment) => {
    const bench = harness(
      {},
      once(moment, (transport) => transport.close()),
    );
    await life(bench);
    expect(bench.transport.status).toMatchObject({ state: 'closed', cause: { by: 'app' } });
    expect(bench.words().at(-1)).toBe('closed');
    expect(vi.getTimerCount()).toBe(0);
    expect(bench.fake.live()).toEqual([]);
    const { opened, lost } = counts(bench.words());
    expect(lost).toBe(opened);
  });

  test.each(moments)('suspend inside %s, too', async (moment) => {
    const bench = harness(
      {},
      once(moment, (transport) => transport.suspend('hidden')),
    );
    await life(bench);
    expect(bench.words().at(-1)).toBe('suspended');
    expect(vi.getTimerCount()).toBe(0);
    expect(bench.fake.live()).toEqual([]);
  });

  test.each(moments)('reconnect inside %s leads to one live socket', async (moment) => {
    const bench = harness(
      {},
      once(moment, (transport) => transport.reconnect()),
    );
    await bench.dial();
    bench.welcome();
    bench.fake.last().message('in');
    bench.fake.last().message(new ArrayBuffer(1));
    bench.transport.wake();
    bench.fake.last().end(1006);
    await vi.advanceTimersByTimeAsync(200);
    expect(bench.fake.live()).toHaveLength(1);
    expect(bench.fake.mostLive).toBe(1);
    expect(bench.transport.status.state).toBe('connecting');
    expect(vi.getTimerCount()).toBe(1);
    const { opened, lost } = counts(bench.words());
    expect(lost).toBe(opened);
  });

  test.each(moments)('wake inside %s makes no second socket', async (moment) => {
    const bench = harness({}, (told, transport) => {
      if (isAt(told, moment)) transport.wake();
    });
    await life(bench);
    expect(bench.fake.mostLive).toBe(1);
    expect(vi.getTimerCount()).toBe(1);
  });

  test('drop inside opened ends the link that was just opened', async () => {
    const bench = harness({}, ([what], _, link) => {
      if (what === 'opened') link!.drop(4400, '');
    });
    (await bench.dial()).open();
    expect(bench.words()).toEqual(['connecting', 'opened', 'lost 4400', 'waiting']);
  });

  test('close inside an abort listener of a provider is the last word', async () => {
    const bench: ReturnType<typeof harness> = harness({
      url: ({ signal }) => {
        signal.addEventListener('abort', () => bench.transport.close());
        return new Promise<never>(() => {});
      },
    });
    bench.transport.connect();
    bench.transport.suspend('hidden');
    expect(bench.words()).toEqual(['connecting', 'closed']);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a close that is reported inside close() of the socket comes too late', async () => {
    const fake = fakeWebSockets((socket) => {
      socket.close = () => socket.end(1006);
    });
    const bench = harness({}, undefined, fake);
    await bench.connect();
    bench.transport.close();
    expect(bench.words().slice(3)).toEqual(['lost 1000', 'closed']);
  });
});

describe('callbacks that throw', () => {
  test('what any callback throws is reported and changes nothing', async () => {
    const calm = harness();
    await life(calm);
    const words = calm.words();
    calm.transport.close();
    const bench = harness({}, ([what]) => {
      throw new Error(what);
    });
    await life(bench);
    expect(bench.words()).toEqual(words);
    expect(bench.errors.map((error) => (error as Error).message)).toEqual(bench.told.map(([what]) => what));
  });

  test('an onError that throws does not break it either: the host hears of it', async () => {
    const reportError = vi.fn();
    vi.stubGlobal('reportError', reportError);
    const thrown = new Error('from onError');
    const bench = harness(
      {
        onError: () => {
          throw thrown;
        },
      },
      () => {
        throw new Error('from the callback');
      },
    );
    await bench.connect();
    expect(bench.transport.status.state).toBe('connected');
    expect(reportError).toHaveBeenCalledWith(thrown);
    vi.unstubAllGlobals();
  });
});

function counts(words: readonly string[]): { opened: number; lost: number } {
  return {
    opened: words.filter((word) => word === 'opened').length,
    lost: words.filter((word) => word.startsWith('lost')).length,
  };
}

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { describeTransportSocket } from '../../src/testing/index.ts';
import type { WebSocketConstructor, WebSocketLike } from '../../src/transport/web-socket-like.ts';
import { inMemory } from './sockets-under-test.ts';

type Change = (right: WebSocketConstructor) => WebSocketConstructor;
type Heard = { readonly type: string; readonly data: string; readonly code: number; readonly reason: string };
type Name = 'onopen' | 'onmessage' | 'onerror' | 'onclose';
const NAMES: readonly Name[] = ['onopen', 'onmessage', 'onerror', 'onclose'];

/** A socket in memory behind a mask, which hands on what it tells to those who are set on the mask. */
class Mask implements WebSocketLike {
  readonly right: WebSocketLike;
  onopen: ((event: never) => unknown) | null = null;
  onmessage: ((event: never) => unknown) | null = null;
  onerror: ((event: never) => unknown) | null = null;
  onclose: ((event: never) => unknown) | null = null;

  constructor(right: WebSocketLike) {
    this.right = right;
    for (const name of NAMES) right[name] = (event: Heard) => this.hear(name, event);
  }

  hear(name: Name, event: object): void {
    this[name]?.(event as never);
  }

  get readyState(): number {
    return this.right.readyState;
  }

  get protocol(): string {
    return this.right.protocol;
  }

  get bufferedAmount(): number {
    return this.right.bufferedAmount ?? 0;
  }

  send(data: string): void {
    this.right.send(data);
  }

  close(code?: number, reason?: string): void {
    this.right.close(code, reason);
  }
}

/** A class with something wrong. `ask`: what it asks for in the place of what it was given. */
function masked(wrong: (mask: Mask) => object, ask: (protocols: string[]) => string[] = (all) => all): Change {
  return (Right) =>
    class extends Mask {
      constructor(url: string, protocols: string | string[] = []) {
        super(new Right(url, ask([protocols].flat())));
        Object.defineProperties(this, Object.getOwnPropertyDescriptors(wrong(this)));
      }
    };
}

/** Events of one kind go through `change` first. */
const telling = (told: Name, change: (event: Heard, tell: (event: object) => void, mask: Mask) => unknown) =>
  masked((mask) => ({
    hear(name: Name, event: Heard) {
      if (name !== told) return Mask.prototype.hear.call(mask, name, event);
      change(event, (its) => Mask.prototype.hear.call(mask, name, its), mask);
    },
  }));

/** Longer than a client waits for anything. */
async function aMinute(): Promise<false> {
  await vi.advanceTimersByTimeAsync(60_000);
  return false;
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Titles of the tests, and of those that a class fails; one that waits for ever fails, too. */
async function run(change: Change): Promise<{ readonly all: readonly string[]; readonly failed: readonly string[] }> {
  const cases: Array<readonly [title: string, run: () => Promise<void>]> = [];
  describeTransportSocket('broken', (server) => inMemory(server, change), {
    describe: (_name, body) => body(),
    test: (title, body) => cases.push([title, body]),
  });
  const failed: string[] = [];
  for (const [title, body] of cases) {
    const passes = body().then(
      () => true,
      () => false,
    );
    if (!(await Promise.race([passes, aMinute()]))) failed.push(title);
  }
  return { all: cases.map(([title]) => title), failed };
}

let lastMade: Mask | undefined;

const BROKEN: ReadonlyArray<readonly [what: string, title: RegExp, change: Change]> = [
  ['names no subprotocol', /^it is connecting, then open/, masked(() => ({ protocol: '' }))],
  [
    'asks for the last subprotocol',
    /^it is connecting, then open/,
    masked(
      () => ({}),
      (all) => all.slice(-1),
    ),
  ],
  [
    'says that it is open before it is',
    /^it is connecting, then open/,
    masked(({ right }) => ({
      get readyState() {
        return right.readyState || 1;
      },
    })),
  ],
  [
    'drops what is sent too early',
    /^to send before it is open/,
    masked(({ right }) => ({ send: (text: string) => right.readyState === 1 && right.send(text) })),
  ],
  ['loses a message', /^messages arrive/, telling('onmessage', (event, tell) => event.data === '7' || tell(event))],
  ['tells one twice', /^messages arrive/, telling('onmessage', (event, tell) => [tell(event), tell(event)])],
  ['changes a text', /^messages arrive/, masked(({ right }) => ({ send: (text: string) => right.send(text.trim()) }))],
  [
    'gives bytes',
    /^messages arrive/,
    telling('onmessage', ({ data }, tell) => tell({ data: data === '7' ? new Uint8Array(1) : data })),
  ],
  [
    'tells late that it is open',
    /^a message that the server sends at once/,
    telling('onopen', (event, tell) => setTimeout(tell, 1, event)),
  ],
  [
    'tells its close within close()',
    /^nothing is told while/,
    masked((mask) => ({
      close(code = 1005, reason = '') {
        mask.right.close(code, reason);
        mask.onclose?.({ code, reason } as never);
        mask.onclose = null;
      },
    })),
  ],
  [
    'keeps the first handler that it had',
    /^a handler that was taken away/,
    masked((mask) => {
      let kept: Partial<Mask> = {};
      queueMicrotask(() => (kept = { onopen: mask.onopen, onmessage: mask.onmessage, onclose: mask.onclose }));
      return { hear: (name: Name, event: Heard) => kept[name]?.(event as never) };
    }),
  ],
  [
    'tells its close twice',
    /^a close of the server is told once/,
    telling('onclose', (event, tell) => [tell(event), tell(event)]),
  ],
  [
    'gives no reason',
    /^a close of the server is told once/,
    telling('onclose', ({ code }, tell) => tell({ code, reason: '' })),
  ],
  [
    'throws when it is closed twice',
    /^what was sent before a close/,
    masked(({ right }) => ({
      close(code: number, reason: string) {
        if (right.readyState > 1) throw new Error('it is closed');
        right.close(code, reason);
      },
    })),
  ],
  ['closes without its code', /^what was sent before a close/, masked(({ right }) => ({ close: () => right.close() }))],
  [
    'opens though it was closed',
    /^one that is closed before it is open/,
    masked(({ right }) => ({
      close: (code: number, reason: string) => right.readyState > 0 && right.close(code, reason),
    })),
  ],
  [
    'says that it opened though it was refused',
    /^one that the server refuses/,
    telling('onclose', (event, tell, mask) => {
      if (mask.right.protocol === '') mask.onopen?.({} as never);
      tell(event);
    }),
  ],
  [
    'is silent when its line breaks',
    /^a line that breaks/,
    telling('onclose', (event, tell) => event.code === 1006 || tell(event)),
  ],
  [
    'gives a line that broke no code',
    /^a line that breaks/,
    telling('onclose', (event, tell) => tell({ ...event, code: event.code === 1006 ? 1005 : event.code })),
  ],
  [
    'says that all is buffered still',
    /^nothing is buffered/,
    masked((mask) => {
      let amount = 0;
      return {
        send: (text: string) => {
          amount += text.length;
          mask.right.send(text);
        },
        get bufferedAmount() {
          return amount;
        },
      };
    }),
  ],
  ['ends nothing when it is terminated', /^terminate ends it/, masked(() => ({ terminate: () => undefined }))],
  [
    'has its handlers in common with the others',
    /^two sockets are two lines/,
    masked((mask) => {
      lastMade = mask;
      return { hear: (name: Name, event: Heard) => Mask.prototype.hear.call(lastMade, name, event) };
    }),
  ],
  [
    'can be made once',
    /^a client calls over it/,
    (Right) => {
      let made = false;
      return class extends Right {
        constructor(url: string, protocols?: string | string[]) {
          if (made) throw new Error('it was made before');
          made = true;
          super(url, protocols);
        }
      };
    },
  ],
];

test.each(BROKEN)('a class that %s is found out', async (_what, title, change) => {
  const { failed } = await run(change);
  expect(failed.filter((name) => title.test(name))).toHaveLength(1);
});

test('each test finds one of them out', async () => {
  const { all, failed } = await run((right) => right);
  expect(all.filter((name) => !BROKEN.some(([, title]) => title.test(name)))).toEqual([]);
  expect(failed).toEqual([]);
});

test('and a class that is right passes behind the same mask', async () => {
  expect((await run(masked(() => ({})))).failed).toEqual([]);
});

import fc from 'fast-check';
import { expect, vi } from 'vitest';
import type { Lifecycle, LifecycleSignal } from '../../src/transport/lifecycle.ts';
import { StopReconnecting } from '../../src/transport/stop-reconnecting.ts';
import type { ConnectionStatus, Link } from '../../src/transport/transport.ts';
import type { FakeWebSocket } from '../helpers/fake-web-socket.ts';
import { fakeWebSockets } from '../helpers/fake-web-socket.ts';
import { seededRandom } from '../../src/testing/faults/random.ts';
import type { Harness } from './transport-harness.ts';
import { harness } from './transport-harness.ts';
import { closeReaction } from '../../src/protocol/close-reaction.ts';

/** What the app's URL function does when it is asked next; after that it gives again. */
type Provider = 'gives' | 'hangs' | 'rejects' | 'throws' | 'stops';

type State = ConnectionStatus['state'];

/** What has to be known beside the transport to say what is right. */
export class Model {
  /** The app has suspended it: only the app may wake it. */
  held = false;
}

/** Which state may follow which. */
const ARROWS: Readonly<Record<State, readonly State[]>> = {
  idle: ['connecting', 'waiting', 'closed'],
  connecting: ['idle', 'connecting', 'connected', 'waiting', 'suspended', 'closed'],
  connected: ['idle', 'connected', 'connecting', 'waiting', 'suspended', 'closed'],
  waiting: ['idle', 'connecting', 'waiting', 'suspended', 'closed'],
  suspended: ['connecting', 'waiting', 'suspended', 'closed'],
  /** Told by the layer above: a transport is never in it. */
  closing: [],
  /** By the app, where it was closed for its credentials. */
  closed: ['connecting', 'closed'],
};

/** Most sockets at a time, on a move: the one that serves, its successor, its predecessor. */
const SOCKETS_OF_A_MOVE = 3;
/** Timers of a move: of its beginning, of the attempt, the time and the watchdog of the predecessor. */
const TIMERS_OF_A_MOVE = 4;

/** States that may own a socket; those that own a timer: the limit of an attempt, the watchdog, the delay. */
const OWNS_SOCKET: ReadonlySet<State> = new Set<State>(['connecting', 'connected']);
const OWNS_TIMER: ReadonlySet<State> = new Set<State>(['connecting', 'connected', 'waiting']);

/** A transport whose socket, app and host do what the commands say. */
export class Line {
  provider: Provider = 'gives';
  constructorThrows = false;
  hidden = false;
  /** Sockets that have told an error. */
  readonly failed = new Set<FakeWebSocket>();
  /** Answers that the app still owes. */
  readonly hung: Array<{ give(url: string): void; refuse(error: Error): void }> = [];
  readonly bench: Harness;
  /** Listeners at the host. */
  readonly #listeners = new Set<(signal: LifecycleSignal) => void>();
  readonly #losses = new Map<Link, number>();
  #told = 0;
  #status: ConnectionStatus;

  readonly #suspendAfterHiddenMs: number | undefined;
  /** Monotonic time of the last signal of the host. */
  #signalledAt = -Infinity;

  readonly #mayMove: boolean;

  constructor(seed: number, suspendAfterHiddenMs: number | undefined, mayMove: boolean) {
    this.#mayMove = mayMove;
    this.#suspendAfterHiddenMs = suspendAfterHiddenMs;
    const lifecycle: Lifecycle = {
      hidden: () => this.hidden,
      listen: (tell) => {
        this.#listeners.add(tell);
        return () => this.#listeners.delete(tell);
      },
    };
    const fake = fakeWebSockets((socket) => {
      if (!this.constructorThrows) return;
      this.constructorThrows = false;
      socket.readyState = 3;
      throw new DOMException('blocked', 'SecurityError');
    });
    this.bench = harness(
      { url: () => this.#url(), random: seededRandom(seed), lifecycle, suspendAfterHiddenMs },
      ([what], _transport, link) => {
        if (what === 'opened') this.#losses.set(link!, 0);
        // A link that never opened must not be lost.
        if (what === 'lost') this.#losses.set(link!, (this.#losses.get(link!) ?? 1) + 1);
      },
      fake,
    );
    this.#status = this.bench.transport.status;
  }

  tell(signal: LifecycleSignal): void {
    this.#signalledAt = performance.now();
    for (const listener of [...this.#listeners]) listener(signal);
  }

  #url(): string | Promise<string> {
    const { provider } = this;
    this.provider = 'gives';
    switch (provider) {
      case 'gives':
        return 'ws://server.test/line';
      case 'hangs':
        return new Promise((give, refuse) => this.hung.push({ give, refuse }));
      case 'rejects':
        return Promise.reject(new TypeError('Failed to fetch'));
      case 'throws':
        throw new Error('from the app');
      case 'stops':
        return Promise.reject(new StopReconnecting('enough'));
      default:
        return provider satisfies never;
    }
  }

  /** What holds after every step. */
  check(model: Model): void {
    this.#checkStatus();
    const { transport, fake } = this.bench;
    const { state } = transport.status;
    if (!this.#mayMove) expect(fake.mostLive).toBeLessThanOrEqual(1);
    const attached = fake.made.filter(({ onclose }) => onclose !== null).length;
    expect(attached).toBeLessThanOrEqual(this.#mostSockets(state));
    expect(fake.live().length).toBeLessThanOrEqual(attached);
    if (state === 'connected') expect(attached).toBeGreaterThanOrEqual(1);
    this.#checkTimers(state);
    expect(this.#listeners.size).toBe(state === 'idle' || state === 'closed' ? 0 : 1);
    if (model.held) expect(state).toBe('suspended');
    this.#checkLosses(state);
    expect(this.bench.errors).toEqual([]);
  }

  #mostSockets(state: State): number {
    if (!OWNS_SOCKET.has(state)) return 0;
    return state === 'connected' && this.#mayMove ? SOCKETS_OF_A_MOVE : 1;
  }

  /** The status changes when a transition is told, to what is told, along an arrow; never otherwise. */
  #checkStatus(): void {
    const { told, transport } = this.bench;
    for (const entry of told.slice(this.#told)) {
      if (entry[0] !== 'status') continue;
      expect(entry[1]).not.toBe(this.#status);
      expect(ARROWS[this.#status.state]).toContain(entry[1].state);
      if (this.#status.state === 'closed' && entry[1].state === 'closed') {
        expect(closeReaction(this.#status.cause.code)).toBe('credentials');
      }
      this.#status = entry[1];
    }
    this.#told = told.length;
    expect(transport.status).toBe(this.#status);
  }

  #checkTimers(state: State): void {
    const timers = vi.getTimerCount();
    if (!OWNS_TIMER.has(state)) {
      expect(timers).toBe(0);
      return;
    }
    expect(timers).toBeGreaterThanOrEqual(1);
    // Beside its own: the end of a burst of signals, the time of a hidden app, the close that an error announces.
    const burst = performance.now() - this.#signalledAt < 50;
    const hiding = this.hidden && this.#suspendAfterHiddenMs !== undefined;
    const dying = [...this.failed].filter(({ onclose }) => onclose !== null).length;
    const moving = state === 'connected' && this.#mayMove ? TIMERS_OF_A_MOVE : 0;
    expect(timers).toBeLessThanOrEqual(1 + moving + Number(burst) + Number(hiding) + dying);
  }

  /** A link that was told to be lost. */
  get oldLink(): Link | undefined {
    for (const [link, losses] of this.#losses) if (losses > 0) return link;
    return undefined;
  }

  /** Each link that opened is lost once, unless it is still there. */
  #checkLosses(state: State): void {
    const losses = [...this.#losses.values()];
    const present = losses.filter((count) => count === 0).length;
    expect(losses.every((count) => count <= 1)).toBe(true);
    expect(present).toBeLessThanOrEqual(this.#mostSockets(state));
    if (state === 'connected') expect(present).toBeGreaterThanOrEqual(1);
  }
}

type Step = (line: Line, model: Model) => void | Promise<void>;

class Command implements fc.AsyncCommand<Model, Line> {
  readonly #name: string;
  readonly #step: Step;

  constructor(name: string, step: Step) {
    this.#name = name;
    this.#step = step;
  }

  check(): boolean {
    return true;
  }

  async run(model: Model, line: Line): Promise<void> {
    await this.#step(line, model);
    line.check(model);
    // What the step set going in microtasks.
    await vi.advanceTimersByTimeAsync(0);
    line.check(model);
  }

  toString(): string {
    return this.#name;
  }
}

const command = (name: string, step: Step) => new Command(name, step);
const always = (name: string, step: Step) => fc.constant(command(name, step));

const codes = fc.oneof(
  fc.constantFrom(1000, 1001, 1002, 1005, 1006, 1008, 1009, 1011, 1012, 1013, 3000, 4400, 4401, 4406, 4409, 4410, 0),
  fc.integer({ min: 3000, max: 4999 }),
);
/** One of the live sockets: there are several on a move alone. */
const live = ({ bench }: Line, index = 0) => bench.fake.live()[index % Math.max(1, bench.fake.live().length)];
const pick = fc.nat(SOCKETS_OF_A_MOVE - 1);

/** What begins a move, and takes it far enough for something to happen to it. */
export const moves: Array<fc.Arbitrary<fc.AsyncCommand<Model, Line>>> = [
  fc
    .nat(60_000)
    .map((afterMs) =>
      command(`leaving after ${afterMs}`, ({ bench }) => bench.links.at(-1)?.leaving({ afterMs, withinMs: 5_000 })),
    ),
  always('move', ({ bench }, model) => {
    if (bench.transport.status.state !== 'connected') model.held = false;
    bench.transport.reconnect({ seamless: true });
  }),
  always('move, and the successor is welcomed', async ({ bench }) => {
    if (bench.transport.status.state !== 'connected') return;
    bench.transport.reconnect({ seamless: true });
    await bench.settle();
    if (bench.fake.last().readyState === 0) bench.welcome();
  }),
];

/** Everything else that can happen to a transport. */
export const commands: Array<fc.Arbitrary<fc.AsyncCommand<Model, Line>>> = [
  always('connect', ({ bench }, model) => {
    if (bench.transport.status.state !== 'suspended') model.held = false;
    bench.transport.connect();
  }),
  pick.map((index) =>
    command(`open ${index}`, (line) => {
      const socket = live(line, index);
      if (socket?.readyState === 0) socket.open();
    }),
  ),
  always('open and welcome the newest', (line) => {
    const socket = live(line, line.bench.fake.live().length - 1);
    if (socket?.readyState === 0) socket.open();
    line.bench.links.at(-1)?.welcomed({ heartbeatMs: 20_000, resumed: false });
  }),
  // The way to a connection, so that much of what follows happens on one.
  fc.nat(12_000).map((ms) =>
    command(`reconnect, welcome, ${ms} ms`, async ({ bench }, model) => {
      model.held = false;
      bench.transport.reconnect();
      await bench.settle();
      if (bench.transport.status.state !== 'connecting' || bench.fake.live().length === 0) return;
      bench.welcome();
      await vi.advanceTimersByTimeAsync(ms);
    }),
  ),
  pick.map((index) => command(`frame ${index}`, (line) => live(line, index)?.message('frame'))),
  always('binary', (line) => live(line)?.message(new ArrayBuffer(1))),
  fc
    .tuple(codes, pick)
    .map(([code, index]) => command(`close ${code}, ${index}`, (line) => live(line, index)?.end(code))),
  fc.tuple(fc.constantFrom(1, 2, 3), pick).map(([readyState, index]) =>
    command(`error alone, ${readyState}, ${index}`, (line) => {
      const socket = live(line, index);
      if (socket !== undefined) line.failed.add(socket);
      socket?.fail(readyState);
    }),
  ),
  fc
    .tuple(fc.nat(20), fc.constantFrom('open' as const, 'message' as const, 'error' as const, 'close' as const))
    .map(([index, type]) =>
      command(`late ${type} of an old socket, ${index}`, ({ bench: { fake } }) => {
        const old = fake.made.filter(({ live }) => !live)[index];
        old?.emit(type, type === 'close' ? { code: 1006, reason: '' } : { data: 'late' });
      }),
    ),
  always('an old link is used', ({ oldLink }) => {
    oldLink?.welcomed({ heartbeatMs: 1, resumed: true });
    oldLink?.drop(4000, 'late');
    oldLink?.leaving({ afterMs: 0, withinMs: 1 });
    if (oldLink !== undefined) expect(oldLink.send('late')).toBe(false);
  }),
  fc
    .tuple(codes, pick)
    .map(([code, index]) =>
      command(`drop ${code}, ${index}`, ({ bench }) => bench.links.at(-1 - index)?.drop(code, 'from above')),
    ),
  fc.constantFrom<Provider>('hangs', 'rejects', 'throws', 'stops').map((provider) =>
    command(`url ${provider}`, (line) => {
      line.provider = provider;
    }),
  ),
  fc.boolean().map((gives) =>
    command(`a url that hung ${gives ? 'comes' : 'is refused'}`, ({ hung }) => {
      const owed = hung.shift();
      if (gives) owed?.give('ws://server.test/late');
      else owed?.refuse(new StopReconnecting('late'));
    }),
  ),
  always('constructor throws', (line) => {
    line.constructorThrows = true;
  }),
  always('wake', ({ bench }, model) => {
    model.held = false;
    bench.transport.wake();
  }),
  fc
    .constantFrom<LifecycleSignal>('wake', 'restored', 'hidden', 'frozen')
    .map((signal) => command(`host: ${signal}`, (line) => line.tell(signal))),
  fc.boolean().map((hidden) =>
    command(hidden ? 'hide' : 'show', (line) => {
      line.hidden = hidden;
      line.tell(hidden ? 'hidden' : 'wake');
    }),
  ),
  always('suspend', ({ bench }, model) => {
    bench.transport.suspend('by the app');
    model.held = bench.transport.status.state === 'suspended';
  }),
  always('rest', ({ bench: { transport } }) => {
    const before = transport.status.state;
    transport.rest();
    expect(transport.status.state).toBe(before === 'suspended' || before === 'closed' ? before : 'idle');
  }),
  always('reconnect', ({ bench }, model) => {
    model.held = false;
    bench.transport.reconnect();
  }),
  always('close', ({ bench }, model) => {
    model.held = false;
    bench.transport.close();
  }),
  // A hang is time in which nothing happens.
  fc.oneof(fc.constantFrom(49, 50, 51, 999, 1_000, 10_000, 10_001, 32_001), fc.nat(70_000)).map((ms) =>
    command(`${ms} ms`, async () => {
      await vi.advanceTimersByTimeAsync(ms);
    }),
  ),
  fc.constantFrom(-86_400_000, -5_000, 5_000, 60_000, 86_400_000).map((ms) =>
    command(`the clock jumps by ${ms} ms`, () => {
      vi.setSystemTime(Date.now() + ms);
    }),
  ),
];

import type { TautlineError } from '../../errors.ts';
import { Deadlines, type Deadline } from '../../primitives/deadlines.ts';
import { SerialQueue } from '../../primitives/serial-queue.ts';
import { SUBPROTOCOL } from '../../protocol/messages.ts';
import type { ConnectionStatus, ReconnectRequest, Transport } from '../../transport/transport.ts';
import {
  RECONNECT_DEFAULTS,
  withTransportDefaults,
  type AuthOption,
  type UrlOption,
} from '../../transport/transport-options.ts';
import type { TransportParts } from '../../transport/transport-parts.ts';
import { WebSocketTransport } from '../../transport/web-socket-transport.ts';
import { Announcer } from './announcer.ts';
import { Backlog } from './backlog.ts';
import type { Around, Capability, Extension, Kernel, Offer } from './capability.ts';
import { checkPositive } from './check-positive.ts';
import { resolveKernelOptions, type KernelOptions, type ResolvedKernelOptions } from './connect-options.ts';
import type { CloseOptions, Connection, ConnectionEvents, ConnectionStats } from './connection.ts';
import type { Happening, HappeningName } from './happening.ts';
import { Outbox } from './outbox.ts';
import { codeOfEnd, describeEnd, refusalOf } from './refusal.ts';
import type { Request } from './request.ts';
import { Requests } from './requests.ts';
import { Session } from './session.ts';

/** A {@link Connection}, made of the kernel and of what it uses. */
export class ClientConnection implements Connection, Kernel {
  readonly requests: Requests;
  readonly outbox: Outbox;
  readonly deadlines: Deadlines;
  readonly order: SerialQueue = new SerialQueue();
  readonly around: Around | undefined;
  readonly random: () => number;
  readonly now: () => number = now;
  readonly report: (error: unknown) => void;
  readonly #announcer: Announcer;
  readonly #options: ResolvedKernelOptions;
  readonly #extensions: readonly Extension[];
  readonly #backlog: Backlog;
  readonly #session: Session;
  readonly #transport: Transport;
  /** While it waits for the last requests. */
  #closing: ConnectionStatus | undefined;

  constructor(url: UrlOption, options: KernelOptions, use: readonly Capability[]) {
    this.#announcer = new Announcer((what, about) => this.note(what, about));
    this.report = this.#announcer.report;
    this.#options = resolveKernelOptions(options);
    this.random = options.random ?? Math.random;
    this.deadlines = new Deadlines({ now, onError: this.report });
    this.requests = new Requests(this);
    this.outbox = new Outbox(this.#options.queue, this.requests, () => this.#backlog.look());
    this.#backlog = new Backlog({
      marks: this.#options.flow,
      bytes: () => this.outbox.backlogBytes,
      tell: (event) => this.#tellLevel(event),
    });
    const resolved = withTransportDefaults({ ...options, url, protocols: [SUBPROTOCOL], onError: this.report });
    this.#extensions = use.map(({ extend }) => extend(this));
    this.around = this.#extensions.find((extension) => extension.around !== undefined)?.around;
    this.#session = new Session({
      kernel: this,
      extensions: this.#extensions,
      flow: this.#options.flow,
      stableAfterMs: (resolved.reconnect || RECONNECT_DEFAULTS).stableAfterMs,
      entered: (status) => this.#entered(status),
      becameAnother: () => this.#becameAnother(),
    });
    const parts = this.#extensions.map(({ transport }) => transport?.(resolved));
    this.#transport = new WebSocketTransport(this.#session, resolved, Object.assign({}, ...parts) as TransportParts);
    if (!this.#extensions.some(({ isOpening }) => isOpening !== undefined)) this.connect();
  }

  get timeoutMs(): number {
    return this.#options.timeoutMs;
  }

  get transportStatus(): ConnectionStatus {
    return this.#transport.status;
  }

  get status(): ConnectionStatus {
    const status = this.transportStatus;
    return status.state === 'closed' ? status : (this.#closing ?? status);
  }

  on<Name extends keyof ConnectionEvents>(event: Name, listener: ConnectionEvents[Name]): () => void {
    return this.#announcer.on(event, listener);
  }

  emit<Name extends keyof ConnectionEvents>(event: Name, ...args: Parameters<ConnectionEvents[Name]>): void {
    this.#announcer.emit(event, ...args);
  }

  note(what: HappeningName, about?: object): void {
    for (const { noted } of this.#extensions) noted?.(what, about);
  }

  connect(): void {
    this.#transport.connect();
  }

  rest(): void {
    this.#transport.rest();
  }

  reconnect(options: ReconnectRequest = {}): void {
    this.note('reconnect', { seamless: options.seamless });
    this.#transport.reconnect(options);
  }

  setAuth(auth: AuthOption | null): void {
    const keeper = this.#extensions.find((extension) => extension.setAuth !== undefined);
    if (keeper === undefined) throw new TypeError('setAuth needs the capability credentials() in `use`.');
    keeper.setAuth?.(auth ?? undefined);
    this.note('auth', { step: auth === null ? 'removed' : 'replaced' });
    this.#session.changeIdentity();
    const { state } = this.#transport.status;
    if (state !== 'closed' && state !== 'suspended' && state !== 'idle') this.#transport.reconnect();
  }

  wake(): void {
    this.note('wake');
    this.#transport.wake();
  }

  suspend(reason = 'suspended by the app'): void {
    this.#transport.suspend(reason);
  }

  async close({ drain = false, timeoutMs = this.#options.timeoutMs }: CloseOptions = {}): Promise<void> {
    checkPositive('timeoutMs', timeoutMs);
    if (drain && this.status.state !== 'closed' && !(await this.#drain(timeoutMs))) return;
    this.#transport.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  drained(): Promise<void> {
    return this.#backlog.drained();
  }

  record(): readonly Happening[] {
    return this.#extensions.flatMap(({ happenings }) => happenings?.() ?? []);
  }

  stats(): ConnectionStats {
    const sum = (figure: 'evicted' | 'subscriptions' | 'gaps'): number =>
      this.#extensions.reduce((total, extension) => total + (extension[figure]?.() ?? 0), 0);
    return {
      rttMs: this.#session.roundTrip.smoothedMs,
      queued: this.outbox.queued,
      bufferedAmount: this.#session.current?.link.bufferedAmount,
      backlogBytes: this.outbox.backlogBytes,
      evicted: sum('evicted'),
      inFlight: this.requests.size,
      subscriptions: sum('subscriptions'),
      reconnects: Math.max(0, this.#session.connections - 1),
      gaps: sum('gaps'),
    };
  }

  /** What makes the function of a contract's node, by its kind; `undefined` where the capability is not used. */
  offer(kind: keyof NonNullable<Extension['offers']>): Offer<never> | undefined {
    return this.#extensions.find(({ offers }) => offers?.[kind] !== undefined)?.offers?.[kind];
  }

  topicLoop(parts: object, options: object): unknown {
    const make = this.#extensions.find(({ topicLoop }) => topicLoop !== undefined)?.topicLoop;
    if (make === undefined) throw new TypeError('events() needs a capability: give connect { use: [topicEvents()] }.');
    return make(parts as never, options as never);
  }

  /** Names the codec in the greeting. @throws TypeError when another contract on this connection has another one. */
  speak(codec: string): void {
    const session = this.#session;
    session.codec ??= codec;
    if (session.codec !== codec) {
      throw new TypeError(
        `A connection speaks one codec: this contract wants ${codec}, an earlier one ${session.codec}. Give both the same, or connect twice.`,
      );
    }
    // The greeting has gone out without it: another one is due.
    if (session.current !== undefined && session.toldCodec !== codec) this.#transport.reconnect();
  }

  refusal(
    request: { readonly path: string; readonly bytes: number },
    signal: AbortSignal | undefined,
  ): TautlineError | undefined {
    const { queue, whileOffline } = this.#options;
    const { status } = this;
    const maxBytes = Math.min(this.#session.welcome?.limits.frameBytes ?? Infinity, queue.maxBytes);
    // The usual case.
    if (status.state === 'connected' && signal === undefined && request.bytes <= maxBytes) return undefined;
    const isOpening = this.#extensions.some((extension) => extension.isOpening?.() === true);
    return refusalOf(request, { status, whileOffline: isOpening ? 'wait' : whileOffline, signal, maxBytes });
  }

  rose(): void {
    for (const { rose } of this.#extensions) rose?.();
  }

  eased(): void {
    for (const { eased } of this.#extensions) eased?.();
  }

  /** Something is not settled, waits to be written, or is listened to. */
  get isNeeded(): boolean {
    return !this.requests.isIdle || this.#extensions.some(({ isNeeded }) => isNeeded?.() === true);
  }

  #tellLevel(event: 'congested' | 'drained'): void {
    const { messages, bytes } = this.outbox.queued;
    this.note(event, { messages, bytes, unanswered: this.outbox.backlogBytes - bytes });
    this.emit(event);
  }

  #becameAnother(): void {
    this.#endRequests((request) => request.fail('UNAUTHENTICATED', 'the connection now belongs to another identity'));
    for (const { becameAnother } of this.#extensions) becameAnother?.();
  }

  /** Waits until nothing is pending or time is up; `false` when it was closed meanwhile, and perhaps revived. */
  async #drain(timeoutMs: number): Promise<boolean> {
    if (this.#closing === undefined) {
      const begun = (this.#closing = Object.freeze({ state: 'closing' }));
      this.note('close', { drain: true });
      // Whoever was told of it may have closed the connection.
      if (this.#closing === begun) this.#announcer.entered(begun);
    }
    const closing = this.#closing;
    let late: Deadline | undefined;
    const timeUp = new Promise<void>((resolve) => {
      late = this.deadlines.add(now() + timeoutMs, resolve);
    });
    await Promise.race([this.requests.idle(), timeUp]);
    if (late !== undefined) this.deadlines.remove(late);
    return this.#closing === closing;
  }

  #entered(status: ConnectionStatus): void {
    for (const { entered } of this.#extensions) entered?.(status);
    if (status.state === 'closed') this.#closing = undefined;
    else if (this.#closing !== undefined) return; // lost sockets come back, but nobody need know
    if (status.state === 'closed') {
      const { cause } = status;
      const code = codeOfEnd(cause);
      const what = describeEnd(cause);
      this.#endRequests((request) => request.fail(code, what, { cause: cause.error }));
      for (const { closed } of this.#extensions) closed?.(cause);
    }
    this.#announcer.entered(status);
  }

  #endRequests(end: (request: Request) => void): void {
    for (const { dropped } of this.#extensions) dropped?.();
    this.requests.endAll(end);
  }
}

/** Monotonic: deadlines are durations, and the wall clock jumps. */
function now(): number {
  return performance.now();
}

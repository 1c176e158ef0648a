import { DEVELOPMENT } from '../../development.ts';
import type { TautlineError } from '../../errors.ts';
import type { Deadline } from '../../primitives/deadlines.ts';
import { store, type Store } from '../../primitives/store.ts';
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
import { extensionOf, type Capability, type Extension, type Kernel, type Offer } from './capability.ts';
import { checkPositive } from './check-positive.ts';
import { resolveKernelOptions, type KernelOptions, type ResolvedKernelOptions } from './connect-options.ts';
import type { CloseOptions, Connection, ConnectionEvents, ConnectionStats } from './connection.ts';
import type { Happening } from './happening.ts';
import type { LossyLane } from '../requests/lossy-lane.ts';
import { Outbox } from '../requests/outbox.ts';
import { warnOfMany } from './many-connections.ts';
import { codeOfEnd, describeEnd, isSignedOut, refusalOf } from './refusal.ts';
import type { Request } from '../requests/request.ts';
import { Requests } from '../requests/requests.ts';
import { Session } from './session.ts';

/** A {@link Connection}, made of the kernel and of what it uses. */
export class ClientConnection extends Session implements Connection, Kernel {
  readonly state: Store<ConnectionStatus>;
  readonly requests: Requests;
  readonly outbox: Outbox;
  readonly random: () => number;
  readonly around: Kernel['around'];
  protected readonly stableAfterMs: number;
  readonly #options: ResolvedKernelOptions;
  readonly #transport: Transport;
  /** Those who wait for the connection to be needed, or not: asked for every request. */
  readonly #waiters: readonly Extension[];
  /** While it waits for the last requests. */
  #closing: ConnectionStatus | undefined;

  constructor(url: UrlOption, options: KernelOptions, use: readonly Capability[]) {
    super();
    this.#options = resolveKernelOptions(options);
    this.random = options.random ?? Math.random;
    this.state = store(
      () => this.status,
      (listener) => this.on('status', listener),
      this.report,
    );
    const resolved = withTransportDefaults({ ...options, url, protocols: [SUBPROTOCOL], onError: this.report });
    this.stableAfterMs = (resolved.reconnect || RECONNECT_DEFAULTS).stableAfterMs;
    this.requests = new Requests(this);
    this.outbox = new Outbox(this.#options.queue, this.requests);
    checkNames(use.map(({ name }) => name));
    this.extend(use.map((given) => extensionOf(given, this)));
    this.around = this.extensions.find(({ around }) => around);
    this.#waiters = this.extensions.list.filter(({ rose }) => rose !== undefined);
    const parts: TransportParts = {};
    for (const { transport } of this.extensions.list) Object.assign(parts, transport);
    this.#transport = new WebSocketTransport(this, resolved, parts);
    if (this.extensions.find(({ isOpening }) => isOpening) === undefined) this.connect();
    if (DEVELOPMENT) warnOfMany(url, this);
  }

  /** @throws TypeError where no extension has it */
  #demand<Part>(what: string, capability: string, pick: (extension: Extension) => Part | undefined): Part {
    const part = this.extensions.find(pick);
    if (part !== undefined) return part;
    const remedy = `{ use: [${capability}()] }`;
    throw new TypeError(DEVELOPMENT ? `${what} needs a capability: give connect ${remedy}.` : remedy);
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

  readonly on = <Name extends keyof ConnectionEvents>(event: Name, listener: ConnectionEvents[Name]): (() => void) =>
    this.announcer.on(event, listener);

  emit<Name extends keyof ConnectionEvents>(event: Name, ...args: Parameters<ConnectionEvents[Name]>): void {
    this.announcer.emit(event, ...args);
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
    const replace = this.#demand('setAuth', 'credentials', ({ setAuth }) => setAuth);
    replace(auth ?? undefined);
    this.note('auth', { step: auth === null ? 'removed' : 'replaced' });
    this.changeIdentity();
    const status = this.transportStatus;
    const { state } = status;
    const rests = state === 'closed' || state === 'suspended' || state === 'idle';
    if (!rests || (auth !== null && isSignedOut(status))) this.#transport.reconnect();
  }

  wake(): void {
    this.note('wake');
    this.#transport.wake();
  }

  suspend(reason = 'suspended by the app'): void {
    this.#transport.suspend(reason);
  }

  async close({ drain = false, timeoutMs = this.timeoutMs }: CloseOptions = {}): Promise<void> {
    checkPositive('timeoutMs', timeoutMs);
    if (drain && this.status.state !== 'closed' && !(await this.#drain(timeoutMs))) return;
    this.#transport.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async drained(): Promise<void> {
    await this.#demand('drained()', 'flow', (extension) => extension.drained)();
  }

  record(): readonly Happening[] {
    return this.#demand('record()', 'record', ({ happenings }) => happenings)();
  }

  stats(): ConnectionStats {
    const { messages, bytes, backlogBytes } = this.outbox;
    const own: ConnectionStats = {
      rttMs: undefined,
      queued: { messages, bytes },
      bufferedAmount: this.present?.link.bufferedAmount,
      backlogBytes,
      evicted: 0,
      inFlight: this.requests.sent.size,
      subscriptions: 0,
      reconnects: Math.max(0, this.connects - 1),
      gaps: 0,
    };
    return Object.assign(own, ...this.extensions.list.map(({ stats }) => stats?.())) as ConnectionStats;
  }

  /** What makes the function of a contract's node, by its kind. @throws TypeError where the capability is not used */
  offer(kind: keyof NonNullable<Extension['offers']>, path: string): Offer<never> {
    return this.#demand(path, `${kind}s`, ({ offers }) => offers?.[kind]);
  }

  topicLoop(parts: object, options: object): unknown {
    return this.#demand('events()', 'topicEvents', ({ topicLoop }) => topicLoop)(parts as never, options as never);
  }

  lossyLane(): LossyLane {
    return this.#demand('a lossy publish', 'lossy', () => this.requests.lossy);
  }

  /** Names the codec in the greeting. @throws TypeError when another contract on this connection has another one. */
  speak(codec: string): void {
    this.codec ??= codec;
    if (this.codec !== codec) {
      throw new TypeError(
        DEVELOPMENT
          ? `A connection speaks one codec: this contract wants ${codec}, an earlier one ${this.codec}. Give both the same, or connect twice.`
          : codec,
      );
    }
    // The greeting has gone out without it: another one is due, unless the server speaks it by itself.
    const { present } = this;
    if (present !== undefined && this.toldCodec !== codec && present.welcome?.codec !== codec)
      this.#transport.reconnect();
  }

  refusal(
    request: { readonly path: string; readonly bytes: number },
    signal: AbortSignal | undefined,
  ): TautlineError | undefined {
    const { queue, whileOffline } = this.#options;
    const { status } = this;
    const maxBytes = Math.min(this.lastWelcome?.limits.messageBytes ?? Infinity, queue.maxBytes);
    // The usual case.
    if (status.state === 'connected' && signal === undefined && request.bytes <= maxBytes) return undefined;
    const isOpening = this.extensions.find((extension) => extension.isOpening?.() === true || undefined);
    return refusalOf(request, { status, mayWait: isOpening ?? whileOffline === 'wait', signal, maxBytes });
  }

  rose(): void {
    for (const extension of this.#waiters) extension.rose?.();
  }

  eased(): void {
    for (const extension of this.#waiters) extension.eased?.();
  }

  get isNeeded(): boolean {
    return !this.requests.isIdle || this.extensions.find(({ isNeeded }) => isNeeded?.() === true || undefined) === true;
  }

  /** Waits until nothing is pending or time is up; `false` when it was closed meanwhile, and perhaps revived. */
  async #drain(timeoutMs: number): Promise<boolean> {
    if (this.#closing === undefined) {
      const begun = (this.#closing = Object.freeze({ state: 'closing' }));
      this.note('close', { drain: true });
      // Whoever was told of it may have closed the connection.
      if (this.#closing === begun) this.announcer.entered(begun);
    }
    const closing = this.#closing;
    let late: Deadline | undefined;
    const timeUp = new Promise<void>((resolve) => {
      late = this.deadlines.add(this.now() + timeoutMs, resolve);
    });
    await Promise.race([this.requests.idle(), timeUp]);
    if (late !== undefined) this.deadlines.remove(late);
    return this.#closing === closing;
  }

  entered(status: ConnectionStatus): void {
    this.extensions.each((extension) => extension.entered?.(status));
    if (status.state === 'closed') {
      this.#closing = undefined;
      const { cause } = status;
      const code = codeOfEnd(cause);
      const what = describeEnd(cause);
      this.endRequests((request) => request.fail(code, what, { cause: cause.error }));
      this.extensions.each((extension) => extension.closed?.(cause));
    } else if (this.#closing !== undefined) return; // lost sockets come back, but nobody need know
    this.announcer.entered(status);
  }

  protected endRequests(end: (request: Request) => void): void {
    this.extensions.each((extension) => extension.dropped?.());
    this.requests.endAll(end);
  }
}

/** @throws TypeError for a capability that is handed in twice: two of them would share what one has */
function checkNames(names: readonly string[]): void {
  const twice = names.find((name, at) => names.indexOf(name) < at);
  if (twice === undefined) return;
  throw new TypeError(DEVELOPMENT ? `${twice}() stands twice in what connect uses: give it once.` : twice);
}

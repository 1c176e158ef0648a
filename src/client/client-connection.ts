import { TautlineError } from '../errors.ts';
import { Deadlines, type Deadline } from '../primitives/deadlines.ts';
import { SendQueue } from '../primitives/send-queue.ts';
import { SUBPROTOCOL } from '../protocol/messages.ts';
import { utf8Length } from '../protocol/utf8.ts';
import type { CloseCause, ConnectionStatus, ReconnectRequest, Transport } from '../transport/transport.ts';
import { Credentials } from '../transport/credentials/credentials.ts';
import { LifecycleEngine } from '../transport/lifecycle/lifecycle-engine.ts';
import { SeamlessMove } from '../transport/moves/seamless-move.ts';
import {
  resolveTransportOptions,
  TRANSPORT_DEFAULTS,
  type AuthOption,
  type UrlOption,
} from '../transport/transport-options.ts';
import { WebSocketTransport } from '../transport/web-socket-transport.ts';
import { Announcer } from './announcer.ts';
import { Backlog } from './backlog.ts';
import type { PublishOptions } from './call-options.ts';
import type { Call, CallRequest } from './call.ts';
import {
  checkPositive,
  resolveConnectOptions,
  type ConnectOptions,
  type ResolvedConnectOptions,
} from './connect-options.ts';
import type { CloseOptions, Connection, ConnectionEvents, ConnectionStats } from './connection.ts';
import { Demand } from './demand.ts';
import type { Happening } from './flight-recorder.ts';
import { onionOf, type Onion } from './interceptor.ts';
import type { LossyRequest, LossyWaiter } from './lossy-publish.ts';
import { LossyPublishes } from './lossy-publishes.ts';
import { Outbox, type Outbound } from './outbox.ts';
import { PendingCalls } from './pending-calls.ts';
import { ProtocolSession } from './protocol-session.ts';
import { codeOfEnd, describeEnd, refusalOf } from './refusal.ts';
import type { Subscriber } from './subscription.ts';
import { Subscriptions } from './subscriptions.ts';

/** A {@link Connection} with what the typed client needs of it. */
export class ClientConnection implements Connection {
  readonly subscriptions: Subscriptions;
  /** The interceptors of the app, where there are any. */
  readonly onion: Onion | undefined;
  readonly #announcer = new Announcer();
  readonly #options: ResolvedConnectOptions;
  readonly #pending: PendingCalls;
  readonly #outbox: Outbox;
  readonly #backlog: Backlog;
  readonly #lossy: LossyPublishes;
  readonly #session: ProtocolSession;
  readonly #transport: Transport;
  readonly #deadlines: Deadlines;
  readonly #credentials: Credentials;
  /** Of a lazy connection. */
  readonly #demand: Demand | undefined;
  /** While it waits for the last calls. */
  #closing: ConnectionStatus | undefined;

  constructor(url: UrlOption, options: ConnectOptions) {
    const { report, recorder, failed } = this.#announcer;
    const eased = (): void => this.#demand?.look();
    const deadlines = new Deadlines({ now, onError: report });
    this.#deadlines = deadlines;
    this.#options = resolveConnectOptions(options);
    this.onion = onionOf(options.intercept);
    this.#credentials = new Credentials(options.auth);
    this.#pending = new PendingCalls(deadlines, now, failed, eased);
    this.#outbox = new Outbox(new SendQueue<Outbound>(this.#options.queue), this.#pending.resends, () => {
      this.#backlog.look();
    });
    this.#backlog = this.#watchBacklog();
    this.#lossy = new LossyPublishes(this.#outbox, deadlines, this.#pending.order, eased);
    this.#pending.writeTo(this.#outbox, this.#lossy);
    this.subscriptions = new Subscriptions(this.#outbox, deadlines, now, report, recorder.note, eased);
    this.#session = new ProtocolSession({
      pending: this.#pending,
      outbox: this.#outbox,
      subscriptions: this.subscriptions,
      flow: this.#options.flow,
      credentials: this.#credentials,
      random: options.random ?? Math.random,
      now,
      stableAfterMs: (options.reconnect || undefined)?.stableAfterMs ?? TRANSPORT_DEFAULTS.reconnect.stableAfterMs,
      report,
      note: recorder.note,
      entered: (status) => {
        this.#entered(status);
      },
      becameAnother: () => {
        this.#becameAnother();
      },
    });
    const transportOptions = { ...options, url, protocols: [SUBPROTOCOL], onError: report };
    this.#transport = new WebSocketTransport(this.#session, resolveTransportOptions(transportOptions), {
      credentials: this.#credentials,
      watchHost: (resolved, actions) => new LifecycleEngine(resolved, actions),
      moveFrom: (owner, present, predecessor) => new SeamlessMove(owner, present, predecessor),
    });
    const { lazy, idleMs } = this.#options;
    const isNeeded = (): boolean => !this.#pending.isIdle || !this.#lossy.isIdle || this.subscriptions.size > 0;
    if (lazy) this.#demand = new Demand({ transport: this.#transport, deadlines, now, idleMs, isNeeded });
    else this.#transport.connect();
  }

  /** Of a call that names none, ms. */
  get timeoutMs(): number {
    return this.#options.timeoutMs;
  }

  get status(): ConnectionStatus {
    const { status } = this.#transport;
    return status.state === 'closed' ? status : (this.#closing ?? status);
  }

  on<Name extends keyof ConnectionEvents>(event: Name, listener: ConnectionEvents[Name]): () => void {
    return this.#announcer.on(event, listener);
  }

  reconnect(options: ReconnectRequest = {}): void {
    this.#announcer.recorder.note('reconnect', { seamless: options.seamless });
    this.#transport.reconnect(options);
  }

  setAuth(auth: AuthOption | null): void {
    this.#credentials.replace(auth ?? undefined);
    this.#announcer.recorder.note('auth', { step: auth === null ? 'removed' : 'replaced' });
    this.#session.changeIdentity();
    const { state } = this.#transport.status;
    if (state !== 'closed' && state !== 'suspended' && state !== 'idle') this.#transport.reconnect();
  }

  wake(): void {
    this.#announcer.recorder.note('wake');
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
    return this.#announcer.recorder.happenings;
  }

  stats(): ConnectionStats {
    return {
      rttMs: this.#session.roundTrip.smoothedMs,
      queued: this.#outbox.queued,
      bufferedAmount: this.#session.current?.link.bufferedAmount,
      backlogBytes: this.#outbox.backlogBytes,
      evicted: this.#lossy.evicted,
      inFlight: this.#pending.size,
      subscriptions: this.subscriptions.size,
      reconnects: Math.max(0, this.#session.connections - 1),
      gaps: this.subscriptions.gaps,
    };
  }

  /** Names the codec in the greeting. @throws TypeError when another contract on this connection has another one. */
  speak(codec: string): void {
    this.#session.codec ??= codec;
    if (this.#session.codec !== codec) {
      throw new TypeError(
        `A connection speaks one codec: this contract wants ${codec}, an earlier one ${this.#session.codec}. Give both the same, or connect twice.`,
      );
    }
    // The greeting has gone out without it: another one is due.
    if (this.#session.current !== undefined && this.#session.toldCodec !== codec) this.#transport.reconnect();
  }

  /** Sends a request and settles it exactly once. `check` runs first, in the order of the requests. */
  request(
    request: CallRequest,
    { signal, timeoutMs = this.#options.timeoutMs }: PublishOptions,
    check: () => void | Promise<void>,
    resolve: (output: unknown) => void,
    reject: (error: TautlineError) => void,
  ): Call | undefined {
    checkPositive('timeoutMs', timeoutMs);
    const refusal = this.#refusal(request, signal);
    if (refusal === undefined) {
      const terms = { signal, timeoutMs, deadlineAt: now() + timeoutMs };
      const call = this.#pending.start(request, terms, check, resolve, reject);
      this.#demand?.rose();
      return call;
    }
    this.#announcer.failed(refusal);
    reject(refusal);
    return undefined;
  }

  /** Writes a publication if it can, before its deadline, and drops it if not. */
  publishLossy(
    request: LossyRequest,
    { signal, timeoutMs = this.#options.timeoutMs }: PublishOptions,
    check: () => void | Promise<void>,
    waiter: LossyWaiter,
  ): void {
    checkPositive('timeoutMs', timeoutMs);
    const refusal = this.#refusal({ path: request.path, bytes: utf8Length(request.payload) }, signal);
    if (refusal?.code === 'CLOSED') waiter.resolve('closed');
    else if (refusal?.code === 'OFFLINE') waiter.resolve('offline');
    else if (refusal !== undefined) waiter.reject(refusal);
    else this.#lossy.start(request, { signal, timeoutMs, deadlineAt: now() + timeoutMs }, check, waiter);
    this.#demand?.rose();
  }

  /** Listens to a topic. On a closed connection the subscription ends at once. */
  subscribe(...args: Parameters<Subscriptions['subscribe']>): Subscriber {
    const subscription = this.subscriptions.subscribe(...args);
    if (this.status.state === 'closed') this.#endSubscriptions(this.status.cause);
    else this.#demand?.rose();
    return subscription;
  }

  /** Why a request can't even wait. */
  #refusal(request: Pick<CallRequest, 'path' | 'bytes'>, signal: AbortSignal | undefined): TautlineError | undefined {
    const { queue } = this.#options;
    const whileOffline = this.#demand?.isOpening === true ? 'wait' : this.#options.whileOffline;
    const maxBytes = Math.min(this.#session.welcome?.limits.frameBytes ?? Infinity, queue.maxBytes);
    return refusalOf(request, { status: this.status, whileOffline, signal, maxBytes });
  }

  #watchBacklog(): Backlog {
    return new Backlog({
      marks: this.#options.flow,
      bytes: () => this.#outbox.backlogBytes,
      tell: (event) => {
        const { messages, bytes } = this.#outbox.queued;
        this.#announcer.recorder.note(event, { messages, bytes, unanswered: this.#outbox.backlogBytes - bytes });
        this.#announcer.emit(event);
      },
    });
  }

  #becameAnother(): void {
    this.#endCalls((call) => {
      call.fail('UNAUTHENTICATED', 'the connection now belongs to another identity');
    });
    this.subscriptions.reset();
  }

  /** Waits until nothing is pending or time is up; `false` when it was closed meanwhile, and perhaps revived. */
  async #drain(timeoutMs: number): Promise<boolean> {
    if (this.#closing === undefined) {
      const begun = (this.#closing = Object.freeze({ state: 'closing' }));
      this.#announcer.recorder.note('close', { drain: true });
      // Whoever was told of it may have closed the connection.
      if (this.#closing === begun) this.#announcer.entered(begun);
    }
    const closing = this.#closing;
    let late: Deadline | undefined;
    const timeUp = new Promise<void>((resolve) => {
      late = this.#deadlines.add(now() + timeoutMs, resolve);
    });
    await Promise.race([this.#pending.idle(), timeUp]);
    if (late !== undefined) this.#deadlines.remove(late);
    return this.#closing === closing;
  }

  #entered(status: ConnectionStatus): void {
    this.#demand?.entered(status);
    if (status.state === 'closed') this.#closing = undefined;
    else if (this.#closing !== undefined) return; // lost sockets come back, but nobody need know
    if (status.state === 'closed') {
      const code = codeOfEnd(status.cause);
      const what = describeEnd(status.cause);
      this.#endCalls((call) => {
        call.fail(code, what, { cause: status.cause.error });
      });
      this.#endSubscriptions(status.cause);
    }
    this.#announcer.entered(status);
  }

  #endSubscriptions(cause: CloseCause): void {
    this.subscriptions.endAll(
      () => new TautlineError(codeOfEnd(cause), `${describeEnd(cause)}.`, { outcome: 'not-sent' }),
    );
  }

  #endCalls(end: (call: Call) => void): void {
    this.#lossy.endAll();
    this.#outbox.clear();
    this.#pending.endAll(end);
  }
}

/** Monotonic: deadlines are durations, and the wall clock jumps. */
function now(): number {
  return performance.now();
}

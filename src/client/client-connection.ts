import { createNanoEvents } from 'nanoevents';
import { TautlineError, type SystemCode } from '../errors.ts';
import { Deadlines } from '../primitives/deadlines.ts';
import { emitIsolated } from '../primitives/emit.ts';
import { SendQueue } from '../primitives/send-queue.ts';
import { CloseCode, closeReaction } from '../protocol/close-codes.ts';
import { SUBPROTOCOL } from '../protocol/messages.ts';
import type { CloseCause, ConnectionStatus, Transport } from '../transport/transport.ts';
import { TRANSPORT_DEFAULTS, type UrlOption } from '../transport/transport-options.ts';
import { createWebSocketTransport } from '../transport/web-socket-transport.ts';
import type { Call, CallRequest } from './call.ts';
import {
  checkPositive,
  resolveConnectOptions,
  type ConnectOptions,
  type ResolvedConnectOptions,
} from './connect-options.ts';
import type { Connection, ConnectionEvents, ConnectionStats } from './connection.ts';
import { Outbox, type Outbound } from './outbox.ts';
import { PendingCalls } from './pending-calls.ts';
import { ProtocolSession } from './protocol-session.ts';
import type { Subscription } from './subscription.ts';
import { Subscriptions } from './subscriptions.ts';

/** Options of one call or publish. */
export interface CallOptions {
  /** Aborts it: what waits is taken back, what was sent is cancelled at the server. */
  readonly signal?: AbortSignal | undefined;
  /** From the call to the answer, queueing included, ms. @default the connection's */
  readonly timeoutMs?: number | undefined;
}

/** A {@link Connection} with what the typed client needs of it. */
export class ClientConnection implements Connection {
  readonly subscriptions: Subscriptions;
  readonly #emitter = createNanoEvents<ConnectionEvents>();
  readonly #options: ResolvedConnectOptions;
  readonly #pending: PendingCalls;
  readonly #outbox: Outbox;
  readonly #session: ProtocolSession;
  readonly #transport: Transport;

  constructor(url: UrlOption, options: ConnectOptions) {
    const { report } = this;
    const deadlines = new Deadlines({ now, onError: report });
    this.#options = resolveConnectOptions(options);
    this.#pending = new PendingCalls(deadlines, now);
    this.#outbox = new Outbox(new SendQueue<Outbound>(this.#options.queue), this.#pending);
    this.#pending.writeTo(this.#outbox);
    this.subscriptions = new Subscriptions(this.#outbox, deadlines, now, report);
    this.#session = new ProtocolSession({
      pending: this.#pending,
      outbox: this.#outbox,
      subscriptions: this.subscriptions,
      now,
      stableAfterMs: (options.reconnect || undefined)?.stableAfterMs ?? TRANSPORT_DEFAULTS.reconnect.stableAfterMs,
      report,
      entered: (status) => {
        this.#entered(status);
      },
      becameAnother: () => {
        this.#becameAnother();
      },
    });
    this.#transport = createWebSocketTransport(this.#session, {
      ...options,
      url,
      protocols: [SUBPROTOCOL],
      onError: report,
    });
    this.#transport.connect();
  }

  get status(): ConnectionStatus {
    return this.#transport.status;
  }

  on<Name extends keyof ConnectionEvents>(event: Name, listener: ConnectionEvents[Name]): () => void {
    return this.#emitter.on(event, listener);
  }

  reconnect(): void {
    this.#transport.reconnect();
  }

  wake(): void {
    this.#transport.wake();
  }

  suspend(reason = 'suspended by the app'): void {
    this.#transport.suspend(reason);
  }

  close(): Promise<void> {
    this.#transport.close();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  stats(): ConnectionStats {
    return {
      rttMs: this.#session.roundTrip.smoothedMs,
      queued: this.#outbox.queued,
      bufferedAmount: this.#session.current?.link.bufferedAmount,
      inFlight: this.#pending.size,
      subscriptions: this.subscriptions.size,
      reconnects: Math.max(0, this.#session.connections - 1),
      gaps: this.subscriptions.gaps,
    };
  }

  /** Names the codec in the greeting. @throws TypeError when another contract on this connection has another one. */
  speak(codec: string): void {
    this.#session.codec ??= codec;
    if (this.#session.codec === codec) return;
    throw new TypeError(
      `A connection speaks one codec: this contract wants ${codec}, an earlier one ${this.#session.codec}. Give both the same, or connect twice.`,
    );
  }

  /** Sends a request and settles it exactly once. `check` runs first, in the order of the requests. */
  request(
    request: CallRequest,
    { signal, timeoutMs = this.#options.timeoutMs }: CallOptions,
    check: () => void | Promise<void>,
    resolve: (output: unknown) => void,
    reject: (error: TautlineError) => void,
  ): void {
    checkPositive('timeoutMs', timeoutMs);
    const refusal = this.#refusal(request, signal);
    if (refusal !== undefined) reject(refusal);
    else {
      const terms = { signal, timeoutMs, deadlineAt: now() + timeoutMs };
      this.#pending.start(request, terms, check, resolve, reject);
    }
  }

  /** Listens to a topic. On a closed connection the subscription ends at once. */
  subscribe(...args: Parameters<Subscriptions['subscribe']>): Subscription {
    const subscription = this.subscriptions.subscribe(...args);
    if (this.status.state === 'closed') this.#endSubscriptions(this.status.cause);
    return subscription;
  }

  /** Reports what no caller waits for. */
  readonly report = (error: unknown): void => {
    if ((this.#emitter.events.error?.length ?? 0) > 0) emitIsolated(this.#emitter, 'error', [error], logError);
    else logError(error);
  };

  /** Why a request can't even wait. */
  #refusal({ path, bytes }: CallRequest, signal: AbortSignal | undefined): TautlineError | undefined {
    const error = (code: SystemCode, what: string, remedy?: string, cause?: unknown): TautlineError =>
      new TautlineError(code, `${path}: ${what}.`, {
        outcome: 'not-sent',
        retryable: code === 'OFFLINE',
        path,
        remedy,
        cause,
      });
    if (signal?.aborted === true)
      return error('ABORTED', 'the signal was aborted before the call', undefined, signal.reason);
    const { status } = this;
    if (status.state === 'closed') {
      return error('CLOSED', describeEnd(status.cause), 'Call connection.reconnect() first.');
    }
    if (this.#options.whileOffline === 'fail' && status.state !== 'connected') {
      return error('OFFLINE', `there is no connection (${status.state}), and whileOffline is 'fail'`);
    }
    const limit = Math.min(this.#session.welcome?.limits.frameBytes ?? Infinity, this.#options.queue.maxBytes);
    if (bytes > limit) {
      return error(
        'TOO_LARGE',
        `its ${String(bytes)} bytes are more than the ${String(limit)} allowed`,
        'Send it in parts.',
      );
    }
    return undefined;
  }

  #becameAnother(): void {
    this.#endCalls((call) => {
      call.fail('UNAUTHENTICATED', 'the connection now belongs to another identity');
    });
    this.subscriptions.reset();
  }

  #entered(status: ConnectionStatus): void {
    if (status.state === 'closed') {
      const code = codeOfEnd(status.cause);
      const what = describeEnd(status.cause);
      this.#endCalls((call) => {
        call.fail(code, what, { cause: status.cause.error });
      });
      this.#endSubscriptions(status.cause);
    }
    emitIsolated(this.#emitter, 'status', [status], this.report);
  }

  #endSubscriptions(cause: CloseCause): void {
    this.subscriptions.endAll(
      () => new TautlineError(codeOfEnd(cause), `${describeEnd(cause)}.`, { outcome: 'not-sent' }),
    );
  }

  #endCalls(end: (call: Call) => void): void {
    this.#pending.endAll(this.#outbox.clear(), end);
  }
}

function codeOfEnd({ code, by }: CloseCause): SystemCode {
  if (by === 'app') return 'CLOSED';
  if (closeReaction(code) === 'credentials') return 'UNAUTHENTICATED';
  return code === CloseCode.FORBIDDEN || code === CloseCode.IANA_FORBIDDEN ? 'FORBIDDEN' : 'CLOSED';
}

function describeEnd({ code, reason, by }: CloseCause): string {
  return `the connection is closed (by ${by}, code ${String(code)}${reason === '' ? '' : `: ${reason}`})`;
}

function logError(error: unknown): void {
  const { reportError } = globalThis as { reportError?: (error: unknown) => void };
  if (reportError !== undefined) reportError(error);
  // eslint-disable-next-line no-console -- the last resort, where the platform has no reportError
  else console.error(error);
}

/** Monotonic: deadlines are durations, and the wall clock jumps. */
function now(): number {
  return performance.now();
}

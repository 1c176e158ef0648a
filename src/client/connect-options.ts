import type { Interceptor } from './interceptor.ts';
import type { TransportOptions } from '../transport/transport-options.ts';

/** Bounds of what waits for the socket. */
export interface QueueOptions {
  /** @default 10_000 */
  readonly maxMessages?: number | undefined;
  /** UTF-8 bytes of their payloads. @default 16 MiB */
  readonly maxBytes?: number | undefined;
}

/** Watermarks of what lies between the client and the server. */
export interface FlowOptions {
  /**
   * At most so many bytes are written that the server is not known to have taken in; also the level of queue and
   * buffer together that is told as `congested`. @default 1 MiB
   */
  readonly highWaterMark?: number | undefined;
  /** Below so many bytes writing goes on, and `drained` is told. @default 256 KiB, a quarter of a lower high mark */
  readonly lowWaterMark?: number | undefined;
}

/** Options of {@link connect}. */
export interface ConnectOptions extends Omit<TransportOptions, 'url' | 'protocols' | 'onError'> {
  /** A call and a publish, from the call to the answer, a stream to its first item, queueing included, ms. @default 30_000 */
  readonly timeoutMs?: number | undefined;
  readonly queue?: QueueOptions | undefined;
  readonly flow?: FlowOptions | undefined;
  /**
   * Stands around every call: headers, tracing, logging, another try. One, or a list, the first outermost.
   * @default none
   */
  readonly intercept?: Interceptor | readonly Interceptor[] | undefined;
  /**
   * `fail`: calls made without a connection reject at once with `OFFLINE`. A `lazy` connection that is idle, or on its
   * way from there to its first socket, is not offline: they wait for that. @default 'wait'
   */
  readonly whileOffline?: 'wait' | 'fail' | undefined;
  /**
   * Stay `idle` until the first call, publish, stream or subscription, or `reconnect()`, and become it again after
   * `idleMs` without any: nothing unsettled, nothing that waits, no topic listened to. The socket is closed with 1000,
   * so that the server forgets this client at once. The next use connects at once, except for what is left of a delay
   * after a failure, and never more than ten times a minute. While idle there is no timer, the host is not listened to,
   * and `wake()`, `suspend()` and `setAuth()` begin no attempt. @default false
   */
  readonly lazy?: boolean | undefined;
  /** Time without use after which a `lazy` connection becomes idle, ms; `Infinity` for never. @default 60_000 */
  readonly idleMs?: number | undefined;
}

/** {@link ConnectOptions} of the connection itself, checked and with defaults. */
export interface ResolvedConnectOptions {
  readonly timeoutMs: number;
  readonly queue: { readonly maxMessages: number; readonly maxBytes: number };
  readonly flow: { readonly highWaterMark: number; readonly lowWaterMark: number };
  readonly whileOffline: 'wait' | 'fail';
  readonly lazy: boolean;
  readonly idleMs: number;
}

/** Defaults of {@link ConnectOptions}. */
export const CONNECT_DEFAULTS: ResolvedConnectOptions = {
  timeoutMs: 30_000,
  queue: { maxMessages: 10_000, maxBytes: 16 * 1024 * 1024 },
  flow: { highWaterMark: 1024 * 1024, lowWaterMark: 256 * 1024 },
  whileOffline: 'wait',
  lazy: false,
  idleMs: 60_000,
};

/**
 * Checks options and fills in the defaults.
 * @throws RangeError for a number that is no positive one
 * @throws TypeError for another value that makes no sense
 */
export function resolveConnectOptions(options: ConnectOptions): ResolvedConnectOptions {
  const { timeoutMs = CONNECT_DEFAULTS.timeoutMs, whileOffline = CONNECT_DEFAULTS.whileOffline, queue } = options;
  const { lazy = CONNECT_DEFAULTS.lazy, idleMs = CONNECT_DEFAULTS.idleMs } = options;
  const { maxMessages = CONNECT_DEFAULTS.queue.maxMessages, maxBytes = CONNECT_DEFAULTS.queue.maxBytes } = queue ?? {};
  if (!['wait', 'fail'].includes(whileOffline)) {
    throw new TypeError(`whileOffline must be 'wait' or 'fail', not ${JSON.stringify(whileOffline)}`);
  }
  if (typeof lazy !== 'boolean') throw new TypeError(`lazy must be true or false, not ${JSON.stringify(lazy)}`);
  if (!lazy && options.idleMs !== undefined) throw new TypeError('idleMs needs lazy: true');
  for (const name of ['queue', 'flow', 'reconnect', 'heartbeat'] as const) checkGroup(name, options[name]);
  checkPositive('timeoutMs', timeoutMs);
  checkPositive('idleMs', idleMs);
  checkPositive('queue.maxMessages', maxMessages);
  checkPositive('queue.maxBytes', maxBytes);
  const queueBounds = { maxMessages, maxBytes };
  return { timeoutMs, whileOffline, lazy, idleMs, queue: queueBounds, flow: resolveFlow(options.flow) };
}

function resolveFlow({ highWaterMark, lowWaterMark }: FlowOptions = {}): ResolvedConnectOptions['flow'] {
  const high = highWaterMark ?? CONNECT_DEFAULTS.flow.highWaterMark;
  checkPositive('flow.highWaterMark', high);
  const low = lowWaterMark ?? Math.min(CONNECT_DEFAULTS.flow.lowWaterMark, high / 4);
  checkPositive('flow.lowWaterMark', low);
  if (low >= high) {
    throw new RangeError(`flow.lowWaterMark must be below flow.highWaterMark (${String(high)}), not ${String(low)}`);
  }
  return { highWaterMark: high, lowWaterMark: low };
}

function checkGroup(name: 'queue' | 'flow' | 'reconnect' | 'heartbeat', value: unknown): void {
  const mayBeOff = name === 'reconnect' || name === 'heartbeat';
  if (value === undefined || (value === false && mayBeOff) || (typeof value === 'object' && value !== null)) return;
  throw new TypeError(`${name} must be an object${mayBeOff ? ' or false' : ''}, not ${JSON.stringify(value)}`);
}

/** @throws RangeError unless the number is above 0. */
export function checkPositive(name: string, value: number): void {
  if (typeof value !== 'number' || !(value > 0)) {
    throw new RangeError(`${name} must be a number above 0, not ${String(value)}`);
  }
}

import type { TransportOptions } from '../transport/transport-options.ts';

/** Bounds of what waits for the socket. */
export interface QueueOptions {
  /** @default 10_000 */
  readonly maxMessages?: number | undefined;
  /** UTF-8 bytes of their payloads. @default 16 MiB */
  readonly maxBytes?: number | undefined;
}

/** Options of {@link connect}. */
export interface ConnectOptions extends Omit<TransportOptions, 'url' | 'protocols' | 'onError'> {
  /** A call and a publish, from the call to the answer, queueing included, ms. @default 30_000 */
  readonly timeoutMs?: number | undefined;
  readonly queue?: QueueOptions | undefined;
  /** `fail`: calls made without a connection reject at once with `OFFLINE`. @default 'wait' */
  readonly whileOffline?: 'wait' | 'fail' | undefined;
}

/** {@link ConnectOptions} of the connection itself, checked and with defaults. */
export interface ResolvedConnectOptions {
  readonly timeoutMs: number;
  readonly queue: { readonly maxMessages: number; readonly maxBytes: number };
  readonly whileOffline: 'wait' | 'fail';
}

/** Defaults of {@link ConnectOptions}. */
export const CONNECT_DEFAULTS: ResolvedConnectOptions = {
  timeoutMs: 30_000,
  queue: { maxMessages: 10_000, maxBytes: 16 * 1024 * 1024 },
  whileOffline: 'wait',
};

/**
 * Checks options and fills in the defaults.
 * @throws RangeError for a number that is no positive one
 * @throws TypeError for another value that makes no sense
 */
export function resolveConnectOptions(options: ConnectOptions): ResolvedConnectOptions {
  const { timeoutMs = CONNECT_DEFAULTS.timeoutMs, whileOffline = CONNECT_DEFAULTS.whileOffline, queue } = options;
  const { maxMessages = CONNECT_DEFAULTS.queue.maxMessages, maxBytes = CONNECT_DEFAULTS.queue.maxBytes } = queue ?? {};
  if (!['wait', 'fail'].includes(whileOffline)) {
    throw new TypeError(`whileOffline must be 'wait' or 'fail', not ${JSON.stringify(whileOffline)}`);
  }
  checkPositive('timeoutMs', timeoutMs);
  checkPositive('queue.maxMessages', maxMessages);
  checkPositive('queue.maxBytes', maxBytes);
  return { timeoutMs, whileOffline, queue: { maxMessages, maxBytes } };
}

/** @throws RangeError unless the number is above 0. */
export function checkPositive(name: string, value: number): void {
  if (typeof value !== 'number' || !(value > 0)) {
    throw new RangeError(`${name} must be a number above 0, not ${String(value)}`);
  }
}

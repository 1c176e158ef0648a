import { DEVELOPMENT } from '../../development.ts';
import type { TransportOptions } from '../../transport/transport-options.ts';
import { checkPositive } from './check-positive.ts';

/** Bounds of what waits for the socket. */
export interface QueueOptions {
  /** @default 10_000 */
  readonly maxMessages?: number | undefined;
  /** UTF-8 bytes of their payloads. @default 16 MiB */
  readonly maxBytes?: number | undefined;
}

/** Options of a connection itself, whatever it uses. */
export interface KernelOptions extends Omit<
  TransportOptions,
  'url' | 'protocols' | 'onError' | 'auth' | 'lifecycle' | 'suspendAfterHiddenMs'
> {
  /** A call and a publish, from the call to the answer, a stream to its first item, queueing included, ms. @default 30_000 */
  readonly timeoutMs?: number | undefined;
  readonly queue?: QueueOptions | undefined;
  /**
   * `fail`: calls made without a connection reject at once with `OFFLINE`. A `lazy` connection that is idle, or on its
   * way from there to its first socket, is not offline: they wait for that. @default 'wait'
   */
  readonly whileOffline?: 'wait' | 'fail' | undefined;
}

/** {@link KernelOptions} of the connection itself, with defaults. */
export interface ResolvedKernelOptions {
  readonly timeoutMs: number;
  readonly queue: { readonly maxMessages: number; readonly maxBytes: number };
  readonly whileOffline: 'wait' | 'fail';
}

/** Defaults of {@link KernelOptions}. */
export const KERNEL_DEFAULTS: ResolvedKernelOptions = {
  timeoutMs: 30_000,
  queue: { maxMessages: 10_000, maxBytes: 16 * 1024 * 1024 },
  whileOffline: 'wait',
};

/**
 * Fills in the defaults, and checks numbers; the rest is checked in development.
 * @throws RangeError for a number that is no positive one
 * @throws TypeError for another value that makes no sense
 */
export function resolveKernelOptions(options: KernelOptions): ResolvedKernelOptions {
  const { timeoutMs = KERNEL_DEFAULTS.timeoutMs, whileOffline = KERNEL_DEFAULTS.whileOffline } = options;
  if (DEVELOPMENT) checkShapes(options);
  const { maxMessages = KERNEL_DEFAULTS.queue.maxMessages, maxBytes = KERNEL_DEFAULTS.queue.maxBytes } =
    options.queue ?? {};
  checkPositive('timeoutMs', timeoutMs);
  checkPositive('queue.maxMessages', maxMessages);
  checkPositive('queue.maxBytes', maxBytes);
  return { timeoutMs, whileOffline, queue: { maxMessages, maxBytes } };
}

/** @throws TypeError for what is no value of its option */
function checkShapes(options: KernelOptions & { readonly flow?: unknown; readonly topics?: unknown }): void {
  const { whileOffline = 'wait' } = options;
  if (!['wait', 'fail'].includes(whileOffline)) {
    throw new TypeError(`whileOffline must be 'wait' or 'fail', not ${JSON.stringify(whileOffline)}`);
  }
  for (const name of ['queue', 'flow', 'topics', 'reconnect', 'heartbeat'] as const) {
    const value: unknown = options[name];
    const mayBeOff = name === 'reconnect' || name === 'heartbeat';
    if (value === undefined || (value === false && mayBeOff) || (typeof value === 'object' && value !== null)) continue;
    throw new TypeError(`${name} must be an object${mayBeOff ? ' or false' : ''}, not ${JSON.stringify(value)}`);
  }
}

import { DEVELOPMENT } from '../development.ts';
import type { TransportOptions } from '../transport/transport-options.ts';
import { FLOW_DEFAULTS, resolveFlow, type FlowOptions } from './flow/flow.ts';
import type { FlowMarks } from '../primitives/flow-control.ts';
import type { Interceptor } from './interceptors/interceptor.ts';
import {
  KERNEL_DEFAULTS,
  resolveKernelOptions,
  type KernelOptions,
  type ResolvedKernelOptions,
} from './kernel/connect-options.ts';
import { checkPositive } from './kernel/check-positive.ts';
import { LAZY_DEFAULTS } from './lazy/lazily.ts';
import { resolveTopics, TOPICS_DEFAULTS, type TopicsOptions } from './topics/warm-topics.ts';

/** Options of {@link connect}. */
export interface ConnectOptions
  extends KernelOptions, Pick<TransportOptions, 'auth' | 'lifecycle' | 'suspendAfterHiddenMs'> {
  readonly flow?: FlowOptions | undefined;
  readonly topics?: TopicsOptions | undefined;
  /**
   * Stands around every call: headers, tracing, logging, another try. One, or a list, the first outermost.
   * @default none
   */
  readonly intercept?: Interceptor | readonly Interceptor[] | undefined;
  /**
   * Stay `idle` until the first call, publish, stream or subscription, or `reconnect()`, and become it again after
   * `idleMs` without any: nothing unsettled, nothing that waits, no topic listened to. The socket is closed with 1000,
   * so that the server forgets this client at once. The next use connects at once, except for what is left of a delay
   * after a failure, and never more than ten times a minute. While idle there is no timer, the host is not listened to,
   * and `wake()`, `suspend()` and `setAuth()` begin no attempt. @default false in a page; on a server true, unless it is
   * given a `WebSocket`: a module that is shared with pages opens no socket there, and keeps no build waiting
   */
  readonly lazy?: boolean | undefined;
  /** Time without use after which a `lazy` connection becomes idle, ms; `Infinity` for never. @default 60_000 */
  readonly idleMs?: number | undefined;
}

/** {@link ConnectOptions} of the connection itself, with defaults. */
export interface ResolvedConnectOptions extends ResolvedKernelOptions {
  readonly flow: FlowMarks;
  readonly topics: typeof TOPICS_DEFAULTS;
  readonly lazy: boolean;
  readonly idleMs: number;
}

/** Defaults of {@link ConnectOptions}. */
export const CONNECT_DEFAULTS: ResolvedConnectOptions = {
  ...KERNEL_DEFAULTS,
  flow: FLOW_DEFAULTS,
  topics: TOPICS_DEFAULTS,
  lazy: false,
  ...LAZY_DEFAULTS,
};

/** Node and the like, without a page. */
function isServer(): boolean {
  const { document, process } = globalThis as { document?: unknown; process?: { versions?: { node?: string } } };
  return document === undefined && process?.versions?.node !== undefined;
}

/**
 * Checks options and fills in the defaults.
 * @throws RangeError for a number that is no positive one
 * @throws TypeError for another value that makes no sense
 */
export function resolveConnectOptions(options: ConnectOptions): ResolvedConnectOptions {
  const { lazy = options.WebSocket === undefined && isServer(), idleMs = LAZY_DEFAULTS.idleMs } = options;
  if (DEVELOPMENT) {
    if (typeof lazy !== 'boolean') throw new TypeError(`lazy must be true or false, not ${JSON.stringify(lazy)}`);
    if (!lazy && options.idleMs !== undefined) throw new TypeError('idleMs needs lazy: true');
  }
  checkPositive('idleMs', idleMs);
  return {
    ...resolveKernelOptions(options),
    flow: resolveFlow(options.flow),
    topics: resolveTopics(options.topics),
    lazy,
    idleMs,
  };
}

import type {
  Complete,
  ResolvedTransportOptions,
  TransportOptions,
  UrlOption,
  UrlRequest,
} from '../transport-options.ts';
import { DEVELOPMENT } from '../../development.ts';
import { definedOf, resolveTransportOptions } from '../transport-options.ts';

/** Subprotocols to ask for, or a function that is asked anew for every attempt. */
export type ProtocolsOption =
  | string
  | readonly string[]
  | ((request: UrlRequest) => string | readonly string[] | undefined | Promise<string | readonly string[] | undefined>);

/** What may wait in a `ReconnectingWebSocket` for a socket. */
export interface WebSocketQueueOptions {
  /** @default 10_000 */
  readonly maxMessages?: number | undefined;
  /** @default 16_777_216 */
  readonly maxBytes?: number | undefined;
}

/** Third argument of `ReconnectingWebSocket`. */
export interface ReconnectingWebSocketOptions extends Pick<
  TransportOptions,
  'WebSocket' | 'connectTimeoutMs' | 'reconnect' | 'lifecycle' | 'random' | 'onError'
> {
  /** Used instead of the first argument: for code that can pass options and no URL. */
  readonly url?: UrlOption | undefined;
  /** Used instead of the second argument. */
  readonly protocols?: ProtocolsOption | undefined;
  /**
   * Whether another socket follows one that had opened. `false`: one life, as a native socket has: attempts that fail
   * are repeated until one opens, without `error` and `close`; nothing comes after `close`. For code that makes a new
   * socket by itself when it sees `close`, as most libraries do: with `true` there would then be two of them.
   * @default true
   */
  readonly reopen?: boolean | undefined;
  /** No attempt is made until `reconnect()` is called; what is sent until then waits. @default false */
  readonly startClosed?: boolean | undefined;
  /** Bounds of what `send()` may leave waiting. `false`: it throws while connecting, as the standard has it. */
  readonly queue?: WebSocketQueueOptions | false | undefined;
}

/** {@link ReconnectingWebSocketOptions}, checked and with defaults. */
export interface ResolvedOptions {
  readonly transport: ResolvedTransportOptions;
  readonly reopen: boolean;
  readonly startClosed: boolean;
  readonly queue: Complete<WebSocketQueueOptions> | false;
}

/** Defaults of {@link ReconnectingWebSocketOptions}; those of the rest are in `TRANSPORT_DEFAULTS`. */
export const RECONNECTING_WEB_SOCKET_DEFAULTS: {
  readonly reopen: boolean;
  readonly queue: Complete<WebSocketQueueOptions>;
} = {
  reopen: true,
  queue: { maxMessages: 10_000, maxBytes: 16_777_216 },
};

/**
 * Fills in the defaults. `url` is what attempts connect to, a function where anything is one.
 * @throws TypeError for a value of the wrong type, in development
 * @throws RangeError for a number that makes no sense, in development
 */
export function resolveOptions(options: ReconnectingWebSocketOptions, url: UrlOption): ResolvedOptions {
  const { queue, reopen = RECONNECTING_WEB_SOCKET_DEFAULTS.reopen, startClosed = false } = options;
  if (DEVELOPMENT && typeof reopen !== 'boolean') {
    throw new TypeError(`reopen must be true or false, not ${String(reopen)}`);
  }
  return {
    transport: resolveTransportOptions({ ...options, url, protocols: [], heartbeat: false }),
    reopen,
    startClosed,
    queue: queue !== false && { ...RECONNECTING_WEB_SOCKET_DEFAULTS.queue, ...definedOf(queue) },
  };
}

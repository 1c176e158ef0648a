import type { CloseCause } from '../transport.ts';

/** A `reconnecting` event: another attempt will be made. */
export interface ReconnectingEvent extends Event {
  /** Number of the attempt that comes, from 1; back at 1 after a connection that was stable. */
  readonly attempt: number;
  /** Time until it, ms. */
  readonly delayMs: number;
  /** What it follows. */
  readonly cause: CloseCause;
}

/** Events of a `ReconnectingWebSocket`. */
export interface ReconnectingWebSocketEventMap extends WebSocketEventMap {
  /** Another attempt will be made. Follows the `close` of a lost socket, or an attempt that failed. */
  reconnecting: ReconnectingEvent;
}

/** How a socket ended, as its `close` event tells it. */
export interface WebSocketEnd {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
}

export function reconnectingEvent(details: Pick<ReconnectingEvent, 'attempt' | 'delayMs' | 'cause'>): Event {
  return Object.assign(new Event('reconnecting'), details);
}

/** The standard's is a bare event. What is known of the cause, in `error`, is more than it asks for. */
export function errorEvent(error: unknown): Event {
  const event = new Event('error');
  return error === undefined ? event : Object.assign(event, { error });
}

/** Not with the origin that the engine's has: some leave it out, and Deno puts the whole URL there. */
export function messageEvent(data: unknown, url: string): Event {
  return new MessageEvent('message', { data, origin: new URL(url).origin });
}

export function closeEvent({ code, reason, wasClean }: WebSocketEnd): Event {
  const init = { code, reason, wasClean };
  if (typeof globalThis.CloseEvent === 'function') return new globalThis.CloseEvent('close', init);
  standIn ??= makeStandIn();
  return new standIn('close', init);
}

type CloseEventConstructor = new (type: string, init: WebSocketEnd) => Event;

/** Node before 23 has no `CloseEvent`. Made when first needed: importing must touch no global. */
let standIn: CloseEventConstructor | undefined;

function makeStandIn(): CloseEventConstructor {
  return class CloseEvent extends Event implements WebSocketEnd {
    readonly code: number;
    readonly reason: string;
    readonly wasClean: boolean;

    constructor(type: string, { code, reason, wasClean }: WebSocketEnd) {
      super(type);
      this.code = code;
      this.reason = reason;
      this.wasClean = wasClean;
    }
  };
}

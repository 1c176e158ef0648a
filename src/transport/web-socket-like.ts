/** What is used of a WebSocket: the DOM's, Node's, `ws` and React Native's all have this shape. */
export interface WebSocketLike {
  readonly readyState: number;
  /** Not a number in React Native and in some runtimes. */
  readonly bufferedAmount?: number;
  readonly protocol: string;
  /** The handshake is done. */
  onopen: ((event: never) => unknown) | null;
  /** A message: `data` is a string, or binary. */
  onmessage: ((event: never) => unknown) | null;
  /** Something failed; a `close` usually follows. */
  onerror: ((event: never) => unknown) | null;
  /** It is over, with `code` and `reason`. */
  onclose: ((event: never) => unknown) | null;
  /** Throws while the socket is connecting. */
  send(data: string): void;
  /** Starts the closing handshake. */
  close(code?: number, reason?: string): void;
  /** Ends it at once, without the handshake, where there is such a thing: `ws` has it. */
  terminate?(): void;
}

/** Makes a {@link WebSocketLike}. */
export type WebSocketConstructor = new (url: string, protocols?: string | string[]) => WebSocketLike;

/** `readyState` of a socket that is open. */
export const OPEN = 1;
/** `readyState` of a socket that is closed. */
export const CLOSED = 3;

/** `readyState` of a socket, by the WHATWG standard. */
export const READY_STATE: { readonly CONNECTING: 0; readonly OPEN: 1; readonly CLOSING: 2; readonly CLOSED: 3 } = {
  CONNECTING: 0,
  OPEN,
  CLOSING: 2,
  CLOSED,
};

/** The constructor of this environment, if it has one. */
export function globalWebSocket(): WebSocketConstructor | undefined {
  return (globalThis as { readonly WebSocket?: WebSocketConstructor }).WebSocket;
}

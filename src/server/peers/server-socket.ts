/** One accepted WebSocket, as an adapter hands it to the engine: text frames out, and a way to end it. */
export interface ServerSocket {
  /** Hands over one text frame. */
  send(frame: string): void;
  /** Starts the closing handshake; must not wait for the peer for ever. */
  close(code: number, reason: string): void;
  /** Bytes handed to `send` that are still in this process; left off where the runtime does not tell. */
  readonly bufferedAmount?: number;
  /** Bytes that came in so far, of unfinished messages too: each is a sign of life. Left off where the runtime does not tell. */
  readonly bytesRead?: number;
  /**
   * Of the bytes handed to `send` those that the system has taken so far, of unfinished writes too. Left off where the
   * runtime does not tell: then `bufferedAmount` that falls says as much.
   */
  readonly bytesTaken?: number | undefined;
  /**
   * Calls back once, when what has come in so far was handled and before anything else is waited for. Events and items
   * gather until then, to go in fewer frames. Left off where the runtime knows no such moment: they gather for a
   * microtask.
   */
  later?(task: () => void): void;
  /** The frames that are sent until {@link ServerSocket.uncork} may go in one write. They count as buffered. */
  cork?(): void;
  /** Ends what {@link ServerSocket.cork} began. */
  uncork?(): void;
}

/** What is known of the HTTP request that became the socket. */
export interface ServerRequest {
  readonly url?: string;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string | string[] | undefined>>;
  readonly remoteAddress?: string;
}

/** What an adapter calls as its socket reports. None of them throws. */
export interface SocketHandler {
  /** A text message came. */
  message(data: string): void;
  /** A binary message came. */
  binary(): void;
  /** The socket is closed, by whomever; the code is the peer's, where it sent one. */
  closed(code?: number): void;
  /** The socket's buffer has emptied. */
  drained(): void;
}

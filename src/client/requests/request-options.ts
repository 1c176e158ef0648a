/** Options of a publish. */
export interface PublishOptions {
  /** Aborts it: what waits is taken back, what was sent is cancelled at the server. */
  readonly signal?: AbortSignal | undefined;
  /** From the call to the answer, queueing included, ms; of a stream to its first item. @default the connection's */
  readonly timeoutMs?: number | undefined;
}

/** Options of one call. */
export interface CallOptions extends PublishOptions {
  /**
   * Sent along, for the handler's `call.headers`: `{ traceparent: '00-…' }`. Texts only; `deadlineMs` is Tautline's own.
   * @default none
   */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Options of whatever is asked of the server. */
export type RequestOptions = CallOptions;

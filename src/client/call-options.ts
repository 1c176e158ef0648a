/** Options of one call or publish. */
export interface CallOptions {
  /** Aborts it: what waits is taken back, what was sent is cancelled at the server. */
  readonly signal?: AbortSignal | undefined;
  /** From the call to the answer, queueing included, ms. @default the connection's */
  readonly timeoutMs?: number | undefined;
}

/** Options of a publish. */
export interface PublishOptions {
  /** Aborts it: what waits is taken back, what was sent is cancelled at the server. */
  readonly signal?: AbortSignal | undefined;
  /** From the call to the answer, queueing included, ms; of a stream to its first item. @default the connection's */
  readonly timeoutMs?: number | undefined;
}

/** How far a large message of a call has come. */
export interface CallProgress {
  /** What it carries. */
  readonly direction: 'input' | 'output';
  /** The part of it that has arrived, above 0, at most 1. */
  readonly fraction: number;
}

/** Options of one call. */
export interface CallOptions extends PublishOptions {
  /**
   * Sent along, for the handler's `call.headers`: `{ traceparent: '00-…' }`. Texts only; `deadlineMs` is Tautline's own.
   * @default none
   */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /**
   * Hears how far a query or mutation has come whose input or output is large enough to travel in parts (above 16 KiB): of
   * the input what the server has taken in, of the output what is here. Not after the call has settled, perhaps not up to
   * 1, and from the beginning again where it is sent again. What it throws goes to the connection's `error` event.
   * @default nobody hears
   */
  readonly onProgress?: ((progress: CallProgress) => void) | undefined;
}

/** Options of whatever is asked of the server. */
export type RequestOptions = CallOptions;

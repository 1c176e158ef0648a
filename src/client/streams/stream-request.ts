import type { TautlineError } from '../../errors.ts';
import type { WireError } from '../../protocol/messages.ts';
import { utf8Length } from '../../protocol/utf8.ts';
import { headersSlot, type CallHeaders } from '../calls/call-headers.ts';
import type { LinkState, Slot } from '../kernel/link-state.ts';
import { Request } from '../kernel/request.ts';
import type { StreamCall, StreamParts } from './stream-call.ts';

/** The request of one run of a stream: its reply is the end, and before that come items. */
export class StreamRequest extends Request {
  readonly stream: StreamCall;
  #heard = false;
  readonly #parts: StreamParts;
  readonly #payload: string;
  readonly #headers: CallHeaders;

  constructor(
    stream: StreamCall,
    parts: StreamParts,
    payload: string,
    headers: CallHeaders,
    resolve: () => void,
    reject: (error: TautlineError) => void,
  ) {
    super(utf8Length(payload) + headers.bytes, resolve, reject);
    this.stream = stream;
    this.#parts = parts;
    this.#payload = payload;
    this.#headers = headers;
  }

  get path(): string {
    return this.#parts.path;
  }

  override get takesSlot(): Slot {
    return 'streams';
  }

  /** An item came. */
  override get isTakenIn(): boolean {
    return this.#heard;
  }

  item(seq: number, json: unknown, meta: unknown, isVetted: boolean): void {
    this.#heard = true;
    this.stream.take(this, seq, json, meta, isVetted);
  }

  protected message(leftMs: number, link: LinkState): string {
    return this.stream.writeOpen(this.id, headersSlot(this.#headers, leftMs), this.#payload, link);
  }

  protected read(): unknown {
    return this.stream.afterItems(() => undefined);
  }

  protected readError(
    error: WireError,
    json: unknown,
    meta: unknown,
    isVetted: boolean,
  ): TautlineError | Promise<TautlineError> {
    return this.stream.afterItems(() => this.#parts.readError(error, { json, meta, isVetted }));
  }
}

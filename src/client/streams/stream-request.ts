import type { TautlineError } from '../../errors.ts';
import type { WireError } from '../../protocol/messages.ts';
import { utf8Length } from '../../protocol/utf8.ts';
import { headersSlot, type CallHeaders } from '../calls/call-headers.ts';
import type { LinkState, Slot } from '../kernel/link-state.ts';
import { Request } from '../requests/request.ts';

/** Who reads the items of a stream. */
export interface StreamReader {
  /** An item came. */
  take(request: StreamRequest, seq: number, json: unknown, meta: unknown, isVetted: boolean): void;
  /** The `open`: from the start, or behind the last item that came. */
  writeOpen(id: number, headers: string, payload: string, link: LinkState): string;
  /** The server's last word is read when the items before it are. */
  afterItems<Answer>(read: () => Answer | Promise<Answer>): Answer | Promise<Answer>;
}

/** What a request of a stream asks, and how its end is read. */
export interface StreamRequestParts {
  /** Contract path. */
  readonly path: string;
  readonly readError: (
    error: WireError,
    data: { readonly json: unknown; readonly meta: unknown; readonly isVetted: boolean },
  ) => TautlineError | Promise<TautlineError>;
}

/** The request of one run of a stream: its reply is the end, and before that come items. */
export class StreamRequest extends Request {
  readonly stream: StreamReader;
  #heard = false;
  readonly #parts: StreamRequestParts;
  readonly #payload: string;
  readonly #headers: CallHeaders;

  constructor(
    stream: StreamReader,
    parts: StreamRequestParts,
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

  protected read(error: WireError | undefined, json: unknown, meta: unknown, isVetted: boolean): unknown {
    return this.stream.afterItems(() => error && this.#parts.readError(error, { json, meta, isVetted }));
  }
}

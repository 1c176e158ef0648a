/** A socket as calls see it: where an id was sent, and where alone it is answered. */
export interface AnswerSocket {
  /** Sends the message that settles an id, and frees its slot. */
  answer(id: number, message: string, kind: CallKind): void;
  /** The floor settled the id: frees its slot. */
  release(id: number): void;
}

/** What is kept of a call besides its answer, and goes with it. */
export interface Kept {
  /** It goes: whoever still waits for some of it is told the message, or nothing where nobody can be waiting. */
  drop(message: string | undefined): void;
  /** As much of it goes as the call can do without for now. */
  shrink(): void;
}

/** What a client can ask to be run. All but a query may change something. */
export type CallKind = 'query' | 'mutation' | 'stream' | 'publish';

/** One id in the memory of a client: running, or answered, or answered once with the answer dropped since. */
export class KnownCall {
  readonly id: number;
  readonly kind: CallKind;
  /** What was called: a repeated id must name the same. */
  readonly key: string;
  answer: string | undefined;
  kept: Kept | undefined;
  settled = false;
  /** A server that is dead has begun it: no error proves that nothing was done. */
  mayHaveRun = false;
  /** Told how it ended: the message that settled it, or nothing when nobody waited for it any more. */
  observer: ((message: string | undefined) => void) | undefined;
  /** Reasons to count it as work: it is not settled, its handler has not ended, it waits for its turn. */
  holds = 0;
  /** Its handler was called. */
  begun = false;
  /** It was aborted while it was work, and later given up: it goes on, and counts no more. */
  neglect: 'aborted' | 'given up' | undefined;
  /** Where it was sent: on one socket as a rule, and more when it was sent again. */
  #socket: AnswerSocket | undefined;
  #otherSockets: Set<AnswerSocket> | undefined;
  #atEnd: Array<() => void> | undefined;
  #controller: AbortController | undefined;
  #abortReason: unknown;

  constructor(id: number, kind: CallKind, key: string, socket: AnswerSocket) {
    this.id = id;
    this.kind = kind;
    this.key = key;
    this.#socket = socket;
  }

  /** Contract path. */
  get path(): string {
    return this.key.slice(this.key.indexOf(' ') + 1);
  }

  /** Made when first asked for: most handlers never look. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  /** It was sent on a socket, and is not settled there. */
  isOn(socket: AnswerSocket): boolean {
    return this.#socket === socket || this.#otherSockets?.has(socket) === true;
  }

  /** It was sent again. `false` when it is on this socket already. */
  addSocket(socket: AnswerSocket): boolean {
    if (this.isOn(socket)) return false;
    if (this.#socket === undefined && this.#otherSockets === undefined) this.#socket = socket;
    else (this.#otherSockets ??= new Set()).add(socket);
    return true;
  }

  removeSocket(socket: AnswerSocket): void {
    if (this.#socket === socket) this.#socket = undefined;
    else this.#otherSockets?.delete(socket);
  }

  /** Answers on each socket on which it was sent, or frees its slot there; from now on it is on none. */
  leaveSockets(message: string | undefined): void {
    const first = this.#socket;
    const others = this.#otherSockets;
    this.#socket = undefined;
    this.#otherSockets = undefined;
    if (first !== undefined) this.#leave(first, message);
    if (others !== undefined) for (const socket of others) this.#leave(socket, message);
  }

  /** Calls back when it is settled, by whomever; at once when it is. */
  onEnd(ended: () => void): void {
    if (this.settled) ended();
    else if (this.#atEnd === undefined) this.#atEnd = [ended];
    else this.#atEnd.push(ended);
  }

  end(): void {
    const callbacks = this.#atEnd;
    this.#atEnd = undefined;
    if (callbacks !== undefined) for (const ended of callbacks) ended();
  }

  /** Lets go of what is kept besides the answer. */
  dropKept(message: string | undefined): void {
    const { kept } = this;
    this.kept = undefined;
    kept?.drop(message);
  }

  abort(reason: Error): void {
    this.#abortReason ??= reason;
    this.#controller?.abort(this.#abortReason);
  }

  #leave(socket: AnswerSocket, message: string | undefined): void {
    if (message === undefined) socket.release(this.id);
    else socket.answer(this.id, message, this.kind);
  }
}

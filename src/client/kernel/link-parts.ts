import { PartWindow } from '../../primitives/part-window.ts';
import { FrameParts } from '../../protocol/parts.ts';

/** A message that may go in parts. */
export interface Large {
  /** Its number in the batch of its socket: there when all of it is written. */
  place?: number;
  /** Parts of it that the peer took in on its last socket. */
  taken?: number;
  /** Sockets that were lost behind it. */
  readonly losses?: number;
  /** All of it is written, to a server that has this memory of the client. */
  sent?(memory: string | undefined): void;
}

/** The socket of {@link LinkParts}. */
export interface PartsLink {
  readonly link: { send(frame: string): unknown };
  readonly batch: { readonly sent: number };
  readonly welcome: { readonly memory: string } | undefined;
  readonly flow: { admits(bytes: number): boolean } | undefined;
  /** Writes a part, and a ping behind it, and gives its bytes. */
  writePart(part: string): number;
}

interface Sending {
  readonly keepsOrder: boolean;
  readonly large: Large;
  readonly parts: FrameParts;
}

/**
 * Large messages on their way to one server, in parts that what is small overtakes: at a time one that keeps its order,
 * and one that need not. The answer to the ping behind each part makes room for more.
 */
export class LinkParts {
  readonly partBytes: number;
  readonly messageBytes: number;
  readonly #link: PartsLink;
  readonly #window: PartWindow<Large>;
  #sending: Sending[] = [];
  #begun = 0;

  constructor(link: PartsLink, partBytes: number, messageBytes: number) {
    this.#link = link;
    this.partBytes = partBytes;
    this.#window = new PartWindow(partBytes);
    this.messageBytes = messageBytes;
  }

  /** Nothing waits to be written, or to be taken in. */
  get isIdle(): boolean {
    return this.#sending.length === 0 && this.#window.isEmpty;
  }

  /** Units that wait to be written. */
  get left(): number {
    return this.#sending.reduce((sum, { parts }) => sum + parts.left, 0);
  }

  /** Whether a message has to wait for one that is under way: so do all that keep their order, and of others the large. */
  blocks(keepsOrder: boolean, bytes: number): boolean {
    if (this.#sending.length === 0 || !(keepsOrder || bytes > this.partBytes)) return false;
    return this.#sending.some((sending) => sending.keepsOrder === keepsOrder);
  }

  begin(large: Large, keepsOrder: boolean, message: string, bytes: number): void {
    if (large.losses) this.#window.isSteady = true;
    large.place = Infinity;
    large.taken = 0;
    const parts = new FrameParts(++this.#begun, `[${message}]`, bytes, this.partBytes);
    this.#sending.push({ keepsOrder, large, parts });
  }

  /** `true` when it was not wholly written, and never will be: the server will not hear of it. */
  drop(large: Large): boolean {
    const dropped = this.#sending.find((sending) => sending.large === large);
    if (dropped === undefined) return false;
    this.#sending = this.#sending.filter((sending) => sending !== dropped);
    const last = dropped.parts.giveUp();
    if (last) this.#link.link.send(last);
    return true;
  }

  /** Writes what there is room for, in turn. `false` where the watermark is in the way. */
  write(): boolean {
    for (let [first] = this.#sending; first !== undefined && this.#window.hasRoom; [first] = this.#sending) {
      const { large, parts } = first;
      if (this.#link.flow?.admits(Math.min(parts.left, this.partBytes)) === false) return false;
      this.#sending.shift();
      const part = parts.next();
      if (parts.left > 0) this.#sending.push(first);
      const bytes = this.#link.writePart(part);
      const { sent } = this.#link.batch;
      if (parts.left === 0) {
        large.place = sent;
        large.sent?.(this.#link.welcome?.memory);
      }
      this.#window.wrote(sent, bytes, large, performance.now());
    }
    return true;
  }

  /** The server has taken in all through this message, or part: there may be room. */
  covered(n: number): void {
    this.#window.covered(n, performance.now(), (large) => large.taken!++);
    this.write();
  }
}

import { PartWindow } from '../../primitives/part-window.ts';
import { FrameParts } from '../../protocol/parts.ts';

/** A message that may go in parts. */
export interface Large {
  /** Its number in the batch of its socket, `Infinity` until all of it is written. */
  place?: number;
  /** Parts of it that the peer took in on its last socket, of so many. */
  taken?: number;
  parts?: number;
  /** Sockets that were lost behind it. */
  readonly losses?: number;
  /** A part of it was taken in. */
  progressed?(direction: 'input', fraction: number): void;
  /** All of it is written, to a server that has this memory of the client. */
  sent?(memory: string | undefined): void;
}

/** The socket of {@link LinkParts}. */
export interface PartsLink {
  readonly link: { send(frame: string): unknown };
  readonly batch: { readonly sent: number; part(part: string): void };
  readonly welcome: { readonly memory: string } | undefined;
  readonly flow: { admits(bytes: number): boolean } | undefined;
  ping(): void;
}

/** What a server told, made whole: one that takes no parts takes messages as large as a frame. */
export interface PartLimits {
  /** `Infinity` where it takes none. */
  readonly partBytes: number;
  readonly messageBytes: number;
}

interface Sending {
  readonly large: Large;
  readonly parts: FrameParts;
}

/**
 * Large messages on their way to one server, in parts that what is small overtakes: at a time one that keeps its order,
 * and one that need not. The answers to the pings behind them make room for more.
 */
export class LinkParts {
  readonly limits: PartLimits;
  readonly #link: PartsLink;
  readonly #window: PartWindow<Large> = new PartWindow();
  /** By whether it keeps its order. The first of them is next. */
  readonly #sending: Map<boolean, Sending> = new Map();
  #begun = 0;

  constructor(link: PartsLink, limits: PartLimits) {
    this.#link = link;
    this.limits = limits;
  }

  /** Units that wait to be written. */
  get left(): number {
    let left = 0;
    for (const { parts } of this.#sending.values()) left += parts.left;
    return left;
  }

  /** Whether a message has to wait for one that is under way: so do all that keep their order, and of others the large. */
  blocks(keepsOrder: boolean, bytes: number): boolean {
    return this.#sending.has(keepsOrder) && (keepsOrder || bytes > this.limits.partBytes);
  }

  begin(large: Large, keepsOrder: boolean, message: string, bytes: number): void {
    if (large.losses) this.#window.isSteady = true;
    large.place = Infinity;
    large.taken = 0;
    const parts = new FrameParts(++this.#begun, `[${message}]`, bytes, this.limits.partBytes);
    large.parts = parts.count;
    this.#sending.set(keepsOrder, { large, parts });
  }

  /** `true` when it was not wholly written, and never will be: the server will not hear of it. */
  drop(dropped: Large): boolean {
    const size = this.#sending.size;
    this.#dropWhere((large) => large === dropped);
    return this.#sending.size < size;
  }

  /** Nothing that was not wholly written ever will be. */
  dropAll(): void {
    this.#dropWhere(() => true);
  }

  /** Writes what there is room for, in turn. `false` where the watermark is in the way. */
  write(): boolean {
    const link = this.#link;
    // What is set again while it is looped over comes again, last.
    for (const [keepsOrder, sending] of this.#sending) {
      const { large, parts } = sending;
      if (!this.#window.hasRoom) break;
      if (link.flow?.admits(Math.min(parts.left, this.limits.partBytes / 2)) === false) return false;
      this.#sending.delete(keepsOrder);
      link.batch.part(parts.next());
      const { sent } = link.batch;
      if (parts.left) this.#sending.set(keepsOrder, sending);
      else {
        large.place = sent;
        large.sent?.(link.welcome?.memory);
      }
      this.#window.wrote(sent, large, performance.now());
      link.ping();
    }
    return true;
  }

  #dropWhere(isDropped: (large: Large) => boolean): void {
    for (const [keepsOrder, { large, parts }] of this.#sending) {
      if (!isDropped(large)) continue;
      this.#sending.delete(keepsOrder);
      const last = parts.giveUp();
      if (last) this.#link.link.send(last);
    }
  }

  /** The server has taken in all through this message, or part: there may be room. */
  covered(n: number): void {
    if (this.#window.isEmpty) return;
    this.#window.covered(n, performance.now(), (large) =>
      large.progressed?.('input', Math.min(1, ++large.taken! / large.parts!)),
    );
    this.write();
  }
}

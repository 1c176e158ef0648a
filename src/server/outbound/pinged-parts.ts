import { PartWindow } from '../../primitives/part-window.ts';
import type { LargeFrame } from './written-frame.ts';

/** Who pings behind parts. */
export interface Pinging {
  /** Number of the next ping; 0 where nobody would answer. */
  readonly nextPing: number;
  /** Writes it behind what the socket was handed. */
  ping(): void;
}

/** The parts on their way to one peer, and the pings that tell what of them was taken in. */
export class PingedParts extends PartWindow<LargeFrame> {
  readonly #pinging: Pinging;
  /** Parts since the last ping. */
  #unasked = 0;

  constructor(pinging: Pinging) {
    super();
    this.#pinging = pinging;
  }

  /** A part was written. */
  sent(of: LargeFrame): void {
    const { nextPing } = this.#pinging;
    if (nextPing === 0) return;
    this.wrote(nextPing, of, performance.now());
    // Behind each part on a slow line, on a fast one twice in each window: the answers cost more than the parts.
    this.#unasked++;
    if (of.isWritten || this.#unasked * 2 >= this.most) this.ask();
  }

  /** A window that has shrunk may hold parts alone that no ping asks for. */
  override covered(n: number, now: number, tell: (whole: LargeFrame) => void): void {
    super.covered(n, now, tell);
    if (!this.hasRoom) this.ask();
  }

  /** No more parts may come behind the last: pings, unless that was done. */
  ask(): void {
    if (this.#unasked === 0) return;
    this.#unasked = 0;
    this.#pinging.ping();
  }
}

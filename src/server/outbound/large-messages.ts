import * as CloseCode from '../../protocol/close-code.ts';

/** Units of a message above which it may be what its socket is lost over. A greeting has room for no more. */
export const LARGE: number = 16 * 1024;

/** So often in a row sockets are lost behind a message until it is written alone; and once more until it never is. */
const SUSPECT = 2;
const HOPELESS = 3;

/** Messages that are remembered with the sockets that were lost behind them, of one client. */
const REMEMBERED = 1024;

/** Whether a large message may be written: `later`, when nothing else is on its way that the socket may be lost over. */
export type May = 'now' | 'later' | 'never';

/** Sockets of one client that were lost behind a large message, by what it was. */
export type Losses = Map<string, number>;

/** The socket of {@link LargeMessages}. */
export interface LargeMessagesPeer {
  readonly losses: Losses;
  /** How far each had come when a socket was lost behind it. */
  readonly lostAt?: Losses;
  /** How far the message has come that was written last, where it goes in parts. */
  transit?(): Transit | undefined;
  /** Writes a ping with what gathers, and gives its number. */
  ping(delivery: 'bulk'): number;
  /** What had to wait may be written. */
  drained(): void;
}

/** How far a message has come that goes in parts. */
export interface Transit {
  /** Parts that the peer has taken in. */
  readonly taken: number;
  readonly isWritten: boolean;
  readonly isTaken: boolean;
}

interface UnderWay {
  readonly key: string;
  readonly size: number;
  readonly transit: Transit | undefined;
  /** A ping was written behind it. */
  isPinged: boolean;
}

/**
 * The large messages on their way to one peer: a ping behind them tells when they were taken in. Where the socket is lost
 * before that again and again, for a line or a peer that takes nothing so large, they are given up, one at a time.
 */
export class LargeMessages {
  readonly #peer: LargeMessagesPeer;
  #underWay: UnderWay[] = [];
  #waiting: Map<string, () => void> = new Map();
  /** The ping that is not answered; 0 for none. */
  #pinged = 0;

  constructor(peer: LargeMessagesPeer) {
    this.#peer = peer;
  }

  may(key: string): May {
    const losses = this.#lossesOf(key);
    if (losses >= HOPELESS) return 'never';
    const [first] = this.#underWay;
    if (first === undefined) return 'now';
    return losses >= SUSPECT || this.#lossesOf(first.key) >= SUSPECT ? 'later' : 'now';
  }

  /** Writes a message now, or when it may be, once. */
  write(key: string, size: number, write: (isHopeless: boolean) => void): void {
    const may = this.may(key);
    if (may === 'later') {
      if (!this.#waiting.has(key)) this.#waiting.set(key, () => this.write(key, size, write));
      return;
    }
    write(may === 'never');
    if (may === 'now') this.wrote(key, size);
  }

  /** It was written. */
  wrote(key: string, size: number): void {
    this.#underWay.push({ key, size, transit: this.#peer.transit?.(), isPinged: false });
    this.#ping();
  }

  /** The peer answered a ping: it has what was written before it. Others may have overtaken what is large. */
  ponged(n: number): void {
    const isOurs = n === this.#pinged;
    const isTaken = ({ transit, isPinged }: UnderWay): boolean => transit?.isTaken ?? (isOurs && isPinged);
    const taken = this.#underWay.filter(isTaken);
    if (!isOurs && taken.length === 0) return;
    if (isOurs) this.#pinged = 0;
    for (const { key } of taken) {
      this.#peer.losses.delete(key);
      this.#peer.lostAt?.delete(key);
    }
    this.#leave((message) => !isTaken(message));
  }

  /** It is not written any further. */
  dropped(key: string): void {
    this.#leave((message) => message.key !== key);
  }

  /** Others may have waited for those that are no longer under way. */
  #leave(stays: (message: UnderWay) => boolean): void {
    this.#underWay = this.#underWay.filter(stays);
    this.#ping();
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const write of waiting) write();
    this.#peer.drained();
  }

  /** The socket is gone, with the close code of the peer, if it gave one. */
  lost(code: number | undefined): void {
    const lost = this.#underWay.splice(0);
    this.#waiting.clear();
    if (code === CloseCode.MESSAGE_TOO_BIG) {
      const largest = lost.reduce<UnderWay | undefined>(
        (most, one) => (most && most.size >= one.size ? most : one),
        undefined,
      );
      if (largest !== undefined) this.#count(largest.key, HOPELESS);
    } else for (const message of lost) this.#lostAgain(message);
  }

  /** One ping at a time: the next when its answer is here. */
  #ping(): void {
    const whole = this.#underWay.filter(({ transit }) => transit === undefined);
    if (this.#pinged > 0 || whole.length === 0) return;
    this.#pinged = this.#peer.ping('bulk');
    for (const message of whole) message.isPinged = true;
  }

  /**
   * Counts a loss: anew where it came further, or less far, than the last time. In the midst of a transfer it may be by
   * chance that a line is lost where the last one was, so that takes twice as many.
   */
  #lostAgain({ key, transit }: UnderWay): void {
    const at = transit === undefined || transit.isWritten ? Infinity : transit.taken;
    const { lostAt } = this.#peer;
    const before = lostAt?.get(key) ?? at;
    lostAt?.set(key, at);
    this.#count(key, (before === at ? this.#lossesOf(key) : 0) + (at < Infinity ? 0.5 : 1));
  }

  #lossesOf(key: string): number {
    return this.#peer.losses.get(key) ?? 0;
  }

  #count(key: string, losses: number): void {
    const known = this.#peer.losses;
    known.delete(key);
    known.set(key, losses);
    if (known.size <= REMEMBERED) return;
    for (const oldest of known.keys()) {
      known.delete(oldest);
      this.#peer.lostAt?.delete(oldest);
      return;
    }
  }
}

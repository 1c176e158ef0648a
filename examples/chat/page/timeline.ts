import type { Message } from '../contract.ts';

/** A message as the page shows it. */
export interface Entry {
  readonly id: string;
  readonly author: string;
  readonly text: string;
  /** When the server took it; `undefined` while it did not. */
  readonly at?: Date;
  readonly delivery: 'waiting' | 'sent' | 'failed';
  /** Why it failed, or what it waits for. */
  readonly reason?: string;
}

/** The page need not grow for ever. */
const MOST = 500;

/**
 * What was said, told by three sources that overlap: the server's snapshot, its events, and what was typed here.
 * All go by the id that the writing page made, so nothing is there twice, whatever comes first.
 */
export class Timeline {
  readonly #entries = new Map<string, Entry>();
  readonly #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** The server has these. A server that was restarted lacks older ones: what the page has, it keeps. */
  taken(messages: readonly Message[]): void {
    for (const message of messages) {
      if (this.#entries.get(message.id)?.delivery === 'sent') continue;
      this.#entries.set(message.id, { ...message, delivery: 'sent' });
    }
    this.#changed();
  }

  /** Typed here, and on its way. */
  waiting(id: string, author: string, text: string): void {
    this.#entries.set(id, { id, author, text, delivery: 'waiting' });
    this.#changed();
  }

  /** It was not sent, or nobody knows; `waiting` with a reason when it will go by itself. */
  held(id: string, delivery: 'waiting' | 'failed', reason: string): void {
    const entry = this.#entries.get(id);
    if (!entry || entry.delivery === 'sent') return;
    this.#entries.set(id, { ...entry, delivery, reason });
    this.#changed();
  }

  /** In the server's order; what the server has not taken stands at the end, in the order it was typed. */
  entries(): Entry[] {
    const time = ({ at }: Entry): number => at?.getTime() ?? Infinity;
    // Two that wait are equal (∞ − ∞ is NaN), and a sort leaves equals in their order.
    const all = [...this.#entries.values()].sort((a, b) => time(a) - time(b) || 0);
    for (const { id } of all.splice(0, all.length - MOST)) this.#entries.delete(id);
    return all;
  }
}

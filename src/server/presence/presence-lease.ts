import type { Deadline, Deadlines } from '../../primitives/deadlines.ts';
import type { Report } from '../app/reporter.ts';
import { randomName } from '../random-name.ts';
import type { PresenceStore } from './presence-store.ts';
import { nameOf } from './registers.ts';

/** Options of a {@link PresenceLease}. */
export interface PresenceLeaseOptions {
  readonly store: PresenceStore;
  readonly deadlines: Deadlines;
  readonly report: Report;
  /** All who are here are to be stored under another name of this server. */
  readonly renamed: () => void;
  /** Tells of somebody in the place of a server that is dead, or of a name that this one had; takes him off its list then. */
  readonly adopt: (topic: string, member: string, dead: string) => void;
}

/** A lease is renewed so many times in its life. */
const RENEWALS = 3;

/**
 * Says to other servers that this one lives, and answers for those of servers that do not. Whoever takes one for dead may be
 * late with that: one that may have been taken for dead, or whose store may have lost something, goes on under another name.
 */
export class PresenceLease {
  readonly #options: PresenceLeaseOptions;
  /** Begins all its names. */
  readonly #own = randomName();
  #names = 1;
  /** It may be dead to others by the name that it has. */
  #isDoubted = false;
  #next: Deadline | undefined;
  #closed = false;

  constructor(options: PresenceLeaseOptions) {
    this.#options = options;
    if (options.store.leaseMs < Infinity) void this.#renew((name) => options.store.renew(name).then(() => undefined));
  }

  /** Name of this server in the store. */
  get name(): string {
    return nameOf(this.#own, this.#names);
  }

  /** The lease ends by itself: whoever comes back to another server by then was never away. */
  close(): void {
    this.#closed = true;
    if (this.#next !== undefined) this.#options.deadlines.remove(this.#next);
  }

  /** Never rejects. */
  async #renew(live: (name: string) => Promise<void>): Promise<void> {
    const { store, deadlines, report } = this.#options;
    try {
      await live(this.name);
      for (const dead of await store.lapsed()) if (dead !== this.name) await this.#takeOver(dead);
    } catch (error) {
      // It may have been done all the same: then the next renewal would find a good lease, whatever was before.
      this.#isDoubted = true;
      if (!this.#closed) report(error, { during: 'broker' });
    }
    if (this.#closed) return;
    const again = (): void => void this.#renew((name) => this.#goOn(name));
    this.#next = deadlines.add(performance.now() + store.leaseMs / RENEWALS, again);
  }

  async #goOn(name: string): Promise<void> {
    const { store, renamed } = this.#options;
    if (!this.#isDoubted && (await store.renew(name))) return;
    this.#names++;
    await store.renew(this.name);
    renamed();
    // Among them are those who left, and are there again in a store that lost that.
    await this.#adoptAll(name);
    this.#isDoubted = false;
  }

  /** Others may do so as well: whoever comes second finds nothing to tell. */
  async #takeOver(dead: string): Promise<void> {
    if ((await this.#adoptAll(dead)) === 0) await this.#options.store.forget(dead);
  }

  /** Gives how many a server answers for. */
  async #adoptAll(dead: string): Promise<number> {
    const held = await this.#options.store.held(dead);
    for (const [topic, member] of held) if (!this.#closed) this.#options.adopt(topic, member, dead);
    return held.length;
  }
}

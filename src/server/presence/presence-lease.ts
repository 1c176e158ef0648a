import type { Deadline, Deadlines } from '../../primitives/deadlines.ts';
import type { Report } from '../app/reporter.ts';
import type { PresenceStore } from './presence-store.ts';

/** Options of a {@link PresenceLease}. */
export interface PresenceLeaseOptions {
  /** Name of this server in the store. */
  readonly server: string;
  readonly store: PresenceStore;
  readonly deadlines: Deadlines;
  readonly report: Report;
  /** The others took this server for dead, or the store has lost what it had. */
  readonly lapsed: () => void;
  /** Tells of somebody in the place of a server that is dead, and takes him off its list then. */
  readonly adopt: (topic: string, member: string, dead: string) => void;
}

/** A lease is renewed so many times in its life. */
const RENEWALS = 3;

/** Says to other servers that this one lives, and answers for those of servers that do not. */
export class PresenceLease {
  readonly #options: PresenceLeaseOptions;
  #wasRenewed = false;
  #next: Deadline | undefined;
  #closed = false;

  constructor(options: PresenceLeaseOptions) {
    this.#options = options;
    if (options.store.leaseMs < Infinity) void this.#renew();
  }

  /** The lease ends by itself: whoever comes back to another server by then was never away. */
  close(): void {
    this.#closed = true;
    if (this.#next !== undefined) this.#options.deadlines.remove(this.#next);
  }

  /** Never rejects. */
  async #renew(): Promise<void> {
    const { server, store, deadlines, report, lapsed } = this.#options;
    try {
      const wasGood = await store.renew(server);
      if (!wasGood && this.#wasRenewed) lapsed();
      this.#wasRenewed = true;
      for (const dead of await store.lapsed()) if (dead !== server) await this.#takeOver(dead);
    } catch (error) {
      report(error, { during: 'broker' });
    }
    if (this.#closed) return;
    this.#next = deadlines.add(performance.now() + store.leaseMs / RENEWALS, () => void this.#renew());
  }

  /** Others may do so as well: whoever comes second finds nothing to tell. */
  async #takeOver(dead: string): Promise<void> {
    const { store, adopt } = this.#options;
    const held = await store.held(dead);
    if (held.length === 0) return store.forget(dead);
    for (const [topic, member] of held) if (!this.#closed) adopt(topic, member, dead);
  }
}

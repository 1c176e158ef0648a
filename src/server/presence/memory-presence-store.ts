import type { PresenceStore } from './presence-store.ts';

/** A store of one process: for one server, or for several of a test. */
export function memoryPresenceStore({ leaseMs = Infinity }: { readonly leaseMs?: number } = {}): PresenceStore {
  return new MemoryPresenceStore(leaseMs);
}

class MemoryPresenceStore implements PresenceStore {
  readonly leaseMs: number;
  readonly #topics = new Map<string, Map<string, string>>();
  /** By server, as JSON, those whom it answers for. */
  readonly #held = new Map<string, Set<string>>();
  readonly #leases = new Map<string, number>();

  constructor(leaseMs: number) {
    this.leaseMs = leaseMs;
  }

  async replace(topic: string, member: string, stored: string, instead: string): Promise<string> {
    const members = this.#topics.get(topic) ?? new Map<string, string>();
    const now = members.get(member) ?? '';
    if (now !== stored) return now;
    if (instead === '') members.delete(member);
    else members.set(member, instead);
    if (members.size === 0) this.#topics.delete(topic);
    else this.#topics.set(topic, members);
    return instead;
  }

  async members(topic: string): Promise<Array<[string, string]>> {
    return [...(this.#topics.get(topic) ?? [])];
  }

  async hold(server: string, topic: string, member: string): Promise<void> {
    const held = this.#held.get(server) ?? new Set();
    this.#held.set(server, held.add(JSON.stringify([topic, member])));
  }

  async release(server: string, topic: string, member: string): Promise<void> {
    const held = this.#held.get(server);
    held?.delete(JSON.stringify([topic, member]));
    if (held?.size === 0) this.#held.delete(server);
  }

  async held(server: string): Promise<Array<[string, string]>> {
    return [...(this.#held.get(server) ?? [])].map((pair) => JSON.parse(pair) as [string, string]);
  }

  async renew(server: string): Promise<boolean> {
    const now = performance.now();
    const wasGood = (this.#leases.get(server) ?? -Infinity) > now;
    this.#leases.set(server, now + this.leaseMs);
    return wasGood;
  }

  async lapsed(): Promise<string[]> {
    const now = performance.now();
    return [...this.#leases].filter(([, until]) => until <= now).map(([server]) => server);
  }

  async forget(server: string): Promise<void> {
    this.#leases.delete(server);
  }
}

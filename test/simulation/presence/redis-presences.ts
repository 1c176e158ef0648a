import {
  FORGET_SERVER,
  HELD,
  HOLD,
  LAPSED,
  LIST_SERVER,
  MEMBERS,
  RELEASE,
  RENEW,
  REPLACE_MEMBER,
} from '../../../src/server/brokers/redis/presence-scripts.ts';

/** What a Redis has of presences. */
interface Contents {
  /** By key of a topic, what is stored of each. */
  readonly topics: Map<string, Map<string, string>>;
  readonly held: Map<string, Set<string>>;
  readonly leases: Map<string, number>;
}

const nothing = (): Contents => ({ topics: new Map(), held: new Map(), leases: new Map() });

/** What the scripts of the store of presences do inside Redis, said once more, for a Redis that is simulated. */
export class RedisPresences {
  readonly #now: () => number;
  #contents = nothing();
  #replica = nothing();
  #history = 1;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** What is left of anybody, by key. */
  get left(): readonly string[] {
    return [...this.#contents.topics.keys(), ...this.#contents.held.keys()];
  }

  /** Servers that say they live, or are not known to be dead yet. */
  get leases(): number {
    return this.#contents.leases.size;
  }

  /** What happened up to now has reached the replica. */
  replicate(): void {
    this.#replica = structuredClone(this.#contents);
  }

  /** The replica takes its place: what it has not heard of is lost. */
  failOver(): void {
    this.#contents = this.#replica;
    this.#history++;
    this.replicate();
  }

  empty(): void {
    this.#contents = nothing();
    this.replicate();
  }

  /** What a script gives. */
  run(script: string, [key]: readonly string[], args: readonly string[]): unknown {
    return this.#scripts[script]!(key!, ...args);
  }

  readonly #scripts: Readonly<Record<string, (key: string, ...args: string[]) => unknown>> = {
    [REPLACE_MEMBER]: (key, member, stored, instead) => {
      const members = this.#contents.topics.get(key) ?? new Map<string, string>();
      const found = members.get(member) ?? '';
      if (found !== stored) return found;
      if (instead === '') members.delete(member);
      else members.set(member, instead);
      if (members.size === 0) this.#contents.topics.delete(key);
      else this.#contents.topics.set(key, members);
      return instead;
    },
    [MEMBERS]: (key) => [...(this.#contents.topics.get(key) ?? [])].flat(),
    [HOLD]: (key, member) => {
      const held = this.#contents.held.get(key) ?? new Set();
      this.#contents.held.set(key, held.add(member));
      return 1;
    },
    [RELEASE]: (key, member) => {
      const held = this.#contents.held.get(key);
      held?.delete(member);
      if (held?.size === 0) this.#contents.held.delete(key);
      return 1;
    },
    [HELD]: (key) => [...(this.#contents.held.get(key) ?? [])],
    [LIST_SERVER]: (_key, server, ms) => {
      const { leases } = this.#contents;
      if (!leases.has(server)) leases.set(server, Math.floor(this.#now()) + Number(ms) + 0.5);
      return 1;
    },
    [RENEW]: (_key, server, ms) => {
      const { leases } = this.#contents;
      const untilMs = leases.get(server) ?? 0;
      const wasGood = untilMs > this.#now() && untilMs % 1 === 0;
      leases.set(server, Math.floor(this.#now()) + Number(ms));
      return [wasGood ? 1 : 0, String(this.#history)];
    },
    [LAPSED]: () => [...this.#contents.leases].filter(([, until]) => until <= this.#now()).map(([server]) => server),
    [FORGET_SERVER]: (_key, server) => {
      this.#contents.leases.delete(server);
      return 1;
    },
  };
}

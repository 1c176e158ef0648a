import type { Position } from '../../src/index.ts';
import type { Fact, State } from './contract.ts';

/** What was published to each topic, and what the app committed: the truth that listeners are held against. */
export class Publications {
  readonly #logs = new Map<string, Map<string, Fact[]>>();
  readonly #heads = new Map<string, Position>();
  readonly #states = new Map<string, Record<string, number>>();
  readonly #positions = new Map<number, Position>();
  #commits = 0;
  count = 0;

  /** The app changes the state of a topic; gives the fact that it then publishes. */
  commit(name: string, { token, key, ...rest }: Fact): Fact {
    const state = this.#states.get(name) ?? {};
    this.#states.set(name, state);
    const value = ++this.#commits;
    state[key] = value;
    return { ...rest, token, key, value };
  }

  state(name: string): State {
    return { ...this.#states.get(name) };
  }

  add(name: string, [epoch, offset]: Position, fact: Fact): void {
    let log = this.#logs.get(name);
    if (log === undefined) this.#logs.set(name, (log = new Map()));
    let facts = log.get(epoch);
    if (facts === undefined) log.set(epoch, (facts = []));
    facts[offset - 1] = fact;
    this.#heads.set(name, [epoch, offset]);
    this.#positions.set(fact.token, [epoch, offset]);
    this.count++;
  }

  at(name: string, [epoch, offset]: Position): Fact | undefined {
    return this.#logs.get(name)?.get(epoch)?.[offset - 1];
  }

  /** Position of the last publication. */
  head(name: string): Position | undefined {
    return this.#heads.get(name);
  }

  positionOf(token: number): Position | undefined {
    return this.#positions.get(token);
  }

  /** The key of which a state at a position says less than what was published up to there. */
  staleKey(name: string, [epoch, offset]: Position, state: State): string | undefined {
    const facts = this.#logs.get(name)?.get(epoch) ?? [];
    for (let index = Math.min(offset, facts.length) - 1; index >= 0; index--) {
      const { key, value } = facts[index]!;
      if ((state[key] ?? 0) < value) return key;
    }
    return undefined;
  }
}

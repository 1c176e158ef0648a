import type { Contract, ContractTree } from '../../contract/contract.ts';
import type { Procedure } from '../../contract/procedure.ts';
import type { Topic } from '../../contract/topic.ts';
import { TautlineError } from '../../errors.ts';
import type { SystemCode } from '../../errors.ts';
import { isThenable } from '../../server/app/now-or-later.ts';
import { bindHandlers, valueAt, type HandlersByKind, type TopicHandlers } from '../../server/app/handlers.ts';

/** Handlers of a contract in its shape, of which any may be left out, and any rule of a topic. */
export type PartialHandlers<Tree, Context = unknown> = {
  readonly [Name in keyof Tree]?: Tree[Name] extends Procedure
    ? HandlersByKind<Tree[Name], Context>[Tree[Name]['kind']]
    : Tree[Name] extends Topic
      ? Partial<TopicHandlers<Tree[Name], Context>>
      : PartialHandlers<Tree[Name], Context>;
};

/** Handlers that may be laid over others while the server runs. The latest that has one at a path is asked. */
export class MockHandlers {
  readonly #contract: Contract;
  readonly #given: unknown;
  readonly #door: string;
  #overrides: readonly unknown[] = [];
  /** How many were asked and have not answered. */
  running = 0;

  /**
   * `door`: what the app's test calls, for errors that say where to add what.
   * @throws TypeError naming the first handler that is missing, unless some may.
   */
  constructor(contract: Contract, given: unknown, { door, partial }: { door: string; partial: boolean }) {
    this.#contract = contract;
    this.#given = given;
    this.#door = door;
    if (partial) return;
    for (const path of [...contract.procedures.keys(), ...contract.topics.keys()]) {
      if (valueAt(given, path) !== undefined) continue;
      throw new TypeError(`handlers.${path} is missing: add it to ${door}, or pass partial: true`);
    }
    // The rest as a server checks it.
    bindHandlers(contract, given);
  }

  use(overrides: unknown): void {
    this.#overrides = [overrides, ...this.#overrides];
  }

  reset(): void {
    this.#overrides = [];
  }

  /** Handlers for an engine, whole: each looks when it is called for the one to run. */
  whole(): unknown {
    return this.#wholeOf(this.#contract.tree, '');
  }

  /** @throws TautlineError where nothing is there to run: `NOT_FOUND`, or `FORBIDDEN` for a publish without a rule. */
  check(path: string): void {
    const topic = this.#contract.topics.get(path);
    this.#at(topic === undefined ? path : `${path}.authorize`, path);
    if (topic !== undefined && topic.definition.enter === undefined && this.#find(`${path}.publish`) === undefined) {
      throw refusal('FORBIDDEN', path, `clients may not publish here: add ${path}.publish to ${this.#door}`);
    }
  }

  #wholeOf(tree: ContractTree, prefix: string): unknown {
    const entries = Object.entries(tree).map(([name, node]) => {
      const path = prefix + name;
      if (this.#contract.procedures.has(path)) return [name, this.#runs(path, path)];
      const topic = this.#contract.topics.get(path);
      if (topic === undefined) return [name, this.#wholeOf(node as ContractTree, `${path}.`)];
      const rules = ['authorize', 'publish', ...(topic.definition.snapshot === undefined ? [] : ['snapshot'])];
      return [name, Object.fromEntries(rules.map((rule) => [rule, this.#runs(`${path}.${rule}`, path)]))];
    });
    return Object.fromEntries(entries as Array<[string, unknown]>);
  }

  #runs(place: string, path: string): (args: unknown) => unknown {
    return (args) => this.watched(this.#at(place, path)(args));
  }

  /** Counts as running until it is there. */
  watched<Answer>(answer: Answer): Answer {
    if (!isThenable(answer)) return answer;
    this.running++;
    const done = (): void => {
      this.running--;
    };
    // A query builder runs each time that it is asked.
    const once = Promise.resolve(answer);
    void once.then(done, done);
    return once as Answer;
  }

  #at(place: string, path: string): (args: unknown) => unknown {
    const found = this.#find(place);
    if (found === undefined) throw refusal('NOT_FOUND', path, `nothing answers ${place}: add it to ${this.#door}`);
    if (typeof found !== 'function') throw new TypeError(`handlers.${place} must be a function, not ${typeof found}`);
    return found as (args: unknown) => unknown;
  }

  #find(place: string): unknown {
    for (const handlers of [...this.#overrides, this.#given]) {
      const found = valueAt(handlers, place);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

function refusal(code: SystemCode, path: string, message: string): TautlineError {
  return new TautlineError(code, message, { outcome: 'rejected', path });
}

import type { Stay } from '../client/presence/stay.ts';
import type { Connection, ConnectionEvents } from '../client/kernel/connection.ts';
import type { Contract } from '../contract/contract.ts';

interface Begun {
  readonly what: string;
  /** Its stack tells where. */
  readonly madeAt: Error;
  isOpen(): boolean;
}

type Begin = (listener: unknown) => unknown;

/** What is used of the handle of a topic. */
interface WatchableHandle {
  readonly name: string;
  subscribe: Begin;
  readonly state: { subscribe: Begin; listen: Begin };
  readonly view: { subscribe: Begin; listen: Begin };
  /** Of a presence. */
  enter?: (info: unknown) => Stay<unknown>;
}

/** Remembers what was begun with clients, and where, to tell what has not ended. */
export class LeakWatch {
  #begun: Begun[] = [];
  readonly #watched: WeakSet<object> = new WeakSet();

  /** Each as a line of text: what, and where it was begun. */
  get open(): string[] {
    this.#begun = this.#begun.filter((each) => each.isOpen());
    return this.#begun.map(({ what, madeAt }) => `${what}, ${placeOf(madeAt)}`);
  }

  /** Watches a client and its connection. What is left of one that is closed is none of it. */
  watch(contract: Contract, client: object, connection: Connection): void {
    const isAlive = (): boolean => connection.status.state !== 'closed';
    const { on } = connection;
    const watched = <Name extends keyof ConnectionEvents>(
      event: Name,
      listener: ConnectionEvents[Name],
    ): (() => void) => this.#untilUndone(`a listener of ${event}`, on(event, listener), isAlive);
    Object.assign(connection, { on: watched });
    for (const path of contract.topics.keys()) {
      const names = path.split('.');
      const last = names.pop()!;
      let group = client as Record<string, unknown>;
      for (const name of names) group = group[name] as Record<string, unknown>;
      const handleOf = group[last] as (params?: object) => WatchableHandle;
      group[last] = (params?: object) => this.#handle(handleOf(params), isAlive);
    }
  }

  /** A handle is the same one for all who ask for it. */
  #handle(handle: WatchableHandle, isAlive: () => boolean): WatchableHandle {
    if (this.#watched.has(handle)) return handle;
    this.#watched.add(handle);
    const { name, subscribe, enter } = handle;
    if (enter !== undefined) {
      handle.enter = (info) => {
        const stay = enter(info);
        const leave = this.#untilUndone(`a stay in ${name}`, stay.leave, isAlive);
        return Object.defineProperties(stay, { leave: { value: leave }, [Symbol.dispose]: { value: leave } });
      };
    }
    handle.subscribe = (listener) => {
      const subscription = subscribe(listener) as { readonly state: string };
      this.#begin(`a subscription of ${name}`, () => subscription.state !== 'ended');
      return subscription;
    };
    for (const kind of ['state', 'view'] as const) {
      for (const verb of ['subscribe', 'listen'] as const) {
        const begin = handle[kind][verb];
        handle[kind][verb] = (listener) =>
          this.#untilUndone(`a listener of the ${kind} of ${name}`, begin(listener) as () => void, isAlive);
      }
    }
    return handle;
  }

  #untilUndone(what: string, undo: () => void, isAlive: () => boolean): () => void {
    let isOpen = true;
    this.#begin(what, () => isOpen && isAlive());
    return () => {
      isOpen = false;
      undo();
    };
  }

  #begin(what: string, isOpen: () => boolean): void {
    this.#begun.push({ what, madeAt: new Error(what), isOpen });
  }
}

/** The first line of a stack outside of this package. */
function placeOf({ stack = '' }: Error): string {
  const lines = stack.split('\n').filter((line) => /:\d+:\d+\)?$/.test(line));
  const own = /[^\s(@]+?(?=testing\/leaks\.)/.exec(lines[0] ?? '')?.[0];
  const place = lines.find((line) => own === undefined || !line.includes(own)) ?? 'at a place that is not known';
  return place.trim();
}

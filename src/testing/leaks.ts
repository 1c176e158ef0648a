import type { Stay } from '../client/presence/stay.ts';
import type { Connection, ConnectionEvents } from '../client/kernel/connection.ts';
import type { Contract } from '../contract/contract.ts';
import { TimerWatch } from './timer-watch.ts';

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
  /** Throws where the topic has no state, and is not enumerable then. */
  readonly state: { subscribe: Begin; listen: Begin };
  readonly view: { subscribe: Begin; listen: Begin };
  /** Of a presence. */
  enter?: (info: unknown) => Stay<unknown>;
}

/** Remembers what was begun with clients, and where, to tell what has not ended. */
export class LeakWatch {
  #begun: Begun[] = [];
  #timers: TimerWatch | undefined;
  readonly #watched: WeakSet<object> = new WeakSet();

  /** Each as a line of text: what, and where it was begun. */
  get open(): string[] {
    this.#begun = this.#begun.filter((each) => each.isOpen());
    const timers = [...(this.#timers?.waiting ?? [])].filter(({ madeAt }) => !isOwn(madeAt));
    return [...this.#begun, ...timers].map(({ what, madeAt }) => `${what}, ${placeOf(madeAt)}`);
  }

  /** Timers count as well from now on, until it is disposed of. */
  watchTimers(): void {
    this.#timers ??= new TimerWatch();
  }

  [Symbol.dispose](): void {
    this.#timers?.[Symbol.dispose]();
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
    for (const kind of (['state', 'view'] as const).filter((name) => Object.keys(handle).includes(name))) {
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

/** The first line of a stack outside of this package, whose own first line is of a file of this folder. */
function placeOf(error: Error): string {
  const lines = linesOf(error);
  const own = ownFolder(lines);
  const place = lines.find((line) => own === undefined || !line.includes(own)) ?? 'at a place that is not known';
  return place.trim();
}

/** The stack leads from a file of this folder to another part of the package. */
function isOwn(error: Error): boolean {
  const lines = linesOf(error);
  const own = ownFolder(lines);
  const caller = lines.find((line) => !line.includes('testing/timer-watch.'));
  return own !== undefined && caller?.includes(own) === true;
}

const linesOf = ({ stack = '' }: Error): string[] => stack.split('\n').filter((line) => /:\d+:\d+\)?$/.test(line));

const ownFolder = ([first = '']: readonly string[]): string | undefined =>
  /[^\s(@]+?(?=testing\/(?:leaks|timer-watch)\.)/.exec(first)?.[0];

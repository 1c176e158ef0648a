import type { Kernel } from '../../client/kernel/capability.ts';
import type { Connection, ConnectionEvents } from '../../client/kernel/connection.ts';
import type { Stay } from '../../client/presence/stay.ts';
import type { TopicEvents, TopicEventsOptions } from '../../client/topic-events/event-feed.ts';
import type { Subscription } from '../../client/topics/subscription.ts';
import { Begun, inWords, isOwn } from './begun.ts';
import { watchRequests } from './request-watch.ts';
import { TimerWatch } from './timer-watch.ts';

type Begin = (listener: unknown) => unknown;

/** What is used of the handle of a topic. */
interface WatchableHandle {
  readonly name: string;
  subscribe: Begin;
  /** Throws where the topic has no state, and is not enumerable then. */
  readonly state: { subscribe: Begin; listen: Begin };
  readonly view: { subscribe: Begin; listen: Begin };
  events: (options?: TopicEventsOptions) => TopicEvents<unknown>;
  /** Of a presence. */
  enter?: (info: unknown) => Stay<unknown>;
}

/** Remembers what was begun with connections, and where, to tell what has not ended. */
export class LeakWatch {
  readonly #begun = new Begun();
  #timers: TimerWatch | undefined;
  readonly #watched: WeakSet<object> = new WeakSet();

  /** Each as a line of text: what, and where it was begun. */
  get open(): string[] {
    const timers = [...(this.#timers?.waiting ?? [])].filter(({ madeAt }) => !isOwn(madeAt));
    return [...this.#begun.open, ...timers.map(inWords)];
  }

  /** Timers count as well from now on, until it is disposed of. */
  watchTimers(): void {
    this.#timers ??= new TimerWatch();
  }

  [Symbol.dispose](): void {
    this.#timers?.[Symbol.dispose]();
  }

  /** Watches a connection, and the clients that are made on it from now on. What is left of one that is closed is none of it. */
  watch(connection: Connection & Kernel): void {
    const isAlive = (): boolean => connection.status.state !== 'closed';
    const presences = new Set<string>();
    // What a stay publishes is no other thing than the stay.
    watchRequests(connection, this.#begun, (path) => presences.has(path));
    const { on } = connection;
    const offer = connection.offer.bind(connection);
    Object.assign(connection, {
      on: <Name extends keyof ConnectionEvents>(event: Name, listener: ConnectionEvents[Name]): (() => void) =>
        this.#untilUndone(`a listener of ${event}`, on(event, listener), isAlive),
      offer: (kind: string, path: string) => {
        const make = offer(kind as 'topic', path) as (...args: unknown[]) => unknown;
        if (kind === 'presence') presences.add(path);
        else if (kind !== 'topic') return make;
        return (...args: unknown[]) => {
          const handleOf = make(...args) as (params?: object) => WatchableHandle;
          return (params?: object) => this.#handle(handleOf(params), isAlive);
        };
      },
    });
  }

  /** A handle is the same one for all who ask for it. */
  #handle(handle: WatchableHandle, isAlive: () => boolean): WatchableHandle {
    const { name, subscribe, events, enter } = handle;
    // That of a presence is first one of a topic, without it.
    if (enter !== undefined && !this.#watched.has(enter)) {
      handle.enter = (info) => {
        const stay = enter(info);
        const leave = this.#untilUndone(`a stay in ${name}`, stay.leave, isAlive);
        return Object.defineProperties(stay, { leave: { value: leave }, [Symbol.dispose]: { value: leave } });
      };
      this.#watched.add(handle.enter);
    }
    if (this.#watched.has(handle)) return handle;
    this.#watched.add(handle);
    handle.subscribe = (listener) => this.#untilEnded(`a subscription of ${name}`, subscribe(listener) as Subscription);
    handle.events = (options) =>
      this.#loop(name, events(options), () => isAlive() && options?.signal?.aborted !== true);
    for (const kind of (['state', 'view'] as const).filter((name) => Object.keys(handle).includes(name))) {
      for (const verb of ['subscribe', 'listen'] as const) {
        const begin = handle[kind][verb];
        handle[kind][verb] = (listener) =>
          this.#untilUndone(`a listener of the ${kind} of ${name}`, begin(listener) as () => void, isAlive);
      }
    }
    return handle;
  }

  /** A loop listens from its first step. */
  #loop(name: string, loop: TopicEvents<unknown>, isAlive: () => boolean): TopicEvents<unknown> {
    const [next, leave] = [loop.next.bind(loop), loop.return.bind(loop)];
    let end: (() => void) | undefined;
    loop.next = async () => {
      end ??= this.#begun.begin(`a loop over ${name}`, isAlive);
      try {
        const result = await next();
        if (result.done === true) end();
        return result;
      } catch (error) {
        end();
        throw error;
      }
    };
    loop.return = () => {
      end?.();
      return leave();
    };
    return loop;
  }

  #untilEnded(what: string, subscription: Subscription): Subscription {
    this.#begun.begin(what, () => subscription.state !== 'ended');
    return subscription;
  }

  #untilUndone(what: string, undo: () => void, isAlive: () => boolean): () => void {
    const end = this.#begun.begin(what, isAlive);
    return () => {
      end();
      undo();
    };
  }
}

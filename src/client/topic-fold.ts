import type { Topic } from '../contract/topic.ts';

/** A value that changes: what UI libraries call a store. */
export interface TopicState<State> {
  /** The folded state, `undefined` until the first snapshot. The same object until it changes. */
  get(): State | undefined;
  /** Keeps the topic subscribed, and calls back after each change, until the function it returns is called. */
  subscribe(listener: () => void): () => void;
}

/** The state of a topic: its snapshot, and every event since, folded by `apply`. One for all who listen. */
export class TopicFold {
  readonly #topic: Topic;
  readonly #report: (error: unknown) => void;
  #state: unknown;

  constructor(topic: Topic, report: (error: unknown) => void) {
    this.#topic = topic;
    this.#report = report;
  }

  get(): unknown {
    return this.#state;
  }

  reset(state: unknown): void {
    this.#state = state;
  }

  /** `false` when `apply` threw: the state no longer follows the events. */
  apply(event: unknown): boolean {
    if (this.#topic.apply === undefined) return true;
    try {
      this.#state = this.#topic.apply(this.#state, event);
      return true;
    } catch (error) {
      this.#report(error);
      return false;
    }
  }
}

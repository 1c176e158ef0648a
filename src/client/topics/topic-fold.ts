import type { Topic } from '../../contract/topic.ts';
import type { Position } from '../../protocol/messages.ts';
import { covers, isBefore } from './positions.ts';

/**
 * The state of a topic: its snapshot, and every event since, folded by `apply`. One for all who listen. An event that
 * comes again, for a listener that lags, changes nothing.
 */
export class TopicFold {
  readonly topic: Topic;
  #state: unknown = undefined;
  #position: Position | undefined = undefined;
  /** What it has follows the events: not before the first snapshot. */
  #isIntact = false;

  constructor(topic: Topic) {
    this.topic = topic;
  }

  /** Up to here the topic was told to those who follow it. */
  get position(): Position | undefined {
    return this.#position;
  }

  /** There is a state that follows the events, for whoever needs one. */
  get isUsable(): boolean {
    return this.topic.apply !== undefined && this.#isIntact;
  }

  /** Without `apply` there is none: what follows a snapshot is not in it. */
  get(): unknown {
    return this.topic.apply && this.#state;
  }

  /** The state and its position, where one follows from the other. */
  read(): { readonly state: unknown; readonly position: Position } | undefined {
    return this.isUsable ? { state: this.#state, position: this.#position! } : undefined;
  }

  /** Begins at a position; a state that followed the events further than that stays. */
  begin(state: unknown, position: Position): void {
    const isFurther = this.#isIntact && isBefore(position, this.#position);
    if (!isFurther || !this.isUsable) this.#state = state;
    if (!isFurther) this.#position = position;
    this.#isIntact = true;
  }

  /** Nothing of it may show any more. */
  clear(): void {
    this.#state = undefined;
    this.#position = undefined;
    this.#isIntact = false;
  }

  /** `false` when `apply` threw, which is reported: the state no longer follows the events. */
  apply(event: unknown, position: Position, report: (error: unknown) => void): boolean {
    if (covers(this.#position, position)) return true;
    this.#position = position;
    if (!this.isUsable) return true;
    try {
      this.#state = this.topic.apply?.(this.#state, event);
      return true;
    } catch (error) {
      report(error);
      this.#isIntact = false;
      return false;
    }
  }

  /** The event at this position can't be had. */
  miss(position: Position): void {
    if (covers(this.#position, position)) return;
    this.#position = position;
    this.#isIntact = this.topic.apply === undefined;
  }
}

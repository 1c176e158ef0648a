import type { TautlineError } from '../../errors.ts';
import type { Position } from '../../protocol/messages.ts';
import { isBefore } from './positions.ts';
import type { Gap, Subscriber } from './subscription.ts';

/** A gap of some who listen. */
export interface SeenGap {
  readonly gap: Gap;
  /** One of them hears of it. */
  readonly isTaken: boolean;
}

/** Those who listen to one topic. Each has its position; one that is paused takes part in nothing. */
export class TopicAudience {
  /** All, the paused too. Never changed, but replaced: whoever is told something may leave. */
  all: readonly Subscriber[] = NOBODY;

  get size(): number {
    return this.all.length;
  }

  get isListening(): boolean {
    return this.all.some(({ isPaused }) => !isPaused);
  }

  /** All but the paused. */
  get listening(): readonly Subscriber[] {
    return this.all.some(({ isPaused }) => isPaused) ? this.all.filter(({ isPaused }) => !isPaused) : this.all;
  }

  add(subscriber: Subscriber): void {
    // Spread, the room for more would cost most subscriptions more than all else of the list.
    this.all = this.all.concat(subscriber);
  }

  delete(subscriber: Subscriber): boolean {
    const before = this.all;
    this.all = before.filter((other) => other !== subscriber);
    return this.all.length < before.length;
  }

  clear(): void {
    this.all = NOBODY;
  }

  recovering(): void {
    for (const subscriber of this.all) subscriber.recovering();
  }

  /**
   * From where to subscribe so that nobody misses anything.
   *
   * @param taken - Up to here the subscription in force gave everything.
   * @param told - Up to here those who follow were told everything. Before that it is for those who come with a position.
   */
  lowest(taken: Position | undefined, told: Position | undefined): Position | undefined {
    let lowest = taken;
    for (const { heard, wantsSnapshot } of this.listening) {
      if (heard === undefined || wantsSnapshot || (told !== undefined && heard[0] !== told[0])) continue;
      const mayLower = told === undefined || isBefore(heard, told);
      if (lowest === undefined || (mayLower && isBefore(heard, lowest))) lowest = heard;
    }
    return lowest;
  }

  /** Tells the chosen ones that what follows starts after `to`. Returns the gap that this is, if it is one. */
  moveTo(to: Position, chosen: (subscriber: Subscriber) => boolean, error?: TautlineError): SeenGap | undefined {
    let seen: SeenGap | undefined;
    for (const subscriber of this.listening) {
      if (!chosen(subscriber)) continue;
      const { takesGaps } = subscriber;
      const gap = subscriber.movedTo(to, error);
      if (gap !== undefined) seen = { gap, isTaken: takesGaps || seen?.isTaken === true };
    }
    return seen;
  }

  /** All is told up to here. `false` when somebody needs a state, and there is none that follows the events. */
  live(told: Position, state: { get(): unknown } | undefined): boolean {
    let isEnough = true;
    for (const subscriber of this.listening) {
      if (subscriber.wantsSnapshot && state === undefined) {
        isEnough = false;
        continue;
      }
      subscriber.snapshot(state?.get(), told);
      subscriber.live(told);
    }
    return isEnough;
  }
}

const NOBODY: readonly Subscriber[] = [];

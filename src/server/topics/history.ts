import { whenReady } from '../app/now-or-later.ts';
import type { Report } from '../app/reporter.ts';
import type { Feed, StoredEvent } from '../brokers/broker.ts';
import type { Position } from '../../protocol/messages.ts';

/** Publications that are read from history at once. */
const READ_LIMIT = 256;

/** The history of one topic, from whatever broker there is. */
export class History {
  readonly #path: string;
  readonly #report: Report;

  constructor(path: string, report: Report) {
    this.#path = path;
    this.#report = report;
  }

  /** What comes after a position; `undefined` where that is not covered. */
  read(feed: Feed, after: Position, then: (events: readonly StoredEvent[] | undefined | 'failed') => void): void {
    this.#ask<readonly StoredEvent[] | undefined, 'failed'>(() => feed.read(after, READ_LIMIT), 'failed', then);
  }

  /** Where to go on when what comes after a position is lost: before the oldest that there is, or at the head. */
  oldest(feed: Feed, after: Position, then: (position: Position) => void): void {
    const isBeyond = ({ head }: Feed): boolean => after[0] === head[0] && after[1] > head[1];
    if (feed.oldest === undefined || isBeyond(feed)) return then(feed.head);
    this.#ask<Position, undefined>(
      () => feed.oldest!(),
      undefined,
      (oldest) => {
        const { head } = feed;
        const isFurther = oldest?.[0] === head[0] && (after[0] !== head[0] || oldest[1] > after[1]);
        then(isFurther && oldest[1] >= 0 && oldest[1] < head[1] ? [head[0], oldest[1]] : head);
      },
    );
  }

  #ask<Answer, Failed>(
    ask: () => Answer | PromiseLike<Answer>,
    failed: Failed,
    then: (answer: Answer | Failed) => void,
  ): void {
    void whenReady(ask, then, (error) => {
      this.#report(error, { during: 'broker', path: this.#path });
      then(failed);
    });
  }
}

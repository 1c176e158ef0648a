import type { Deadlines } from '../../primitives/deadlines.ts';
import { isThenable } from '../app/now-or-later.ts';
import { limitTime } from '../app/time-limit.ts';
import type { Broker, Feed, FeedListener } from '../brokers/broker.ts';

/** Follows a topic at the broker. A feed that comes when nobody waits for it any more is let go. */
export function openFeed(
  broker: Broker,
  deadlines: Deadlines,
  topic: string,
  listener: FeedListener,
): Feed | PromiseLike<Feed> {
  const opening = broker.subscribe(topic, listener);
  if (!isThenable(opening)) return opening;
  let isWaitedFor = true;
  opening.then(
    (feed) => isWaitedFor || feed.close(),
    () => undefined,
  );
  return Promise.resolve(limitTime(deadlines, `the broker's subscribe of ${topic}`, () => opening)).catch(
    (error: unknown) => {
      isWaitedFor = false;
      throw error;
    },
  );
}

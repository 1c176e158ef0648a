import type { TautlineError } from '../../errors.ts';
import type { Subscriber } from './subscription.ts';
import type { SeenGap } from './topic-audience.ts';

/** What a topic needs from the table of topics. */
export interface WireTopicOwner<Topic> {
  /** Number of the last `subscribe` written, on whatever topic; numbers count up. */
  lastNumber: number;
  readonly report: (error: unknown) => void;
  /** Has the topic's wish written: see `WireTopic.write`. */
  sync(topic: Topic): void;
  /** The same, after a pause that grows while it goes on; without an error of the server's at once the first time. */
  syncAgain(topic: Topic, error?: TautlineError): void;
  remove(topic: Topic): void;
  /** The same, for one that nobody listens to: its state stays for a while. */
  rest(topic: Topic): void;
  /** Events of it were lost for good. */
  gapSeen(topic: Topic, seen: SeenGap): void;
  /** Its subscriptions were ended with an error that nobody asked for. */
  ended(subscribers: readonly Subscriber[], error: TautlineError): void;
  /** A listener left. */
  left(topic: Topic, subscriber: Subscriber): void;
  /** A listener paused. */
  paused(topic: Topic): void;
}

import type { TautlineError } from '../../errors.ts';
import type { FilledTopic } from './filled-topic.ts';
import type { PublishOptions } from './request-options.ts';

/** Options of a publish that may be dropped. */
export interface LossyOptions extends PublishOptions {
  /** At most once, and no answer: it is dropped where the connection can't keep up. */
  readonly delivery: 'lossy';
  /** While it waits, a newer one of the topic with the same key takes its place: the latest wins. */
  readonly conflate?: string | undefined;
}

/**
 * What became of a lossy publish: `sent` to the socket (whether it arrived is not known), or dropped because a newer
 * one with its key (`conflated`) or a reliable one of its topic (`superseded`) came while it waited, because the queue
 * was full (`evicted`), its time was over (`expired`), there was no connection to wait for (`offline`) or it ended
 * (`closed`).
 */
export type LossyOutcome = 'sent' | 'conflated' | 'superseded' | 'evicted' | 'expired' | 'offline' | 'closed';

/** Who waits for a lossy publish. */
export interface LossyWaiter {
  readonly resolve: (outcome: LossyOutcome) => void;
  readonly reject: (error: TautlineError) => void;
}

/** Publishes that may be dropped, as the rest of a connection sees them: see `lossy/`. */
export interface LossyLane {
  /** Writes a publication if it can, before its deadline, and drops it if not. */
  publish(target: FilledTopic, event: unknown, options: LossyOptions, waiter: LossyWaiter): void;
  /** Some of the topic wait. */
  waits(topic: string): boolean;
  /** A newer publish of the topic, which must not be dropped, is about to be queued: those that may go now, go first. */
  goFirst(): void;
  /** The newer publish was queued: those that still wait would come after it. */
  supersede(topic: string): void;
}

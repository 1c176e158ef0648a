import { describeIssues } from '../../contract/issues.ts';
import { validate } from '../../contract/schema.ts';
import type { Validation } from '../../contract/schema.ts';
import { TautlineError } from '../../errors.ts';
import type { Position } from '../../protocol/messages.ts';
import { isThenable, whenReady } from '../app/now-or-later.ts';
import type { Observer } from '../app/observer.ts';
import type { Report } from '../app/reporter.ts';
import type { PublishOptions } from '../brokers/broker.ts';
import { KeyedQueue } from './keyed-queue.ts';
import type { TopicHub } from './topic-hub.ts';
import type { FoundTopic } from './topic-index.ts';

/** Options of a {@link Publisher}. */
export interface PublisherOptions {
  readonly hub: TopicHub;
  readonly report: Report;
  readonly observer: Observer | undefined;
}

interface Publication {
  readonly found: FoundTopic;
  readonly event: unknown;
  readonly options: PublishOptions | undefined;
}

/** Longest key of a publication, in UTF-16 units: each is kept as long as its publication. */
const KEY_LENGTH = 256;

/** Brings the app's own publications into effect, those to one topic in the order in which they were made. */
export class Publisher {
  readonly #options: PublisherOptions;
  /** Topics with publications that wait for an asynchronous schema. */
  readonly #waiting = new KeyedQueue();

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** Publishes. @throws TautlineError `BAD_INPUT` or `BAD_PAYLOAD`, TypeError for a bad key: as a rejection. */
  publish(found: FoundTopic, event: unknown, options?: PublishOptions): Promise<Position> {
    let published: Position | PromiseLike<Position>;
    try {
      checkOptions(options);
      this.#checkTransaction(options);
      published = this.#publish({ found, event, options });
    } catch (error) {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what was thrown, whatever it is
      published = Promise.reject(error);
    }
    const { report, observer } = this.#options;
    const { path } = found.bound.topic;
    if (!isThenable(published)) {
      observer?.tell({ type: 'published', path, by: 'server' });
      return Promise.resolve(published);
    }
    const promise = Promise.resolve(published);
    // Who does not wait must not end the process; who waits is told all the same.
    promise.then(
      () => observer?.tell({ type: 'published', path, by: 'server' }),
      (error: unknown) => report(error, { during: 'publish', path }),
    );
    return promise;
  }

  /** A broker that knows no transactions would publish before it is committed. */
  #checkTransaction(options: PublishOptions | undefined): void {
    if (options?.tx === undefined || this.#options.hub.hasTransactions) return;
    throw new TypeError('publish: tx needs a broker that publishes within transactions, like postgresBroker(…)');
  }

  #publish(publication: Publication): Position | PromiseLike<Position> {
    const { found, event } = publication;
    const schema = found.bound.topic.definition.event;
    if (this.#waiting.isBusy(found.name)) return this.#inTurn(publication, () => validate(schema, event));
    const validation = validate(schema, event);
    return isThenable(validation)
      ? this.#inTurn(publication, () => validation)
      : this.#takeEffect(publication, validation);
  }

  #inTurn(publication: Publication, validated: () => Validation | Promise<Validation>): Promise<Position> {
    return new Promise((resolve, reject) => {
      this.#waiting.run(publication.found.name, () =>
        whenReady(
          validated,
          (result) => void whenReady(() => this.#takeEffect(publication, result), resolve, reject),
          reject,
        ),
      );
    });
  }

  #takeEffect({ found, options }: Publication, result: Validation): Position | PromiseLike<Position> {
    if (result.issues === undefined) return this.#options.hub.publish(found, result.value, options);
    const { issues, cause } = result;
    const details = { outcome: 'rejected', path: found.bound.topic.path, issues, cause } as const;
    throw new TautlineError('BAD_INPUT', describeIssues(issues), details);
  }
}

function checkOptions({ key }: PublishOptions = {}): void {
  if (key === undefined || (typeof key === 'string' && key !== '' && key.length <= KEY_LENGTH)) return;
  throw new TypeError(`publish: key must be a text of 1 to ${KEY_LENGTH} characters, or left off`);
}

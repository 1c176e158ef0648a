import { describeIssues, validate } from '../contract/schema.ts';
import { TautlineError } from '../errors.ts';
import type { Codec } from '../payload.ts';
import { encodeError, encodeReply } from '../protocol/encode.ts';
import type { Position } from '../protocol/messages.ts';
import type { Call, CallStore } from './call-store.ts';
import type { Client } from './client.ts';
import { KeyedQueue } from './keyed-queue.ts';
import { whenReady } from './reporter.ts';
import type { Report } from './reporter.ts';
import type { FoundTopic, TopicHub } from './topic-hub.ts';

/** Publications of one client to one topic that may be under way. */
const MOST_WAITING = 512;

/** A publication of a client. */
export interface ClientPublication {
  readonly client: Client;
  readonly context: unknown;
  /** Its call; `undefined` for id 0, which is answered in no case. */
  readonly call: Call | undefined;
  readonly found: FoundTopic;
  readonly json: unknown;
  readonly meta: unknown;
}

/** Options of a {@link Publisher}. */
export interface PublisherOptions {
  readonly codec: Codec;
  readonly hub: TopicHub;
  readonly report: Report;
}

/** Brings publications into effect: the app's, and those of clients after the app has agreed. */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #own = new KeyedQueue();

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** Publishes for the app. @throws TautlineError `BAD_INPUT` or `BAD_PAYLOAD`, as a rejection. */
  publish({ name, bound }: FoundTopic, event: unknown): Promise<Position> {
    const { codec, hub, report } = this.#options;
    const { definition, path } = bound.topic;
    const published = new Promise<Position>((resolve, reject) => {
      this.#own.run(name, () =>
        whenReady(
          () => validate(definition.event, event),
          (result) => {
            const { issues } = result;
            if (issues === undefined) {
              void whenReady(() => hub.publish(name, codec.encode(result.value)), resolve, reject);
            } else {
              reject(new TautlineError('BAD_INPUT', describeIssues(issues), { outcome: 'rejected', path, issues }));
            }
          },
          reject,
        ),
      );
    });
    // Who does not wait must not end the process; who waits is told all the same.
    published.catch((error: unknown) => report(error, { during: 'publish', path }));
    return published;
  }

  /** Publishes for a client, after its earlier publications to the topic. */
  publishFor(publication: ClientPublication): void {
    const { client, call, found } = publication;
    if (found.bound.publish === undefined) {
      return refuse(publication, 'FORBIDDEN', 'clients may not publish to this topic');
    }
    const task = (): Promise<void> =>
      new Promise((done) => {
        // One that was settled meanwhile must not hold up the ones after it.
        call?.onEnd(done);
        void this.#run(publication).then(done);
      });
    if (!client.publishes.run(found.name, task, MOST_WAITING)) {
      refuse(publication, 'RATE_LIMITED', `more than ${MOST_WAITING} publications to this topic are under way`);
    }
  }

  /** Never rejects. After each pause it looks whether it is still wanted. */
  async #run(publication: ClientPublication): Promise<void> {
    const { call, context, found } = publication;
    const { params, bound, name } = found;
    const { codec, hub, report } = this.#options;
    const { path, definition } = bound.topic;
    try {
      const allowed = await bound.authorize({ params, context, action: 'publish' });
      if (allowed !== true) return refuse(publication, 'FORBIDDEN', 'not allowed to publish to this topic');
      const event = this.#decode(publication);
      if (event === undefined) return;
      const result = await validate(definition.event, event.value);
      if (result.issues !== undefined) return refuse(publication, 'BAD_INPUT', describeIssues(result.issues));
      if (isSettled(call)) return;
      await bound.publish!({ params, event: result.value, context });
      const payload = codec.encode(result.value);
      if (isSettled(call)) return;
      const position = await hub.publish(name, payload);
      if (call !== undefined) callsOf(publication).settle(call, encodeReply(call.id, JSON.stringify(position)));
    } catch (error) {
      report(error, { during: 'publish', path });
      refuse(publication, 'INTERNAL', 'the server failed');
    }
  }

  #decode(publication: ClientPublication): { readonly value: unknown } | undefined {
    try {
      return { value: this.#options.codec.decode(publication.json, publication.meta) };
    } catch (error) {
      refuse(publication, 'BAD_PAYLOAD', error instanceof Error ? error.message : 'the payload is malformed');
      return undefined;
    }
  }
}

function isSettled(call: Call | undefined): boolean {
  return call?.settled === true;
}

function callsOf({ client }: ClientPublication): CallStore {
  return client.calls;
}

function refuse(publication: ClientPublication, code: string, message: string): void {
  const { call } = publication;
  if (call !== undefined) callsOf(publication).settle(call, encodeError(call.id, { code, message }, ''));
}

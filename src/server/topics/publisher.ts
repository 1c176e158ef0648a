import { describeIssues } from '../../contract/issues.ts';
import { validate } from '../../contract/schema.ts';
import { TautlineError } from '../../errors.ts';
import type { Codec } from '../../payload.ts';
import { encodeError, encodeReply } from '../../protocol/encode.ts';
import type { Position, WireError } from '../../protocol/messages.ts';
import { badInput } from '../app/bad-input.ts';
import type { KnownCall, CallMemory } from '../calls/call-memory.ts';
import type { Client } from '../clients/client.ts';
import type { BoundTopic } from '../app/handlers.ts';
import { assertWanted, refusalOf } from '../app/interceptor.ts';
import type { Intercept, InterceptedCall } from '../app/interceptor.ts';
import { KeyedQueue } from './keyed-queue.ts';
import type { Observer } from '../app/observer.ts';
import type { PayloadWriter } from '../app/payload-writer.ts';
import { isAbort, isThenable, whenReady } from '../app/reporter.ts';
import type { Report } from '../app/reporter.ts';
import type { FoundTopic, TopicHub } from './topic-hub.ts';

/** A publication of a client. */
export interface ClientPublication {
  readonly client: Client;
  readonly context: unknown;
  /** Its call; `undefined` for id 0, which is answered in no case. */
  readonly call: KnownCall | undefined;
  readonly found: FoundTopic;
  readonly json: unknown;
  readonly meta: unknown;
}

/** Options of a {@link Publisher}. */
export interface PublisherOptions {
  readonly codec: Codec;
  readonly writer: PayloadWriter;
  readonly hub: TopicHub;
  readonly report: Report;
  readonly intercept: Intercept | undefined;
  readonly observer: Observer | undefined;
}

/** What the interceptors of a publication stand around. */
interface Interception {
  readonly intercept: Intercept;
  readonly event: unknown;
  readonly publish: () => Position | PromiseLike<Position>;
}

const NO_HEADERS = Object.freeze({});

/** Brings publications into effect: the app's, and those of clients after the app has agreed. */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #own = new KeyedQueue();

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** Publishes for the app. @throws TautlineError `BAD_INPUT` or `BAD_PAYLOAD`, as a rejection. */
  publish({ name, bound }: FoundTopic, event: unknown): Promise<Position> {
    const { hub, report, observer } = this.#options;
    const { definition, path } = bound.topic;
    const published = new Promise<Position>((resolve, reject) => {
      this.#own.run(name, () =>
        whenReady(
          () => validate(definition.event, event),
          (result) => {
            if (result.issues === undefined) {
              void whenReady(() => hub.publish(name, this.#write(bound, result.value)), resolve, reject);
            } else {
              const { issues, cause } = result;
              const details = { outcome: 'rejected', path, issues, cause } as const;
              reject(new TautlineError('BAD_INPUT', describeIssues(issues), details));
            }
          },
          reject,
        ),
      );
    });
    // Who does not wait must not end the process; who waits is told all the same.
    published.then(
      () => observer?.tell({ type: 'published', path, by: 'server' }),
      (error: unknown) => report(error, { during: 'publish', path }),
    );
    return published;
  }

  /** Publishes for a client, after its earlier publications to the topic. */
  publishFor(publication: ClientPublication): void {
    const { client, call, found } = publication;
    if (found.bound.publish === undefined) {
      return refuse(publication, { code: 'FORBIDDEN', message: 'clients may not publish to this topic' });
    }
    // Counts until the last of it has ended, wanted or not.
    client.calls.hold(call);
    client.publishes.run(found.name, () => {
      const running = this.#start(publication);
      void running.ended.then(() => client.calls.release(call));
      return running.outOfTheWay;
    });
  }

  /**
   * One that was settled meanwhile must not hold up the ones after it, unless the app's handler already works at it:
   * then it takes effect, and before them.
   */
  #start(publication: ClientPublication): { readonly ended: Promise<void>; readonly outOfTheWay: Promise<void> } {
    let begun = false;
    const ended = this.#run(publication, () => {
      begun = true;
    });
    const outOfTheWay = new Promise<void>((done) => {
      publication.call?.onEnd(() => {
        if (!begun) done();
      });
      void ended.then(done);
    });
    return { ended, outOfTheWay };
  }

  /** Never rejects. Until the app's handler begins, it looks after each pause whether it is still wanted. */
  async #run(publication: ClientPublication, begin: () => void): Promise<void> {
    const { call, context, found } = publication;
    const { bound } = found;
    if (isSettled(call)) return;
    const { hub, intercept, report, observer } = this.#options;
    const { path, definition } = bound.topic;
    try {
      const allowed = await hub.authorize(found, context, 'publish');
      if (allowed !== true)
        return refuse(publication, { code: 'FORBIDDEN', message: 'not allowed to publish to this topic' });
      const event = this.#decode(publication);
      if (event === undefined) return;
      const result = await validate(definition.event, event.value);
      if (result.issues !== undefined) {
        if ('cause' in result) report(result.cause, { during: 'input', path });
        return refuse(publication, badInput(result.issues));
      }
      if (isSettled(call)) return;
      const { value } = result;
      const publish = () => {
        begin();
        return this.#publish(publication, value);
      };
      const position = await (intercept === undefined
        ? publish()
        : this.#intercept(publication, { intercept, event: value, publish }));
      if (position === undefined) return;
      if (call !== undefined) callsOf(publication).settle(call, encodeReply(call.id, JSON.stringify(position)));
      observer?.tell({ type: 'published', path, by: 'client' });
    } catch (error) {
      if (!isSettled(call) || !isAbort(error)) report(error, { during: 'publish', path });
      refuse(publication, { code: 'INTERNAL', message: 'the server failed' });
    }
  }

  /** It takes effect, if the app agrees. */
  #publish({ context, found }: ClientPublication, event: unknown): Position | PromiseLike<Position> {
    const { bound, name, params } = found;
    const { hub } = this.#options;
    const agreed = bound.publish!({ params, event, context });
    const takeEffect = () => hub.publish(name, this.#write(bound, event));
    return isThenable(agreed) ? Promise.resolve(agreed).then(takeEffect) : takeEffect();
  }

  /** Goes through the interceptors. Nothing when one of them has refused it. */
  async #intercept(
    publication: ClientPublication,
    { intercept, event, publish }: Interception,
  ): Promise<Position | undefined> {
    const { call, context, found } = publication;
    const { path } = found.bound.topic;
    let begun = false;
    let position: Position | PromiseLike<Position> | undefined;
    const intercepted: InterceptedCall = {
      kind: 'publish',
      path,
      id: call?.id ?? 0,
      headers: NO_HEADERS,
      input: event,
      context,
      get signal() {
        return call?.signal ?? new AbortController().signal;
      },
    };
    try {
      await intercept(intercepted, () => {
        assertWanted(call);
        begun = true;
        return (position = publish());
      });
    } catch (error) {
      const refusal = begun ? undefined : refusalOf(error);
      if (refusal === undefined) throw error;
      refuse(publication, refusal);
      return undefined;
    }
    if (position === undefined) throw new TypeError(`an interceptor kept ${path} from being published without a word`);
    return position;
  }

  #write({ topic }: BoundTopic, value: unknown): string {
    return this.#options.writer.encode({ schema: topic.definition.event, value, path: topic.path, what: 'event' });
  }

  #decode(publication: ClientPublication): { readonly value: unknown } | undefined {
    try {
      return { value: this.#options.codec.decode(publication.json, publication.meta) };
    } catch (error) {
      const message = error instanceof Error ? error.message : 'the payload is malformed';
      refuse(publication, { code: 'BAD_PAYLOAD', message });
      return undefined;
    }
  }
}

function isSettled(call: KnownCall | undefined): boolean {
  return call?.settled === true;
}

function callsOf({ client }: ClientPublication): CallMemory {
  return client.calls;
}

function refuse(publication: ClientPublication, error: WireError): void {
  const { call } = publication;
  if (call !== undefined) callsOf(publication).settle(call, encodeError(call.id, error, ''));
}

import { validate } from '../../contract/schema.ts';
import type { Validation } from '../../contract/schema.ts';
import type { Codec } from '../../payload.ts';
import { encodeError, encodePublished } from '../../protocol/encode.ts';
import type { Position, WireError } from '../../protocol/messages.ts';
import { badInput } from '../app/bad-input.ts';
import { assertWanted } from '../app/interceptor.ts';
import type { Intercept, InterceptedCall } from '../app/interceptor.ts';
import { isThenable } from '../app/now-or-later.ts';
import type { Observer } from '../app/observer.ts';
import { refusalOf } from '../app/refusal.ts';
import { isAbort } from '../app/reporter.ts';
import type { Report } from '../app/reporter.ts';
import type { KnownCall } from '../calls/known-call.ts';
import { NO_HEADERS } from '../calls/run.ts';
import type { Arrival } from '../calls/run.ts';
import type { Client } from '../clients/client.ts';
import type { PresenceTable } from '../presence/presence-table.ts';
import type { TopicHub } from './topic-hub.ts';
import type { FoundTopic } from './topic-index.ts';

/** A publication of a client. */
export interface ClientPublication {
  readonly client: Client;
  readonly arrival: Arrival;
  /** Its call; `undefined` for id 0, which is answered in no case. */
  readonly call: KnownCall | undefined;
  readonly found: FoundTopic;
  readonly json: unknown;
  readonly meta: unknown;
  /** The app's handler works at it, or has. */
  begun: boolean;
}

/** Options of a {@link ClientPublisher}. */
export interface ClientPublisherOptions {
  readonly codec: Codec;
  readonly hub: TopicHub;
  readonly presence: PresenceTable;
  readonly report: Report;
  readonly intercept: Intercept | undefined;
  readonly observer: Observer | undefined;
}

/** Nothing was done, and later it may be. */
const BROKER_AWAY = {
  code: 'RATE_LIMITED',
  message: 'the server has lost its broker for a while, and published nothing',
  retryAfterMs: 1000,
};

/**
 * Brings publications of clients into effect after the app has agreed, those of one client to one topic in their order.
 * One in which nothing has to be waited for is answered at once. Each step gives nothing when all that follows was done
 * at once; where it throws, or rejects, the publication has failed.
 */
export class ClientPublisher {
  readonly #options: ClientPublisherOptions;

  constructor(options: ClientPublisherOptions) {
    this.#options = options;
  }

  /** Publishes after the client's earlier publications to the topic. */
  publish(publication: ClientPublication): void {
    const { client, call, found } = publication;
    if (found.bound.publish === undefined && !isPresence(found)) {
      return refuse(publication, { code: 'FORBIDDEN', message: 'clients may not publish to this topic' });
    }
    // Counts until the last of it has ended, wanted or not.
    client.calls.hold(call);
    client.publishes.run(found.name, () => this.#start(publication));
  }

  /**
   * One that was settled meanwhile must not hold up the ones after it, unless the app's handler already works at it:
   * then it takes effect, and before them.
   */
  #start(publication: ClientPublication): void | Promise<void> {
    const { client, call } = publication;
    const running = this.#run(publication);
    if (running === undefined) return client.calls.release(call);
    void running.then(() => client.calls.release(call));
    return new Promise<void>((outOfTheWay) => {
      call?.onEnd(() => {
        if (!publication.begun) outOfTheWay();
      });
      void running.then(outOfTheWay);
    });
  }

  /** Never throws or rejects. Until the app's handler begins, it looks after each pause whether it is still wanted. */
  #run(publication: ClientPublication): void | Promise<void> {
    const { arrival, found } = publication;
    if (isSettled(publication)) return;
    try {
      const allowed = this.#options.hub.authorize(found, arrival.context, 'publish');
      const running = isThenable(allowed)
        ? Promise.resolve(allowed).then((answer) => this.#authorized(publication, answer))
        : this.#authorized(publication, allowed);
      return running?.catch((error: unknown) => this.#failed(publication, error));
    } catch (error) {
      this.#failed(publication, error);
    }
  }

  #authorized(publication: ClientPublication, allowed: unknown): void | Promise<void> {
    if (allowed !== true) {
      return this.#forbid(publication, { code: 'FORBIDDEN', message: 'not allowed to publish to this topic' });
    }
    const { found, json, meta, arrival } = publication;
    const { definition } = found.bound.topic;
    let value: unknown;
    try {
      value = this.#options.codec.decode(json, meta, arrival.isVetted);
    } catch (error) {
      const message = error instanceof Error ? error.message : 'the payload is malformed';
      return refuse(publication, { code: 'BAD_PAYLOAD', message });
    }
    const validation = validate(definition.enter ?? definition.event, value);
    return isThenable(validation)
      ? validation.then((result) => this.#parsed(publication, result))
      : this.#parsed(publication, validation);
  }

  #parsed(publication: ClientPublication, result: Validation): void | Promise<void> {
    const { found } = publication;
    const { report } = this.#options;
    if (result.issues !== undefined) {
      if ('cause' in result) report(result.cause, { during: 'input', path: found.bound.topic.path });
      return refuse(publication, badInput(result.issues));
    }
    const waiting = this.#options.hub.ready();
    if (waiting === undefined) return this.#accepted(publication, result.value);
    return waiting.then(
      () => this.#accepted(publication, result.value),
      () => refuse(publication, BROKER_AWAY),
    );
  }

  /** Nothing stands in its way. From here on nobody can say that it was not done. */
  #accepted(publication: ClientPublication, event: unknown): void | Promise<void> {
    if (isSettled(publication)) return;
    const { intercept } = this.#options;
    const position =
      intercept === undefined
        ? this.#publish(publication, event)
        : this.#throughInterceptors(publication, intercept, event);
    return isThenable(position)
      ? Promise.resolve(position).then((known) => this.#published(publication, known))
      : this.#published(publication, position);
  }

  /** It takes effect, if the app agrees. */
  #publish(publication: ClientPublication, event: unknown): Position | PromiseLike<Position> {
    const { arrival, found } = publication;
    const { bound, params } = found;
    const { hub, presence } = this.#options;
    if (isPresence(found)) return presence.take(publication.client, found, event as readonly unknown[]);
    publication.begun = true;
    const agreed = bound.publish!({ params, event, context: arrival.context });
    return isThenable(agreed)
      ? Promise.resolve(agreed).then(() => hub.publish(found, event))
      : hub.publish(found, event);
  }

  /** Goes through the interceptors. Nothing when one of them has refused it. */
  async #throughInterceptors(
    publication: ClientPublication,
    intercept: Intercept,
    event: unknown,
  ): Promise<Position | undefined> {
    const { call, arrival, found } = publication;
    const { path } = found.bound.topic;
    let position: Position | PromiseLike<Position> | undefined;
    const intercepted: InterceptedCall = {
      kind: 'publish',
      path,
      id: call?.id ?? 0,
      headers: NO_HEADERS,
      input: event,
      context: arrival.context,
      get signal() {
        return call?.signal ?? new AbortController().signal;
      },
    };
    try {
      await intercept(intercepted, () => {
        assertWanted(call);
        return (position = this.#publish(publication, event));
      });
    } catch (error) {
      const refusal = publication.begun ? undefined : refusalOf(error);
      if (refusal === undefined) throw error;
      refuse(publication, refusal);
      return undefined;
    }
    if (position === undefined) throw new TypeError(`an interceptor kept ${path} from being published without a word`);
    return position;
  }

  #published(publication: ClientPublication, position: Position | undefined): void {
    if (position === undefined) return;
    const { client, call, found } = publication;
    if (call !== undefined) client.calls.settle(call, encodePublished(call.id, position));
    this.#options.observer?.tell({ type: 'published', path: found.bound.topic.path, by: 'client' });
  }

  #failed(publication: ClientPublication, error: unknown): void {
    const { found, begun } = publication;
    // Of `authorize`: what the app's own handler throws stays in the server.
    const refusal = begun ? undefined : refusalOf(error);
    if (refusal !== undefined) return this.#forbid(publication, refusal);
    if (!isSettled(publication) || !isAbort(error)) {
      this.#options.report(error, { during: 'publish', path: found.bound.topic.path });
    }
    refuse(publication, { code: 'INTERNAL', message: 'the server failed' });
  }

  /** Who may not be somewhere any more is not there, whatever he says. */
  #forbid(publication: ClientPublication, error: WireError): void {
    const { client, found } = publication;
    if (error.code === 'FORBIDDEN' || error.code === 'UNAUTHENTICATED')
      this.#options.presence.leave(client, found.name);
    refuse(publication, error);
  }
}

/** The server publishes its events: what clients say is of another kind. */
function isPresence({ bound }: FoundTopic): boolean {
  return bound.topic.definition.enter !== undefined;
}

/** Nobody wants it: it was settled, or its client is gone for good. */
function isSettled({ call, client }: Pick<ClientPublication, 'call' | 'client'>): boolean {
  return call?.settled === true || client.isGone;
}

function refuse({ client, call }: ClientPublication, error: WireError): void {
  if (call !== undefined) client.calls.settle(call, encodeError(call.id, error, ''));
}

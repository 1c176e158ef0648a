import { utf8Length } from '../../protocol/utf8.ts';
import type { KnownCall } from '../calls/known-call.ts';
import { isThenable } from './now-or-later.ts';
import type { Report } from './reporter.ts';
import { SharedTexts } from '../outbound/shared-texts.ts';

/**
 * One thing that a server did or saw, for metrics and logs. Plain values of bounded variety: paths are those of the
 * contract, codes those of errors and closes. Payloads, tokens and names of topics are not in it; of calls the identity is,
 * which metrics better leave out.
 */
export type ServerHappening =
  /** A socket was handed to the server. */
  | { readonly type: 'opened' }
  /**
   * A socket ended, by whom and with which close code; without one when the line was lost, or the adapter does not
   * tell. `openMs`: how long it was open.
   */
  | {
      readonly type: 'closed';
      readonly by: 'server' | 'peer';
      readonly code: number | undefined;
      readonly openMs: number;
    }
  /** One frame of a peer came, or was handed to its socket. Bytes of text, without the header of the frame. */
  | { readonly type: 'received' | 'sent'; readonly bytes: number }
  /**
   * A call, or a publish that waits for its answer, was settled: `ok`, or the code of its error; `ABORTED` also when its
   * client is gone. `durationMs` counts from its arrival, so waiting for its turn is in it.
   */
  | {
      readonly type: 'call';
      readonly kind: 'query' | 'mutation' | 'stream' | 'publish';
      readonly path: string;
      /** Whose call it was, as `authenticate` named it. */
      readonly identity: string;
      readonly outcome: string;
      readonly durationMs: number;
    }
  /**
   * Something was refused before it became a call or a subscription, or a subscription was ended with an error. An
   * upgrade that was not let in has its HTTP status as code, `403` for its origin.
   */
  | { readonly type: 'refused'; readonly code: string }
  /** A publication took effect. */
  | { readonly type: 'published'; readonly path: string; readonly by: 'server' | 'client' }
  /**
   * The broker, or the call store, was lost, or is there again: then `awayMs` tells for how long it was away. A server
   * that begins without it is told that it is away.
   */
  | { readonly type: 'broker' | 'callStore'; readonly state: 'away' | 'back'; readonly awayMs: number }
  /** A subscription began, or began anew: `gap` tells that its peer has missed something. */
  | { readonly type: 'subscribed'; readonly path: string; readonly continuity: 'live' | 'resumed' | 'gap' }
  /** So many events were handed to subscribers: one publication to many, or a stretch of history to one. */
  | { readonly type: 'events'; readonly path: string; readonly count: number };

/** What {@link ServerOptions.observe} takes. */
export type Observe = (happening: ServerHappening) => void;

/** Hands happenings to the app. Made only where the app asks for them: what nobody hears costs nothing. */
export class Observer {
  readonly #observe: (happening: ServerHappening) => unknown;
  readonly #report: Report;
  readonly #frames = new SharedTexts();

  constructor(observe: Observe, report: Report) {
    this.#observe = observe;
    this.#report = report;
  }

  /** Never throws. */
  tell(happening: ServerHappening): void {
    try {
      const told = this.#observe(happening);
      if (isThenable(told)) void Promise.resolve(told).catch((error: unknown) => this.#failed(error));
    } catch (error) {
      this.#failed(error);
    }
  }

  received(frame: string): void {
    this.tell({ type: 'received', bytes: utf8Length(frame) });
  }

  sent(frame: string): void {
    this.tell({ type: 'sent', bytes: this.#frames.bytesOf(frame) });
  }

  /** Tells how a call ends, from now on: where it was refused before, it was none. */
  follow(call: KnownCall, path: string, identity: string): void {
    const startedAt = performance.now();
    const { kind } = call;
    call.observer = (message) => {
      const durationMs = performance.now() - startedAt;
      this.tell({ type: 'call', kind, path, identity, outcome: outcomeOf(message), durationMs });
    };
  }

  #failed(error: unknown): void {
    this.#report(error, { during: 'observe' });
  }
}

/** How a call ended, read from the message that settled it; nothing settled it when nobody waited any more. */
function outcomeOf(message: string | undefined): string {
  if (message === undefined) return 'ABORTED';
  if (!message.startsWith('["error"')) return 'ok';
  const [, , error] = JSON.parse(message) as ['error', number, { readonly code: string }];
  return error.code;
}

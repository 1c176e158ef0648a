import type { TautlineError } from '../../errors.ts';
import { SerialQueue } from '../../primitives/serial-queue.ts';
import * as CloseCode from '../../protocol/close-code.ts';
import { encodeError, encodeReply } from '../../protocol/encode.ts';
import { afterwards, whenReady } from '../app/now-or-later.ts';
import { closeOfRefusal, expiryProblem, noCredentials, refusesCredentials } from '../app/refusal.ts';
import { limitTime } from '../app/time-limit.ts';
import type { Credentials } from '../engine.ts';
import type { PeerLink } from './peer-link.ts';

/** New credentials that may wait for the ones before them. */
const MOST_WAITING = 4;

const OTHER_IDENTITY = 'the credentials prove another identity';

/** The peer of a {@link PeerAuth}. */
export interface AuthenticatedPeer {
  /** Whom the client belongs to. */
  readonly identity: string;
  /** They are in force from now on. Comes before the reply. */
  accepted(credentials: Credentials): void;
  /** Everything is to be authorized again. */
  authorizeAgain(mustWait: boolean): void;
  /** It may not stay. */
  ended(code: number, reason: string): void;
}

/** What came of credentials that were verified: their identity is another one, the server failed, or how they were refused. */
type Verdict = 'accepted' | 'other identity' | 'failed' | TautlineError;

/** New credentials on a live socket, one after the other. The old ones stay until new ones were accepted. */
export class PeerAuth {
  readonly #link: PeerLink;
  readonly #peer: AuthenticatedPeer;
  readonly #queue = new SerialQueue();
  readonly #controller = new AbortController();
  #waiting = 0;
  /** Those in force. */
  #token: string | undefined;

  constructor(link: PeerLink, peer: AuthenticatedPeer, token: string | undefined) {
    this.#link = link;
    this.#peer = peer;
    this.#token = token;
  }

  take(id: number, token: string): void {
    if (this.#waiting >= MOST_WAITING) return this.#refuse(id, 'RATE_LIMITED', 'other credentials are being verified');
    this.#waiting++;
    this.#queue.run(() =>
      this.#verify(token, (verdict) => {
        this.#waiting--;
        if (verdict === 'other identity') return this.#end(verdict);
        // The old ones stay in force, and the client asks again.
        if (verdict === 'failed') return this.#refuse(id, 'INTERNAL', 'the server failed');
        if (verdict !== 'accepted') return this.#refuse(id, 'UNAUTHENTICATED', 'the credentials were refused');
        this.#link.push(encodeReply(id, ''), 'answer');
        this.#peer.authorizeAgain(false);
      }),
    );
  }

  /** Asks again about those in force, in its turn among others. Resolves when the peer may stay; else it goes. */
  verifyAgain(turns: SerialQueue): Promise<void> {
    return new Promise((resolve) => {
      const verify = (done: () => void): void | Promise<void> => {
        const verifying = this.#verify(this.#token, (verdict) =>
          verdict === 'accepted' ? resolve() : this.#end(verdict),
        );
        afterwards(verifying, done);
        return verifying;
      };
      turns.run(() => new Promise((done) => this.#queue.run(() => verify(done))));
    });
  }

  close(): void {
    this.#controller.abort(new DOMException('the socket is gone', 'AbortError'));
  }

  /** Nothing comes of it where the socket is gone. */
  #verify(token: string | undefined, tell: (verdict: Verdict) => void): void | Promise<void> {
    const { engine, request } = this.#link;
    const { signal } = this.#controller;
    if (signal.aborted) return;
    const failed = (error: unknown): void => {
      engine.report(error, { during: 'authenticate' });
      tell('failed');
    };
    return whenReady(
      () => limitTime(engine.deadlines, 'authenticate', () => engine.authenticate({ token, request, signal })),
      (credentials) => {
        // It was closed meanwhile, perhaps because it was banned.
        if (signal.aborted) return;
        if (typeof credentials?.identity !== 'string') return failed(noCredentials());
        if (credentials.identity !== this.#peer.identity) return tell('other identity');
        const problem = expiryProblem(credentials.expiresAt);
        if (problem !== undefined) return failed(problem);
        this.#token = token;
        this.#peer.accepted(credentials);
        tell('accepted');
      },
      (error) => {
        if (signal.aborted) return;
        if (refusesCredentials(error)) tell(error);
        else failed(error);
      },
    );
  }

  #end(verdict: Exclude<Verdict, 'accepted'>): void {
    if (verdict === 'failed') this.#peer.ended(CloseCode.INTERNAL_ERROR, 'the server failed');
    else if (verdict === 'other identity') this.#peer.ended(CloseCode.OTHER_IDENTITY, OTHER_IDENTITY);
    else this.#peer.ended(...closeOfRefusal(verdict));
  }

  #refuse(id: number, code: string, message: string): void {
    this.#link.push(encodeError(id, { code, message }, ''), 'answer');
    this.#link.engine.observer?.tell({ type: 'refused', code });
  }
}

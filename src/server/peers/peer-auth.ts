import { SerialQueue } from '../../primitives/serial-queue.ts';
import { encodeError, encodeReply } from '../../protocol/encode.ts';
import { whenReady } from '../app/now-or-later.ts';
import { expiryProblem, noCredentials, refusesCredentials } from '../app/refusal.ts';
import { limitTime } from '../app/time-limit.ts';
import type { Credentials } from '../engine.ts';
import type { PeerLink } from './peer-link.ts';

/** New credentials that may wait for the ones before them. */
const MOST_WAITING = 4;

/** The peer of a {@link PeerAuth}. */
export interface AuthenticatedPeer {
  /** Whom the client belongs to. */
  readonly identity: string;
  /** They are in force from now on. Comes before the reply. */
  accepted(credentials: Credentials): void;
  /** Comes after the reply: everything is to be authorised again. */
  replied(): void;
  /** They prove somebody else, to whom the client must never attach. */
  otherIdentity(): void;
}

/** New credentials on a live socket, one after the other. The old ones stay until new ones were accepted. */
export class PeerAuth {
  readonly #link: PeerLink;
  readonly #peer: AuthenticatedPeer;
  readonly #queue = new SerialQueue();
  readonly #controller = new AbortController();
  #waiting = 0;

  constructor(link: PeerLink, peer: AuthenticatedPeer) {
    this.#link = link;
    this.#peer = peer;
  }

  take(id: number, token: string): void {
    if (this.#waiting >= MOST_WAITING) return this.#refuse(id, 'RATE_LIMITED', 'other credentials are being verified');
    this.#waiting++;
    this.#queue.run(() => this.#verify(id, token));
  }

  close(): void {
    this.#controller.abort(new DOMException('the socket is gone', 'AbortError'));
  }

  #verify(id: number, token: string): void | Promise<void> {
    const { engine, request } = this.#link;
    const { identity } = this.#peer;
    const { signal } = this.#controller;
    if (signal.aborted) return;
    return whenReady(
      () => limitTime(engine.deadlines, 'authenticate', () => engine.authenticate({ token, request, signal })),
      (credentials) => {
        this.#waiting--;
        // It was closed meanwhile, perhaps because it was banned.
        if (signal.aborted) return;
        if (typeof credentials?.identity !== 'string') return this.#failed(id, noCredentials());
        if (credentials.identity !== identity) return this.#peer.otherIdentity();
        const problem = expiryProblem(credentials.expiresAt);
        if (problem !== undefined) return this.#failed(id, problem);
        this.#peer.accepted(credentials);
        this.#link.push(encodeReply(id, ''), 'answer');
        this.#peer.replied();
      },
      (error) => {
        this.#waiting--;
        if (refusesCredentials(error)) this.#refuse(id, 'UNAUTHENTICATED', 'the credentials were refused');
        else this.#failed(id, error);
      },
    );
  }

  /** The old ones stay in force, and the client asks again. */
  #failed(id: number, error: unknown): void {
    if (this.#controller.signal.aborted) return;
    this.#link.engine.report(error, { during: 'authenticate' });
    this.#refuse(id, 'INTERNAL', 'the server failed');
  }

  #refuse(id: number, code: string, message: string): void {
    this.#link.push(encodeError(id, { code, message }, ''), 'answer');
    this.#link.engine.observer?.tell({ type: 'refused', code });
  }
}

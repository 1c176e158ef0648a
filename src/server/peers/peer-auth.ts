import { SerialQueue } from '../../primitives/serial-queue.ts';
import { encodeError, encodeReply } from '../../protocol/encode.ts';
import type { Engine } from '../engine.ts';
import { whenReady } from '../app/reporter.ts';
import type { ServerRequest } from './server-socket.ts';

/** New credentials that may wait for the ones before them. */
const MOST_WAITING = 4;

/** Options of a {@link PeerAuth}. */
export interface PeerAuthOptions {
  readonly engine: Engine;
  readonly request: ServerRequest;
  /** Whom the client belongs to. */
  readonly identity: string;
  readonly push: (message: string) => void;
  /** They are in force from now on. Comes before the reply. */
  readonly accepted: (context: unknown) => void;
  /** Comes after the reply: everything is to be authorised again. */
  readonly replied: () => void;
  /** They prove somebody else, to whom the client must never attach. */
  readonly otherIdentity: () => void;
}

/** New credentials on a live socket, one after the other. The old ones stay until new ones were accepted. */
export class PeerAuth {
  readonly #options: PeerAuthOptions;
  readonly #queue = new SerialQueue();
  readonly #controller = new AbortController();
  #waiting = 0;

  constructor(options: PeerAuthOptions) {
    this.#options = options;
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
    const { engine, request, identity, push, accepted, replied, otherIdentity } = this.#options;
    const { signal } = this.#controller;
    if (signal.aborted) return;
    return whenReady(
      () => engine.authenticate({ token, request, signal }),
      (credentials) => {
        this.#waiting--;
        if (credentials?.identity !== identity) return otherIdentity();
        accepted(credentials.context);
        push(encodeReply(id, ''));
        replied();
      },
      () => {
        this.#waiting--;
        this.#refuse(id, 'UNAUTHENTICATED', 'the credentials were refused');
      },
    );
  }

  #refuse(id: number, code: string, message: string): void {
    this.#options.push(encodeError(id, { code, message }, ''));
    this.#options.engine.observer?.tell({ type: 'refused', code });
  }
}

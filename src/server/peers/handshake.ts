import type { Deadline } from '../../primitives/deadlines.ts';
import * as CloseCode from '../../protocol/close-code.ts';
import { decodeClientFrame } from '../../protocol/client-messages.ts';
import type { Decoded } from '../../protocol/read-frame.ts';
import type { ClientMessage, Hello } from '../../protocol/messages.ts';
import { utf8Length } from '../../protocol/utf8.ts';
import type { Credentials, Engine } from '../engine.ts';
import type { CallStore } from '../calls/call-store.ts';
import { floorProblem } from '../calls/floor.ts';
import { NEWER, OTHERS } from '../clients/client-directory.ts';
import { whenReady } from '../app/now-or-later.ts';
import { closeOfRefusal, expiryProblem, noCredentials, refusesCredentials } from '../app/refusal.ts';
import { EXPIRED, isOver } from './expiry.ts';
import type { ServerRequest } from './server-socket.ts';

/** PROTOCOL.md, calls across sockets, rule 3: what a client may send before it is welcome. */
const FRAME_BYTES = 16 * 1024;
const HELD_BYTES = 64 * 1024;
const HELD_CALLS = 8;

/** Only the app's own TautlineError speaks to the peer: other errors may hold secrets. */
const FAILED = 'the server failed';

/** Why somebody whose credentials are being verified is not let in: that began before. */
export interface Ban {
  readonly code: number;
  readonly reason: string;
}

/** Who is welcome, and what it sent meanwhile, in order. */
export interface Introduction {
  readonly hello: Hello;
  readonly credentials: Credentials;
  readonly held: ReadonlyArray<Decoded<ClientMessage>>;
  /** Name of the client's memory, as the call store has it. */
  readonly memory: string | undefined;
}

/** The first part of a socket's life: waits for hello, verifies who it is, holds what follows until then. */
export class Handshake {
  readonly #engine: Engine;
  readonly #request: ServerRequest;
  readonly #introduced: (introduction: Introduction) => void;
  readonly #refused: (code: number, reason: string) => void;
  /** Made when `authenticate` asks for its signal: few do. */
  #controller: AbortController | undefined;
  #gone = false;
  readonly #held: Array<Decoded<ClientMessage>> = [];
  #heldBytes = 0;
  #heldCalls = 0;
  #deadline: Deadline;
  #hello: Hello | undefined;
  #done = false;
  #bans: Map<string, Ban> | undefined;

  constructor(
    engine: Engine,
    request: ServerRequest,
    introduced: (introduction: Introduction) => void,
    refused: (code: number, reason: string) => void,
  ) {
    this.#engine = engine;
    this.#request = request;
    this.#introduced = introduced;
    this.#refused = refused;
    this.#deadline = this.#limitTime('no hello in time');
  }

  frame(frame: string): void {
    if (this.#done) return;
    // A text has at least as many bytes as units: what is far too long is not even counted.
    const bytes = frame.length > FRAME_BYTES ? frame.length : utf8Length(frame);
    if (bytes > FRAME_BYTES) return this.#refuse(CloseCode.TOO_MANY, 'a frame of more than 16 KiB before welcome');
    if (this.#hello !== undefined) this.#heldBytes += bytes;
    if (this.#heldBytes > HELD_BYTES) return this.#refuse(CloseCode.TOO_MANY, 'more than 64 KiB before welcome');
    const decoded = decodeClientFrame(frame);
    if (this.#hello !== undefined) return this.#hold(decoded);
    const [first, ...rest] = decoded.messages;
    if (first?.[0] !== 'hello') {
      return this.#refuse(CloseCode.MALFORMED_FRAME, decoded.error?.reason ?? 'the first message must be hello');
    }
    const problem = floorProblem(first[1].floor);
    if (problem !== undefined) return this.#refuse(CloseCode.MALFORMED_FRAME, problem);
    this.#hello = first[1];
    if (rest.length > 0 || decoded.malformed.length > 0 || decoded.error !== null) {
      this.#hold({ ...decoded, messages: rest });
    }
    if (!this.#done) this.#verify(first[1]);
  }

  /** Whoever proves to be this one is not let in: what is being verified was asked before. */
  ban(identity: string, ban: Ban): void {
    (this.#bans ??= new Map()).set(identity, ban);
  }

  /** The socket is gone. */
  close(): void {
    if (this.#done) return;
    this.#done = true;
    this.#engine.deadlines.remove(this.#deadline);
    this.#gone = true;
    this.#controller?.abort(gone());
  }

  get #signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#gone) this.#controller.abort(gone());
    return this.#controller.signal;
  }

  #hold(decoded: Decoded<ClientMessage>): void {
    for (const [name] of decoded.messages) if (name === 'call') this.#heldCalls++;
    if (this.#heldCalls > HELD_CALLS) return this.#refuse(CloseCode.TOO_MANY, 'more than 8 calls before welcome');
    this.#held.push(decoded);
  }

  #verify(hello: Hello): void {
    const { deadlines, authenticate, report } = this.#engine;
    deadlines.remove(this.#deadline);
    this.#deadline = this.#limitTime('authenticate did not answer in time');
    const signal = (): AbortSignal => this.#signal;
    const args = {
      token: hello.token,
      request: this.#request,
      get signal() {
        return signal();
      },
    };
    void whenReady(
      () => authenticate(args),
      (credentials) => {
        if (this.#done) return;
        if (typeof credentials?.identity !== 'string') {
          report(noCredentials(), { during: 'authenticate' });
          return this.#refuse(CloseCode.INTERNAL_ERROR, FAILED);
        }
        const problem = expiryProblem(credentials.expiresAt);
        if (problem !== undefined) {
          report(problem, { during: 'authenticate' });
          return this.#refuse(CloseCode.INTERNAL_ERROR, FAILED);
        }
        if (!this.#isWelcome(credentials)) return;
        const { callStore } = this.#engine;
        // While it is away clients are remembered here alone, which the other name tells them.
        if (callStore === undefined || callStore.connection?.isUp === false) this.#letIn(hello, credentials, undefined);
        else this.#open(callStore, hello, credentials);
      },
      (error) => {
        if (this.#done) return;
        if (!refusesCredentials(error)) {
          report(error, { during: 'authenticate' });
          return this.#refuse(CloseCode.INTERNAL_ERROR, FAILED);
        }
        this.#engine.observer?.tell({ type: 'refused', code: error.code });
        this.#refuse(...closeOfRefusal(error));
      },
    );
  }

  /** Asks for the memory that the client has, on whichever server. */
  #open(store: CallStore, hello: Hello, credentials: Credentials): void {
    const { client, n } = hello;
    const { report, times } = this.#engine;
    store.open({ client, identity: credentials.identity, n }).then(
      (opened) => {
        if (opened.refused !== undefined) {
          return opened.refused === 'identity'
            ? this.#refuse(CloseCode.OTHER_IDENTITY, OTHERS)
            : this.#refuse(CloseCode.TAKEN_OVER, NEWER);
        }
        const { memory } = opened;
        if (!this.#done && this.#isWelcome(credentials)) return this.#letIn(hello, credentials, memory);
        store
          .leave({ client, memory }, n, times.windowMs)
          .catch((error: unknown) => report(error, { during: 'calls' }));
      },
      (error: unknown) => {
        report(error, { during: 'calls' });
        if (!this.#done && this.#isWelcome(credentials)) this.#letIn(hello, credentials, undefined);
      },
    );
  }

  /** What was said since the credentials were asked for counts. `false`: it was refused. */
  #isWelcome({ identity, expiresAt }: Credentials): boolean {
    const ban = this.#bans?.get(identity);
    if (ban !== undefined) this.#refuse(ban.code, ban.reason);
    else if (isOver(expiresAt)) this.#refuse(CloseCode.UNAUTHENTICATED, EXPIRED);
    else return true;
    return false;
  }

  #letIn(hello: Hello, credentials: Credentials, memory: string | undefined): void {
    this.#done = true;
    this.#engine.deadlines.remove(this.#deadline);
    this.#introduced({ hello, credentials, held: this.#held, memory });
  }

  #limitTime(reason: string): Deadline {
    const { deadlines, times } = this.#engine;
    return deadlines.add(performance.now() + times.helloTimeoutMs, () => this.#refuse(CloseCode.TIMED_OUT, reason));
  }

  #refuse(code: number, reason: string): void {
    if (this.#done) return;
    this.close();
    this.#refused(code, reason);
  }
}

function gone(): DOMException {
  return new DOMException('the socket is gone', 'AbortError');
}

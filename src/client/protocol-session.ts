import type { FlowMarks } from '../primitives/flow-control.ts';
import * as CloseCode from '../protocol/close-code.ts';
import { closeReaction } from '../protocol/close-reaction.ts';
import { decodeServerFrame } from '../protocol/server-messages.ts';
import { encodeCancel, encodeFrame, encodePong } from '../protocol/encode.ts';
import type { ServerMessage, Welcome } from '../protocol/messages.ts';
import type { CloseCause, ConnectionStatus, Link, LinkUser } from '../transport/transport.ts';
import type { Credentials } from '../transport/credentials/credentials.ts';
import { newClientId } from './client-id.ts';
import { CredentialRefresh } from './credential-refresh.ts';
import { describeCause, type FlightRecorder } from './flight-recorder.ts';
import { greeting } from './greeting.ts';
import { LinkState } from './link-state.ts';
import { Links } from './links.ts';
import type { Outbox } from './outbox.ts';
import type { PendingCalls } from './pending-calls.ts';
import { RoundTrip } from './round-trip.ts';
import type { Subscriptions } from './subscriptions.ts';

/** A close code of ours after which the policy tries again; the server learns the reason from its text. */
const LEAVING = 4000;

/** Above this many bytes that the peer has not read, its pings are not answered. */
const UNREAD_BYTES = 4 * 1024 * 1024;

/** What a session needs of its connection. */
export interface SessionParts {
  readonly pending: PendingCalls;
  readonly outbox: Outbox;
  readonly subscriptions: Subscriptions;
  readonly flow: FlowMarks;
  readonly credentials: Credentials;
  /** [0, 1). */
  readonly random: () => number;
  /** Monotonic clock, ms. */
  readonly now: () => number;
  /** A socket that lived this long after its welcome was stable, ms. */
  readonly stableAfterMs: number;
  readonly report: (error: unknown) => void;
  readonly note: FlightRecorder['note'];
  readonly entered: (status: ConnectionStatus) => void;
  /** The credentials now prove another identity: nothing of the old one's may run, be answered or show. */
  readonly becameAnother: () => void;
}

/** Speaks `tautline.v1` on the sockets of one connection: the greeting, the routing of messages, who this client is. */
export class ProtocolSession implements LinkUser {
  readonly roundTrip: RoundTrip = new RoundTrip();
  /** Times that a server welcomed us. */
  connections = 0;
  /** Name of the codec, told in the greeting. */
  codec: string | undefined;
  /** The codec that the last greeting named. */
  toldCodec: string | undefined;
  /** What the last server said, kept while there is no socket. */
  welcome: Welcome | undefined;

  readonly #parts: SessionParts;
  readonly #links = new Links();
  #client = newClientId();
  /** Number of sockets in the life of `#client`. */
  #sockets = 0;
  #welcomedAt = 0;
  /** There while `current` is welcomed. */
  #refresh: CredentialRefresh | undefined;
  /** The last socket was taken over by another (4409), and none has been stable since. */
  #takenOver = false;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  /** The socket that is spoken on. */
  get current(): LinkState | undefined {
    return this.#links.current;
  }

  opened(link: Link, token: string | undefined): void {
    const state = new LinkState(link, {
      marks: this.#parts.flow,
      nextPing: () => this.roundTrip.ping(this.#parts.now()),
      room: () => {
        this.#parts.outbox.flush();
      },
    });
    const moves = this.#links.add(state);
    this.roundTrip.restart();
    this.#sockets++;
    this.toldCodec = this.codec;
    const { pending } = this.#parts;
    const hello = greeting({ client: this.#client, n: this.#sockets, token, codec: this.codec }, pending);
    if (hello === undefined) {
      this.#parts.report(new RangeError('The token makes the greeting larger than 16 KiB: use a shorter one.'));
      state.link.drop(CloseCode.MALFORMED_FRAME, 'greeting too large');
      return;
    }
    state.link.send(hello);
    // A successor takes over when it is welcomed; until then everything is under way on the socket that serves.
    if (!moves) this.#parts.outbox.ride(state, pending.unansweredQueries(), this.#parts.subscriptions.ride(state));
    this.#parts.note('opened', { socket: this.#sockets });
  }

  frame(link: Link, frame: string): void {
    const { messages, malformed, error } = decodeServerFrame(frame);
    for (const message of messages) {
      const state = this.#links.find(link);
      if (state === undefined) return; // an earlier message of this frame ended the socket
      if (message[0] === 'welcome') this.#welcomed(state, message[1]);
      else if (state.welcome !== undefined) this.#message(state, message);
    }
    const state = this.#links.find(link);
    if (state === undefined) return;
    for (const { id, problem } of malformed) if (id !== undefined) this.#parts.pending.malformed(state, id, problem);
    const problem = error?.reason ?? malformed.find(({ id }) => id === undefined)?.problem;
    if (problem === undefined) {
      if (state === this.#links.retiring && state.isSettled) link.drop(LEAVING, 'moved');
      return;
    }
    this.#parts.report(
      new Error(`The server sent a frame that is no tautline.v1: ${problem}. The connection is made anew.`),
    );
    link.drop(LEAVING, `unreadable frame: ${problem}`);
  }

  binary(): void {
    this.#parts.report(new Error('The server sent a binary message: tautline.v1 has none. It was dropped.'));
  }

  probe(link: Link): void {
    const state = this.#links.find(link);
    if (state === undefined) return;
    this.#parts.note('probe');
    link.send(encodeFrame([state.ping()]));
  }

  moveFailed(cause: CloseCause): void {
    this.#parts.note('move', { step: 'failed', ...describeCause(cause) });
  }

  readonly unanswered = (link: Link): number => this.#links.find(link)?.unanswered ?? 0;

  status(status: ConnectionStatus): void {
    if (status.state === 'closed' || status.state === 'suspended' || status.state === 'idle') {
      this.#parts.credentials.abort(new DOMException(`the connection is ${status.state}`, 'AbortError'));
    }
    this.#parts.entered(status);
  }

  lost(link: Link, cause: CloseCause): void {
    const { code } = cause;
    const state = this.#links.find(link);
    if (state === undefined) return;
    this.#parts.note('lost', describeCause(cause));
    const { current, successor } = this.#links;
    this.#let(state, closeReaction(code) === 'too-large');
    // The credentials of a successor prove another identity: then the socket that serves belongs to the former.
    if (state === successor && code === CloseCode.OTHER_IDENTITY) current?.link.drop(code, cause.reason);
    if (state !== current) return;
    if (state.welcome !== undefined && this.#parts.now() - this.#welcomedAt >= this.#parts.stableAfterMs)
      this.#takenOver = false;
    if (code === CloseCode.OTHER_IDENTITY) {
      this.#becomeAnother();
    } else if (code === CloseCode.TAKEN_OVER) {
      // Twice in a row: somebody else holds the same name (a copy of this page's memory). Take a new one.
      if (this.#takenOver) this.#rename();
      this.#takenOver = !this.#takenOver;
    }
  }

  /** The app now speaks for another identity: leaves the socket, if any, as another client. */
  changeIdentity(): void {
    for (const state of this.#links.all) {
      // The server would keep them for whoever comes back, and nobody will.
      const cancels = Array.from(state.streams, encodeCancel);
      if (cancels.length > 0) state.link.send(encodeFrame(cancels));
      this.#let(state, false);
    }
    this.#becomeAnother();
  }

  /** The socket is gone, or as good as gone. */
  #let(state: LinkState, tooLarge: boolean): void {
    if (state === this.current) {
      this.#refresh?.stop();
      this.#refresh = undefined;
      this.#parts.outbox.detach();
    }
    this.#links.remove(state);
    state.gone();
    this.#parts.pending.lost(state, tooLarge);
    this.#parts.subscriptions.lost(state);
  }

  /**
   * The successor takes over. The socket that served stays for what was sent on it, if only that one can answer it: the
   * same memory answers on the successor too. Gives those of which nothing is expected any more.
   */
  #move(resumed: boolean): readonly LinkState[] {
    const { current, retiring } = this.#links;
    this.#links.move();
    this.#refresh?.stop();
    this.roundTrip.restart();
    current?.gone();
    return [retiring, resumed ? current : undefined].filter((state) => state !== undefined);
  }

  #becomeAnother(): void {
    this.#rename();
    this.welcome = undefined;
    this.#parts.becameAnother();
  }

  #welcomed(state: LinkState, welcome: Welcome): void {
    if (state.welcome !== undefined) return;
    const before = this.welcome;
    if (before !== undefined && before.identity !== welcome.identity) {
      // Before anything that acts was sent: nothing of the former user may run as the present one.
      state.link.drop(CloseCode.OTHER_IDENTITY, 'the credentials prove another identity');
      return;
    }
    state.welcome = welcome;
    this.welcome = welcome;
    this.#welcomedAt = this.#parts.now();
    this.connections++;
    const resumed = before?.memory === welcome.memory;
    const left = state === this.#links.successor ? this.#move(resumed) : undefined;
    this.#refresh = this.#keepFresh(state);
    this.#parts.pending.welcomed(state, welcome.memory, left ?? []);
    if (left !== undefined) this.#parts.note('move', { step: 'done', resumed });
    // Whoever was told of it, or of a call that ended, may have dropped the socket.
    if (this.current !== state) return;
    this.#parts.subscriptions.welcomed(state);
    this.#parts.outbox.attach(state);
    state.link.send(encodeFrame([state.ping()]));
    const { heartbeatMs } = welcome;
    this.#parts.note('welcome', { resumed, heartbeatMs, ...welcome.limits });
    state.link.welcomed({ heartbeatMs, resumed });
    const { retiring } = this.#links;
    if (retiring !== undefined && (resumed || retiring.isSettled)) retiring.link.drop(LEAVING, 'moved');
  }

  #message(state: LinkState, message: ServerMessage): void {
    switch (message[0]) {
      case 'reply':
        if (this.#refresh?.answered(message[1]) === true) break;
        this.#parts.pending.reply(state, message[1], message[2], message[3]);
        break;
      case 'error':
        if (this.#refresh?.answered(message[1], message[2]) === true) break;
        this.#parts.pending.error(state, message[1], message[2], message[3], message[4]);
        break;
      case 'item':
        this.#parts.pending.item(state, message[1], message[2], message[3], message[4]);
        break;
      case 'done':
        this.#parts.pending.done(state, message[1]);
        break;
      case 'subscribed':
      case 'snapshot':
      case 'event':
      case 'unsubscribed':
        this.#parts.subscriptions.receive(state, message);
        break;
      case 'ping':
        // A peer that pings and does not read gets no more answers than fit: it must not fill our memory.
        if ((state.link.bufferedAmount ?? 0) > UNREAD_BYTES) break;
        // Answered here, not by a timer: a hidden page's timers sleep, its messages arrive.
        if (state !== this.current) state.link.send(encodeFrame([encodePong(message[1])]));
        else {
          state.link.send(encodeFrame([encodePong(message[1]), state.ping()]));
          this.#parts.pending.tellFloor();
        }
        break;
      case 'pong':
        this.roundTrip.pong(message[1], this.#parts.now());
        state.pong(message[1]);
        break;
      case 'goaway':
        this.#parts.note('goaway', { ...message[1] });
        state.link.leaving(message[1]);
        break;
      default: // a second welcome
    }
  }

  #keepFresh(state: LinkState): CredentialRefresh {
    const { credentials, outbox, pending, random, report, note } = this.#parts;
    return new CredentialRefresh(state, { credentials, outbox, random, takeId: () => pending.takeId(), report, note });
  }

  #rename(): void {
    this.#client = newClientId();
    this.#sockets = 0;
  }
}

import type { Deadline } from '../../primitives/deadlines.ts';
import * as CloseCode from '../../protocol/close-code.ts';
import { truncateReason } from '../../protocol/close-reaction.ts';
import { encodeGoAway, encodeWelcome } from '../../protocol/encode.ts';
import type { GoAway } from '../../protocol/messages.ts';
import type { Client, ClientSocket } from '../clients/client.ts';
import type { Engine } from '../engine.ts';
import { Handshake } from './handshake.ts';
import type { Introduction } from './handshake.ts';
import { identityName } from './identity-name.ts';
import { FrameWriter, type WrittenFrame } from './frame-writer.ts';
import { Peer } from './peer.ts';
import type { ServerRequest, ServerSocket, SocketHandler } from './server-socket.ts';
import { UnreadAnswers } from './unread-answers.ts';

/** A replaced socket may still write out what it holds for this long. */
const RETIRE_MS = 5000;
/**
 * Answers are not held back as events are. This many times the bound, unread, end the socket of who does not read: it
 * was given more answers than a client waits for at a time, its window and some pongs. Twice the window: a socket counts
 * one long write as on its way until all of it is, and meanwhile the client asks again for what it has read of it.
 */
const UNREAD_FACTOR = 16;
const UNREAD_PONGS = 64;

/**
 * Where a session stands. `retired`: a newer socket of its client took over, and it only writes out what it holds.
 * ```
 * greeting -> open -> retired -> closed        any -> closed
 * ```
 */
type SessionPhase =
  | { readonly name: 'greeting'; readonly handshake: Handshake }
  | { readonly name: 'open'; readonly peer: Peer }
  | { readonly name: 'retired'; readonly client: Client; readonly deadline: Deadline }
  | { readonly name: 'closed' };

/** Called once, when a session is over: who ended it, and the close code where there was one. */
export type SessionEnded = (session: Session, by: 'server' | 'peer', code: number | undefined) => void;

/** One socket, from its acceptance to its end. */
export class Session implements SocketHandler, ClientSocket {
  readonly #engine: Engine;
  readonly #socket: ServerSocket;
  readonly #request: ServerRequest;
  readonly #ended: SessionEnded;
  readonly #writer: FrameWriter;
  readonly #unread = new UnreadAnswers();
  #phase: SessionPhase;

  constructor(engine: Engine, socket: ServerSocket, request: ServerRequest, ended: SessionEnded) {
    this.#engine = engine;
    this.#socket = socket;
    this.#request = request;
    this.#ended = ended;
    this.#writer = new FrameWriter(engine.sizes, (frame) => this.#send(frame));
    const handshake = new Handshake(
      engine,
      request,
      (introduction) => this.#introduced(introduction),
      (code, reason) => this.close(code, reason),
    );
    this.#phase = { name: 'greeting', handshake };
  }

  /** Bytes on their way to the peer. */
  get buffered(): number {
    return (this.#socket.bufferedAmount ?? 0) + this.#writer.bytes;
  }

  get subscriptions(): number {
    return this.#phase.name === 'open' ? this.#phase.peer.subscriptions : 0;
  }

  message(data: string): void {
    this.#engine.observer?.received(data);
    try {
      if (this.#phase.name === 'greeting') this.#phase.handshake.frame(data);
      else if (this.#phase.name === 'open') this.#phase.peer.frame(data);
    } catch (error) {
      this.#engine.report(error, { during: 'session' });
      this.close(CloseCode.INTERNAL_ERROR, 'the server failed');
    }
  }

  binary(): void {
    this.close(CloseCode.UNSUPPORTED_DATA, 'binary messages are reserved');
  }

  drained(): void {
    if (this.#phase.name === 'retired') this.#closeIfWritten();
    else if (this.#phase.name === 'open') this.#phase.peer.drained();
  }

  closed(code?: number): void {
    // Some runtimes give the codes that are never on the wire, where the peer sent none (RFC 6455 7.4.1).
    this.#end(code === CloseCode.NO_STATUS || code === CloseCode.ABNORMAL ? undefined : code);
  }

  goAway(goaway: GoAway): void {
    this.#push(encodeGoAway(goaway), 'bulk');
  }

  /** Ends the socket without waiting for it: what is written is handed to it first. */
  close(code: number, reason: string): void {
    if (this.#isClosed) return;
    this.#writer.flush();
    // A failing socket is found out by the flush, which then has closed it.
    if (this.#isClosed) return;
    this.#end(undefined, code);
    try {
      this.#socket.close(code, truncateReason(reason));
    } catch (error) {
      this.#engine.report(error, { during: 'session' });
    }
  }

  /** From here on the newer socket is spoken to; this one goes when what it holds is written, at the latest after 5 s. */
  retire(): void {
    if (this.#phase.name !== 'open') return;
    const { peer } = this.#phase;
    const deadline = this.#engine.deadlines.add(Date.now() + RETIRE_MS, () => this.#closeRetired());
    this.#phase = { name: 'retired', client: peer.client, deadline };
    peer.close();
    this.#writer.flush();
    this.#closeIfWritten();
  }

  #introduced(introduction: Introduction): void {
    const { hello, credentials, held } = introduction;
    const { client: id, n, floor } = hello;
    const { identity } = credentials;
    const attached = this.#engine.directory.attach({ client: id, n, floor, identity }, this);
    if (attached.refused !== undefined) return this.close(attached.refused, attached.reason);
    const { client } = attached;
    const link = {
      engine: this.#engine,
      request: this.#request,
      buffered: () => this.buffered,
      push: (message: string, kind: 'answer' | 'bulk') => this.#push(message, kind),
      close: (code: number, reason: string) => this.close(code, reason),
    };
    const peer = new Peer(link, client, introduction);
    this.#phase = { name: 'open', peer };
    const { wireLimits: limits, times } = this.#engine;
    const { windowMs, heartbeatMs } = times;
    const welcome = { memory: client.memory, identity: identityName(identity), windowMs, heartbeatMs, limits };
    this.#push(encodeWelcome(welcome), 'bulk');
    for (const decoded of held) peer.read(decoded);
  }

  #push(message: string, kind: 'answer' | 'bulk'): void {
    if (this.#phase.name === 'open') this.#writer.push(message, kind);
  }

  #send(frame: WrittenFrame): void {
    if (this.#isClosed) return;
    if (this.#phase.name === 'open') this.#phase.peer.sent();
    try {
      this.#socket.send(frame.text);
    } catch (error) {
      this.#engine.report(error, { during: 'session' });
      return this.close(CloseCode.INTERNAL_ERROR, 'the socket failed');
    }
    this.#engine.observer?.sent(frame.text);
    const { limits } = this.#engine;
    const { buffered } = this;
    this.#unread.add(frame);
    const isUnread = this.#unread.within(buffered) > 2 * limits.calls + UNREAD_PONGS;
    if (isUnread && buffered > limits.bufferedBytes * UNREAD_FACTOR) {
      this.close(CloseCode.TOO_MANY, 'the peer does not read what it asks for');
    }
  }

  get #isClosed(): boolean {
    return this.#phase.name === 'closed';
  }

  #closeIfWritten(): void {
    if (this.buffered === 0) this.#closeRetired();
  }

  #closeRetired(): void {
    this.close(CloseCode.TAKEN_OVER, 'a newer socket of this client exists');
  }

  /** Leaves whatever phase it is in, for good. */
  #end(peerCode: number | undefined, ownCode?: number): void {
    const phase = this.#phase;
    if (phase.name === 'closed') return;
    this.#phase = { name: 'closed' };
    this.#writer.clear();
    if (phase.name === 'greeting') {
      phase.handshake.close();
    } else if (phase.name === 'open') {
      phase.peer.close();
      this.#engine.directory.detach(phase.peer.client, this, peerCode);
    } else {
      this.#engine.deadlines.remove(phase.deadline);
      this.#engine.directory.detach(phase.client, this, peerCode);
    }
    this.#ended(this, ownCode === undefined ? 'peer' : 'server', ownCode ?? peerCode);
  }
}

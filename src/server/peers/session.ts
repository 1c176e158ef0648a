import type { Deadline } from '../../primitives/deadlines.ts';
import * as CloseCode from '../../protocol/close-code.ts';
import { truncateReason } from '../../protocol/close-reaction.ts';
import { encodeGoAway, encodeWelcome } from '../../protocol/encode.ts';
import type { GoAway } from '../../protocol/messages.ts';
import { PARTS } from '../../protocol/parts.ts';
import { NEWER } from '../clients/client-directory.ts';
import type { Client, ClientSocket } from '../clients/client.ts';
import type { SerialQueue } from '../../primitives/serial-queue.ts';
import { callIsolated } from '../../primitives/emit.ts';
import type { Credentials, Engine } from '../engine.ts';
import type { Delivery } from '../outbound/frame-writer.ts';
import type { Transit } from '../outbound/large-messages.ts';
import { Handshake } from './handshake.ts';
import type { Ban, Introduction } from './handshake.ts';
import { identityName } from './identity-name.ts';
import { Outlet } from '../outbound/outlet.ts';
import type { OutletOwner } from '../outbound/outlet.ts';
import type { PeerLink } from './peer-link.ts';
import { Peer } from './peer.ts';
import type { ServerRequest, ServerSocket, SocketHandler } from './server-socket.ts';

/** A replaced socket may still write out what it holds for this long. */
const RETIRE_MS = 5000;
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

const CLOSED: SessionPhase = { name: 'closed' };

/** Who keeps the sessions. */
export interface SessionOwner {
  /** As in {@link PeerLink}. */
  readonly spreadMs: number;
  /** Called once, when a session is over: who ended it, and the close code where there was one. */
  ended(session: Session, by: 'server' | 'peer', code: number | undefined): void;
}

/** One socket, from its acceptance to its end. */
export class Session implements SocketHandler, ClientSocket, PeerLink, OutletOwner {
  readonly engine: Engine;
  readonly request: ServerRequest;
  readonly #socket: ServerSocket;
  readonly #owner: SessionOwner;
  readonly #outlet: Outlet;
  #phase: SessionPhase;
  /** As soon as it is welcomed it is asked about again, in turn. */
  #verifyIn: SerialQueue | undefined;

  constructor(engine: Engine, socket: ServerSocket, request: ServerRequest, owner: SessionOwner) {
    this.engine = engine;
    this.request = request;
    this.#socket = socket;
    this.#owner = owner;
    this.#outlet = new Outlet(this, socket);
    const handshake = new Handshake(
      engine,
      request,
      (introduction) => this.#introduced(introduction),
      (code, reason) => this.close(code, reason),
    );
    this.#phase = { name: 'greeting', handshake };
  }

  get buffered(): number {
    return this.#outlet.buffered;
  }

  get ahead(): number {
    return this.#outlet.ahead;
  }

  get isHolding(): boolean {
    return this.#outlet.isHolding;
  }

  pump(): void {
    this.#outlet.pump();
  }

  progress(): number {
    return this.#outlet.progress();
  }

  transit(): Transit | undefined {
    return this.#outlet.newest;
  }

  dropAnswer(id: number): boolean {
    return this.#outlet.dropAnswer(id);
  }

  ponged(n: number): void {
    this.#outlet.ponged(n);
  }

  get nextPing(): number {
    return this.#phase.name === 'open' ? this.#phase.peer.nextPing : 0;
  }

  ping(): void {
    if (this.#phase.name === 'open') this.#phase.peer.ping();
  }

  get isCongested(): boolean {
    return this.#outlet.queued > this.engine.limits.bufferedBytes;
  }

  get spreadMs(): number {
    return this.#owner.spreadMs;
  }

  /** It has not been welcomed yet. */
  get isGreeting(): boolean {
    return this.#phase.name === 'greeting';
  }

  get subscriptions(): number {
    return this.#phase.name === 'open' ? this.#phase.peer.subscriptions : 0;
  }

  message(data: string): void {
    this.engine.observer?.received(data);
    try {
      if (this.#phase.name === 'open') {
        const { peer } = this.#phase;
        if (peer.client.serving !== undefined) this.engine.directory.spoke(peer.client, this);
        peer.frame(data);
      } else if (this.#phase.name === 'greeting') this.#phase.handshake.frame(data);
    } catch (error) {
      this.engine.report(error, { during: 'session' });
      this.close(CloseCode.INTERNAL_ERROR, 'the server failed');
    }
  }

  binary(): void {
    this.close(CloseCode.UNSUPPORTED_DATA, 'binary messages are reserved');
  }

  drained(): void {
    this.#outlet.pump();
    if (this.#phase.name === 'retired') this.#closeIfWritten();
    else if (this.#phase.name === 'open') this.#phase.peer.drained();
  }

  closed(code?: number): void {
    // Some runtimes give the codes that are never on the wire, where the peer sent none (RFC 6455 7.4.1).
    this.#end(code === CloseCode.NO_STATUS || code === CloseCode.ABNORMAL ? undefined : code);
  }

  goAway(goaway: GoAway): void {
    this.push(encodeGoAway(goaway), 'notice');
  }

  /** Whoever is welcome. */
  get peer(): Peer | undefined {
    return this.#phase.name === 'open' ? this.#phase.peer : undefined;
  }

  /** Whoever proves to be this one by what is being verified is not let in. */
  ban(identity: string, ban: Ban): void {
    if (this.#phase.name === 'greeting') this.#phase.handshake.ban(identity, ban);
  }

  /** Asks again who it is, in turn: what was said of it before does not count any more. */
  verifyAgain(turns: SerialQueue): void {
    if (this.#phase.name === 'open') this.#phase.peer.verifyAgain(turns);
    else if (this.#phase.name === 'greeting') this.#verifyIn = turns;
  }

  /** Ends the socket without waiting for it: what is written is handed to it first. */
  close(code: number, reason: string): void {
    if (this.#isClosed) return;
    this.#outlet.flush();
    // A failing socket is found out by the flush, which then has closed it.
    this.cutOff(code, reason);
  }

  cutOff(code: number, reason: string): void {
    if (this.#isClosed) return;
    this.#end(undefined, code);
    try {
      this.#socket.close(code, truncateReason(reason));
    } catch (error) {
      this.engine.report(error, { during: 'session' });
    }
  }

  /** From here on the newer socket is spoken to; this one goes when what it holds is written, at the latest after 5 s. */
  retire(): void {
    if (this.#phase.name !== 'open') return;
    const { peer } = this.#phase;
    const deadline = this.engine.deadlines.add(performance.now() + RETIRE_MS, () => this.#closeRetired());
    this.#phase = { name: 'retired', client: peer.client, deadline };
    peer.close();
    this.#outlet.flush();
    this.#closeIfWritten();
  }

  push(message: string, delivery: Delivery): void {
    if (this.#phase.name === 'open') this.#outlet.push(message, delivery);
  }

  /** Frames were handed to the socket. What was left out while messages gathered for a turn has room now, and no adapter tells of it. */
  sent(): void {
    if (this.#phase.name !== 'open') return;
    const { peer } = this.#phase;
    peer.sent();
    if (this.#outlet.isHolding) peer.fellBehind();
    else if (peer.isBehind && this.#outlet.turns !== undefined && !this.isCongested) peer.drained();
  }

  #introduced(introduction: Introduction): void {
    const { hello, credentials, held, memory } = introduction;
    const { client: id, n, floor } = hello;
    const { identity } = credentials;
    const attached = this.engine.directory.attach({ client: id, n, floor, identity, memory }, this);
    if (attached.refused !== undefined) return this.close(attached.refused, attached.reason);
    const { client, isNew } = attached;
    const peer = new Peer(this, client, introduction);
    this.#phase = { name: 'open', peer };
    if (hello.features?.includes(PARTS) === true) {
      this.#outlet.takesParts(this.engine.limits.partBytes, client.losses.size > 0);
    }
    const { wireLimits: limits, times, codec } = this.engine;
    const { windowMs, heartbeatMs } = times;
    const { spreadMs } = this;
    const welcome = {
      memory: client.memory,
      identity: identityName(identity),
      windowMs,
      heartbeatMs,
      spreadMs,
      limits,
      codec: codec.name,
    };
    this.push(encodeWelcome(welcome), 'notice');
    peer.accepted(credentials);
    if (isNew) this.#tellArrival(client, credentials);
    for (const decoded of held) peer.read(decoded);
    if (this.#verifyIn !== undefined) this.verifyAgain(this.#verifyIn);
  }

  #tellArrival(client: Client, { identity, context }: Credentials): void {
    const { onPeer, report } = this.engine;
    if (onPeer === undefined) return;
    const failed = (error: unknown): void => report(error, { during: 'peer' });
    callIsolated(() => onPeer({ identity, context, request: this.request, signal: client.gone }), failed);
  }

  get #isClosed(): boolean {
    return this.#phase.name === 'closed';
  }

  #closeIfWritten(): void {
    if (this.buffered === 0) this.#closeRetired();
  }

  #closeRetired(): void {
    this.close(CloseCode.TAKEN_OVER, NEWER);
  }

  /** Leaves whatever phase it is in, for good. */
  #end(peerCode: number | undefined, ownCode?: number): void {
    const phase = this.#phase;
    if (phase.name === 'closed') return;
    this.#phase = CLOSED;
    this.#outlet.clear();
    if (phase.name === 'greeting') {
      phase.handshake.close();
    } else if (phase.name === 'open') {
      phase.peer.close(peerCode);
      this.engine.directory.detach(phase.peer.client, this, peerCode);
    } else {
      this.engine.deadlines.remove(phase.deadline);
      this.engine.directory.detach(phase.client, this, peerCode);
    }
    this.#owner.ended(this, ownCode === undefined ? 'peer' : 'server', ownCode ?? peerCode);
  }
}

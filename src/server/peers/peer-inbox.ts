import * as CloseCode from '../../protocol/close-code.ts';
import { decodeClientFrame } from '../../protocol/client-messages.ts';
import type { ClientMessage, Malformed } from '../../protocol/messages.ts';
import { MARK, PartReader, UNFINISHED_TO_SERVER } from '../../protocol/parts.ts';
import type { Decoded } from '../../protocol/read-frame.ts';
import type { Arrival } from '../calls/run.ts';
import type { PeerLink } from './peer-link.ts';
import { PeerRate } from './peer-rate.ts';
import type { RatedPeer } from './peer-rate.ts';
import type { PartsHolder } from './unfinished-parts.ts';

/** Whom the messages of a {@link PeerInbox} are for. */
export interface InboxPeer extends RatedPeer {
  /** What `authenticate` said of it, at this moment. */
  readonly context: unknown;
  /** Carries out what came. */
  handle(message: ClientMessage, arrival: Arrival): void;
  answerMalformed(fault: Malformed): void;
}

/** What comes in on a welcomed socket: bounds it, puts together what came in parts, reads it, and hands out the messages. */
export class PeerInbox implements PartsHolder {
  readonly #link: PeerLink;
  readonly #peer: InboxPeer;
  readonly #rate: PeerRate;
  #parts: PartReader | undefined;
  #closed = false;

  constructor(link: PeerLink, peer: InboxPeer) {
    const { limits, deadlines } = link.engine;
    this.#link = link;
    this.#peer = peer;
    this.#rate = new PeerRate(limits, deadlines, peer);
  }

  frame(data: string, now: number): void {
    const { frameBytes } = this.#link.engine.limits;
    // The adapter counts bytes; a text of more units than that has more bytes too.
    if (data.length > frameBytes) this.#tooBig('frame', frameBytes);
    else if (data.startsWith(MARK)) this.#part(data, now);
    else this.read(decodeClientFrame(data), now, data.length);
  }

  /** What came before a fault stands. */
  read({ messages, malformed, ignored, error, isVetted }: Decoded<ClientMessage>, at: number, size = 0): void {
    const peer = this.#peer;
    const frame = { at, isVetted, length: size / messages.length };
    let arrival: Arrival = { context: peer.context, isVetted, at };
    for (const message of messages) {
      if (this.#closed) return;
      if (!this.#rate.admits(message, frame) || this.#closed) continue;
      // Other credentials may have come in force within the frame.
      if (arrival.context !== peer.context) arrival = { context: peer.context, isVetted, at };
      peer.handle(message, arrival);
    }
    if (ignored > 0) this.#rate.count(at, ignored);
    for (const fault of malformed) {
      this.#rate.count(at);
      peer.answerMalformed(fault);
    }
    if (error !== null) this.#link.close(CloseCode.MALFORMED_FRAME, error.reason);
  }

  /** See {@link PeerRate.worked}. */
  worked(ids: number, now: number): void {
    this.#rate.worked(ids, now);
  }

  /** The socket is gone, or silent from now on. */
  close(): void {
    this.#closed = true;
    this.#rate.close();
    this.#link.engine.unfinished.hold(this, 0);
    this.#parts = undefined;
  }

  giveUp(): void {
    this.#link.close(CloseCode.TRY_AGAIN_LATER, 'the server holds too many unfinished messages');
  }

  /** What is no part that may come now is no frame either: it is refused as such. */
  #part(data: string, now: number): void {
    if (this.#closed) return;
    const { limits, unfinished } = this.#link.engine;
    const { messageBytes } = limits;
    const parts = (this.#parts ??= new PartReader(messageBytes, UNFINISHED_TO_SERVER));
    const frame = parts.take(data);
    // Whoever holds too much goes: it may be this one.
    unfinished.hold(this, parts.held);
    if (this.#closed) return;
    if (parts.isTooLarge) this.#tooBig('message', messageBytes);
    else if (frame !== undefined) this.read(decodeClientFrame(frame), now, frame.length);
  }

  #tooBig(what: 'frame' | 'message', bytes: number): void {
    this.#link.close(CloseCode.MESSAGE_TOO_BIG, `a ${what} of more than ${bytes} bytes`);
  }
}

import * as CloseCode from '../../protocol/close-code.ts';
import type { Engine } from '../engine.ts';
import { BulkLane } from './bulk-lane.ts';
import type { LaneOwner } from './bulk-lane.ts';
import type { Flusher, Turns } from './flusher.ts';
import { FrameWriter, isBulk } from './frame-writer.ts';
import type { Delivery, FrameSink } from './frame-writer.ts';
import { LargeAnswers } from './large-answers.ts';
import { LargeFrame } from './written-frame.ts';
import type { WrittenFrame } from './written-frame.ts';
import { PingedParts } from './pinged-parts.ts';
import type { Pinging } from './pinged-parts.ts';
import type { ServerSocket } from '../peers/server-socket.ts';
import type { SharedTexts } from './shared-texts.ts';
import { UnreadAnswers } from './unread-answers.ts';

/**
 * While a socket holds more than this, bulk waits here, and answers and pings overtake it: on a line of 20 kB/s they come
 * seconds later, not a minute. Enough for who drains: the system holds more than that besides.
 */
const SOCKET_BYTES = 32 * 1024;

/**
 * Answers are not held back as events are. This many times the bound, unread, end the socket of who does not read: it
 * was given more answers than a client waits for at a time, its window and some pongs. Twice the window: a socket counts
 * one long write as on its way until all of it is, and meanwhile the client asks again for what it has read of it. However
 * few they are, their bytes have a bound too.
 */
const UNREAD_FACTOR = 16;
const UNREAD_PONGS = 64;
const UNREAD_MESSAGES = 4;

/** Whose {@link Outlet} it is. */
export interface OutletOwner extends Pinging {
  readonly engine: Engine;
  /** Frames were handed to the socket. */
  sent(): void;
  close(code: number, reason: string): void;
}

/** All that goes to one socket: answers at once, bulk as far as the socket has room for it, the rest in its lane. */
export class Outlet implements FrameSink, LaneOwner {
  readonly #owner: OutletOwner;
  readonly #socket: ServerSocket;
  readonly #writer: FrameWriter = new FrameWriter(this);
  /** There while bulk waits for the socket. */
  #lane: BulkLane | undefined;
  /** Answers that go in parts, and what of all parts is on its way. */
  readonly #large: LargeAnswers = new LargeAnswers(() => this.nextPart());
  readonly #window: PingedParts;
  #partsBegun = 0;
  #lastWasAnswer = false;
  #newest: LargeFrame | undefined;
  partBytes: number = Infinity;
  /** There once something was left in the socket's buffer. */
  #unread: UnreadAnswers | undefined;
  #isOver = false;
  /** What the socket held after the last frame, and how much of such rests was seen to have gone. */
  #left = 0;
  #taken = 0;
  /** As of the last look at {@link Outlet.progress}. */
  #lookedAt: { readonly left: number; readonly taken: number; readonly read: number } | undefined;
  #progress = 0;

  constructor(owner: OutletOwner, socket: ServerSocket) {
    this.#owner = owner;
    this.#window = new PingedParts(owner);
    this.#socket = socket;
  }

  get texts(): SharedTexts {
    return this.#owner.engine.texts;
  }

  get flusher(): Flusher {
    return this.#owner.engine.flusher;
  }

  /** What gathers stays well below what makes a peer congested. */
  get gatheredBytes(): number {
    return this.#owner.engine.limits.bufferedBytes / 2;
  }

  get turns(): Turns | undefined {
    return this.#socket.later === undefined ? undefined : (this.#socket as Turns);
  }

  /** Bytes on their way to the peer. */
  get buffered(): number {
    return this.queued + this.#large.bytes;
  }

  /** Those of them that a new event waits behind. */
  get queued(): number {
    return this.ahead + (this.#lane?.bytes ?? 0);
  }

  /** Those of them that an answer waits behind. */
  get ahead(): number {
    return (this.#socket.bufferedAmount ?? 0) + this.#writer.bytes;
  }

  /** Something waits for the socket. */
  get isHolding(): boolean {
    return this.#lane !== undefined || this.#large.bytes > 0;
  }

  nextPart(): number {
    return ++this.#partsBegun;
  }

  /** @param isCareful - Sockets were lost over large messages: no more of them is on its way than has to be. */
  takesParts(partBytes: number, isCareful: boolean): void {
    this.partBytes = partBytes;
    this.#window.isSteady = isCareful;
  }

  cut(frame: LargeFrame): void {
    this.#newest = frame;
  }

  /** The message that was pushed last, if it goes in parts. */
  get newest(): LargeFrame | undefined {
    return this.#newest;
  }

  push(message: string, delivery: Delivery): void {
    this.#newest = undefined;
    if (this.#lane !== undefined && isBulk(delivery)) this.#lane.push(message, delivery);
    else this.#writer.push(message, delivery);
  }

  send(text: string, bytes: number, answers: number, hasBulk: boolean): void {
    if (this.#isOver) return;
    if (hasBulk && this.#isFull) return this.#hold([{ text, bytes, answers, hasBulk }]);
    this.#send({ text, bytes, answers, hasBulk });
    this.#owner.sent();
  }

  sendAll(frames: readonly WrittenFrame[]): void {
    if (this.#isOver) return;
    const held: WrittenFrame[] = [];
    this.#cork();
    for (const frame of frames) {
      const isLarge = frame instanceof LargeFrame;
      if (frame.hasBulk && (isLarge || held.length > 0 || this.#isFull)) held.push(frame);
      else if (isLarge) this.#large.push(frame);
      else this.#send(frame);
    }
    this.#uncork();
    this.#owner.sent();
    if (held.length > 0) this.#hold(held);
    else this.pump();
  }

  /** Sends everything now, whatever there is room for. */
  flush(): void {
    this.#writer.flush();
    for (let part = this.#large.take(); part !== undefined; part = this.#large.take()) this.#send(part);
    const lane = this.#lane;
    if (lane === undefined) return;
    lane.flush();
    for (let frame = lane.take(); frame !== undefined; frame = lane.take()) this.#send(frame);
    if (this.#lane === lane) this.#lane = undefined;
  }

  /** The socket may have room: what waits goes on. */
  pump(): void {
    if (!this.isHolding) return;
    const lane = this.#lane;
    let frame = this.#next();
    if (frame !== undefined) {
      while (frame !== undefined && !this.#isOver) {
        // Several small ones go in one write; then the socket says whether it has room for more.
        this.#cork();
        for (; frame !== undefined; frame = this.#next()) this.#send(frame);
        this.#uncork();
        frame = this.#next();
      }
      this.#owner.sent();
    }
    if (lane === undefined || this.#lane !== lane) return;
    if (lane.bytes === 0) this.#lane = undefined;
    else this.#boundUnread(this.buffered);
  }

  /** The peer answered a ping: it has the parts that were written before it. */
  ponged(n: number): void {
    if (this.#window.isEmpty) return;
    this.#window.covered(n, performance.now(), (frame) => frame.taken++);
    this.pump();
  }

  /** Nobody wants this answer: `true` when it goes in parts, and the rest of it never will. */
  dropAnswer(id: number): boolean {
    const frame = this.#large.drop(id);
    const last = frame?.giveUp();
    if (last !== undefined) this.#send({ text: last, bytes: last.length, answers: 0, hasBulk: false });
    this.#window.ask();
    return frame !== undefined;
  }

  /** Drops everything: the socket is gone. */
  clear(): void {
    this.#isOver = true;
    this.#writer.clear();
    this.#lane?.clear();
    this.#lane = undefined;
    this.#large.clear();
  }

  /**
   * Grows by the looks between which bytes moved that prove the peer alive: some came in, of an unfinished message too,
   * or went out of what had waited before: those have waited for the peer, where others go no further than the system.
   */
  progress(): number {
    const { bufferedAmount: left = 0, bytesRead: read = 0, bytesTaken } = this.#socket;
    this.#look(left);
    const taken = bytesTaken ?? this.#taken;
    const last = this.#lookedAt;
    if (last !== undefined && (read !== last.read || (last.left > 0 && taken !== last.taken))) this.#progress++;
    this.#lookedAt = { left, taken, read };
    return this.#progress;
  }

  get #hasRoom(): boolean {
    return (this.#socket.bufferedAmount ?? 0) <= SOCKET_BYTES;
  }

  get #isFull(): boolean {
    return this.#lane !== undefined || !this.#hasRoom;
  }

  /** What goes next of what waits, if there is room for it: large answers and bulk in turn, a part at a time. */
  #next(): WrittenFrame | undefined {
    if (!this.#hasRoom) return undefined;
    const hasAnswer = this.#large.bytes > 0 && this.#window.hasRoom;
    const bulk = this.#lane?.isLarge === true && !this.#window.hasRoom ? undefined : this.#lane;
    const frame =
      (hasAnswer && this.#lastWasAnswer ? bulk?.take() : undefined) ?? (hasAnswer ? this.#large.take() : bulk?.take());
    if (frame !== undefined) this.#lastWasAnswer = !frame.hasBulk;
    return frame;
  }

  #hold(frames: readonly WrittenFrame[]): void {
    this.#lane ??= new BulkLane(this);
    this.#lane.sendAll(frames);
    this.#owner.sent();
    this.#boundUnread(this.buffered);
  }

  #cork(): void {
    this.#socket.cork?.();
  }

  #uncork(): void {
    this.#socket.uncork?.();
    // What went in this one write did not wait for the peer.
    this.#left = this.#socket.bufferedAmount ?? 0;
  }

  #look(left: number): void {
    if (left < this.#left) this.#taken += this.#left - left;
    this.#left = left;
  }

  #send({ text, bytes, answers, of }: WrittenFrame): void {
    if (this.#isOver) return;
    const { engine } = this.#owner;
    if (this.#left > 0) this.#look(this.#socket.bufferedAmount ?? 0);
    try {
      this.#socket.send(text);
    } catch (error) {
      engine.report(error, { during: 'session' });
      return this.#owner.close(CloseCode.INTERNAL_ERROR, 'the socket failed');
    }
    engine.observer?.sent(text);
    this.#left = this.#socket.bufferedAmount ?? 0;
    const { buffered } = this;
    if (buffered > 0) {
      this.#unread ??= new UnreadAnswers();
      this.#unread.add(bytes, answers);
      this.#boundUnread(buffered);
    } else this.#unread = undefined;
    if (of !== undefined) this.#window.sent(of);
  }

  #boundUnread(buffered: number): void {
    const { limits } = this.#owner.engine;
    const held = (this.#lane?.answers ?? 0) + this.#large.size;
    const unread = held + (this.#unread?.within(this.ahead) ?? 0);
    const isUnfair = unread > 2 * limits.calls + UNREAD_PONGS && buffered > limits.bufferedBytes * UNREAD_FACTOR;
    if (isUnfair || buffered > limits.messageBytes * UNREAD_MESSAGES) {
      this.#isOver = true;
      this.#owner.close(CloseCode.TOO_MANY, 'the peer does not read what it asks for');
    }
  }
}

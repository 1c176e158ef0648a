import type { Deadline } from '../../primitives/deadlines.ts';
import * as CloseCode from '../../protocol/close-code.ts';
import type { SerialQueue } from '../../primitives/serial-queue.ts';
import { encodeError, encodePing, encodePong } from '../../protocol/encode.ts';
import type { ClientMessage, Malformed, WireError } from '../../protocol/messages.ts';
import type { Decoded } from '../../protocol/read-frame.ts';
import { floorProblem } from '../calls/floor.ts';
import { PeerCalls } from '../calls/peer-calls.ts';
import type { Arrival } from '../calls/run.ts';
import type { Client } from '../clients/client.ts';
import type { Credentials } from '../engine.ts';
import { PeerStreams } from '../streams/peer-streams.ts';
import { PeerFollowers } from '../topics/peer-followers.ts';
import type { Delivery } from '../outbound/frame-writer.ts';
import { Expiry, EXPIRED } from './expiry.ts';
import type { Introduction } from './handshake.ts';
import { LargeMessages, type Losses, type Transit } from '../outbound/large-messages.ts';
import { PeerAuth } from './peer-auth.ts';
import { PeerHeartbeat } from './peer-heartbeat.ts';
import type { FrameArrival } from './held-messages.ts';
import type { PeerLink } from './peer-link.ts';
import { PeerInbox } from './peer-inbox.ts';

/** A peer that had no room for events or items is looked at this often, where its adapter does not tell that it drained. */
const LOOK_AGAIN_MS = 250;

/** What a peer was told may be wrong by this, ms. */
const OUTDATED_MS = 100;

/** A socket from its welcome on: what its messages do. What most peers have no use for is made when it is. */
export class Peer {
  readonly client: Client;
  readonly identity: string;
  readonly #link: PeerLink;
  readonly #calls: PeerCalls;
  #streams: PeerStreams | undefined;
  #followers: PeerFollowers | undefined;
  readonly #token: string | undefined;
  #auth: PeerAuth | undefined;
  #expiry: Expiry | undefined;
  readonly #heartbeat: PeerHeartbeat;
  readonly #inbox: PeerInbox;
  /** It speaks the codec of the contract, or has named none: then it compares. */
  readonly #speaks: boolean;
  #context: unknown;
  #lookAgain: Deadline | undefined;
  #large: LargeMessages | undefined;
  #pings = 0;
  /** As it was told. */
  #spreadMs: number;

  constructor(link: PeerLink, client: Client, { hello, credentials }: Introduction) {
    const { engine } = link;
    this.client = client;
    this.identity = credentials.identity;
    this.#link = link;
    this.#spreadMs = link.spreadMs;
    this.#context = credentials.context;
    this.#token = hello.token;
    this.#speaks = hello.codec === undefined || hello.codec === engine.codec.name;
    this.#calls = new PeerCalls(link, this);
    this.#inbox = new PeerInbox(link, this);
    this.#heartbeat = new PeerHeartbeat(engine.times, engine.deadlines, this);
  }

  get large(): LargeMessages {
    return (this.#large ??= new LargeMessages(this));
  }

  get losses(): Losses {
    return this.client.losses;
  }

  get lostAt(): Losses {
    return this.client.lostAt;
  }

  transit(): Transit | undefined {
    return this.#link.transit();
  }

  get subscriptions(): number {
    return this.#followers?.size ?? 0;
  }

  /** What `authenticate` said of it, at this moment. */
  get context(): unknown {
    return this.#context;
  }

  get ahead(): number {
    return this.#link.ahead;
  }

  progress(): number {
    return this.#link.progress();
  }

  /** Some of its events or items wait for room. */
  get isBehind(): boolean {
    return this.#lookAgain !== undefined;
  }

  /** Something was written to it. */
  sent(): void {
    this.#heartbeat.sent();
  }

  /** There may be room for events and items again. */
  drained(): void {
    this.#streams?.resume();
    this.#followers?.resume();
  }

  frame(data: string): void {
    if (this.#expiry?.isOver === true) return this.#expiry.end();
    const now = performance.now();
    this.#heartbeat.heard(now);
    this.#inbox.frame(data, now);
  }

  /** What was held until its welcome. */
  read(held: Decoded<ClientMessage>): void {
    this.#inbox.read(held, performance.now());
  }

  takeHeld(message: ClientMessage, { isVetted, at }: FrameArrival): void {
    this.handle(message, { context: this.#context, isVetted, at });
  }

  /** Gives back what it has; its calls go on without it. The code is the peer's, if it gave one. */
  close(code?: number): void {
    this.#inbox.close();
    this.#large?.lost(code);
    this.#calls.close();
    this.#streams?.close();
    this.#followers?.close();
    this.#heartbeat.close();
    this.#auth?.close();
    this.#expiry?.close();
    if (this.#lookAgain !== undefined) this.#link.engine.deadlines.remove(this.#lookAgain);
  }

  get nextPing(): number {
    return this.#pings + 1;
  }

  ping(delivery: Delivery = 'answer'): number {
    this.#spreadMs = this.#link.spreadMs;
    this.#link.push(encodePing(++this.#pings, this.#spreadMs), delivery);
    return this.#pings;
  }

  /** What it was told fits half, or twice, as many clients as there are. */
  get isOutdated(): boolean {
    const { spreadMs } = this.#link;
    return Math.max(spreadMs, this.#spreadMs) > 2 * Math.min(spreadMs, this.#spreadMs) + OUTDATED_MS;
  }

  dead(): void {
    this.#link.close(CloseCode.TIMED_OUT, 'no sign of life');
  }

  flooded(reason: string): void {
    this.#link.close(CloseCode.TOO_MANY, reason);
  }

  refuse(message: string, code: string, delivery: Delivery): void {
    this.#link.push(message, delivery);
    this.#link.engine.observer?.tell({ type: 'refused', code });
  }

  unsubscribe(topic: string): void {
    this.#followers?.unsubscribe(topic);
  }

  accepted({ context, expiresAt }: Credentials): void {
    this.#context = context;
    this.#limitLife(expiresAt);
  }

  /** Its subscription of a topic is over, whatever the app said before. */
  revoke(topic: string, error: WireError): void {
    this.#followers?.revoke(topic, error);
  }

  /** See {@link PeerFollowers.authorizeAgain}. */
  authorizeAgain(mustWait: boolean, after?: Promise<void>): void {
    this.#followers?.authorizeAgain(mustWait, after);
    if (after === undefined) this.client.authorizeStays(this.#context);
    else void after.then(() => this.client.authorizeStays(this.#context));
  }

  /** Asks again who it is, in turn; until that is known, and its subscriptions are authorized, nothing more comes of them. */
  verifyAgain(turns: SerialQueue): void {
    this.authorizeAgain(true, this.#credentials.verifyAgain(turns));
  }

  get #credentials(): PeerAuth {
    return (this.#auth ??= new PeerAuth(this.#link, this, this.#token));
  }

  #limitLife(expiresAt: number | undefined): void {
    if (expiresAt === undefined && this.#expiry === undefined) return;
    const expired = (): void => this.ended(CloseCode.UNAUTHENTICATED, EXPIRED);
    this.#expiry ??= new Expiry(this.#link.engine.deadlines, expired);
    this.#expiry.set(expiresAt);
  }

  ended(code: number, reason: string): void {
    if (code === CloseCode.FORBIDDEN) this.#link.engine.directory.end(this.client, { code, reason });
    this.#link.cutOff(code, reason);
  }

  /** Events or items wait for room. */
  fellBehind(): void {
    this.#lookAgain ??= this.#link.engine.deadlines.add(performance.now() + LOOK_AGAIN_MS, () => {
      this.#lookAgain = undefined;
      const link = this.#link;
      link.pump();
      this.drained();
      if (link.isHolding || this.#followers?.isBehind === true || this.#streams?.isBehind === true) this.fellBehind();
    });
  }

  handle(message: ClientMessage, arrival: Arrival): void {
    switch (message[0]) {
      case 'call':
      case 'open':
      case 'publish':
        return this.#act(message, arrival);
      case 'subscribe': {
        const [, n, topic, position] = message;
        if (!this.#speaks) return this.#subscribed.refuse(n, topic, 'BAD_PAYLOAD', this.#codecProblem);
        return this.#subscribed.subscribe(n, topic, position ?? undefined);
      }
      case 'unsubscribe':
        return this.unsubscribe(message[1]);
      case 'cancel':
        return this.#cancel(message[1]);
      case 'more':
        // What is said of a stream holds on whatever socket it is said: it may be ahead of the `open` on this one.
        return this.client.streams.get(message[1])?.more(message[2], message[3]);
      case 'floor': {
        const [, ...floor] = message;
        const problem = floorProblem(floor);
        if (problem !== undefined) return this.#link.close(CloseCode.MALFORMED_FRAME, problem);
        return this.#inbox.worked(this.client.raise(floor[0], floor.slice(1)), arrival.at);
      }
      case 'auth':
        return this.#credentials.take(message[1], message[2]);
      case 'ping':
        return this.#link.push(encodePong(message[1]), 'answer');
      case 'hello':
        return this.#link.close(CloseCode.MALFORMED_FRAME, 'a second hello');
      case 'pong':
        this.#link.ponged(message[1]);
        return this.#large?.ponged(message[1]);
      default:
        message satisfies never;
    }
  }

  #cancel(id: number): void {
    if (this.#streams?.cancel(id) === true) return;
    this.#calls.cancel(id);
    if (!this.#link.dropAnswer(id)) return;
    this.#large?.dropped(String(id));
    this.#link.push(encodeError(id, { code: 'ABORTED', message: 'the call was cancelled' }, ''), 'answer');
  }

  #act(message: Extract<ClientMessage, readonly ['call' | 'open' | 'publish', ...unknown[]]>, arrival: Arrival): void {
    if (!this.#speaks) {
      if (message[1] !== 0) this.#calls.refuse(message[1], 'BAD_PAYLOAD', this.#codecProblem);
    } else if (message[0] === 'call') {
      this.#calls.call(message, arrival);
    } else if (message[0] === 'publish') {
      this.#calls.publish(message, arrival);
    } else {
      this.#streams ??= new PeerStreams(this.#link, this);
      this.#streams.open(message, arrival);
    }
  }

  answerMalformed({ id, n, topic, name, problem }: Malformed): void {
    const message = `malformed ${name}: ${problem}`;
    if (n !== undefined && topic !== undefined) this.#subscribed.refuse(n, topic, 'BAD_REQUEST', message);
    else if (id !== undefined) this.#calls.refuse(id, 'BAD_REQUEST', message);
    else this.#link.close(CloseCode.MALFORMED_FRAME, message);
  }

  get #subscribed(): PeerFollowers {
    return (this.#followers ??= new PeerFollowers(this.#link, this));
  }

  get #codecProblem(): string {
    return `the contract speaks ${this.#link.engine.codec.name}`;
  }
}

import type { AnySchema } from '../../contract/schema.ts';
import { DEVELOPMENT } from '../../development.ts';
import type { TautlineError } from '../../errors.ts';
import type { SerialQueue } from '../../primitives/serial-queue.ts';
import { encodeCancel, encodeFloor } from '../../protocol/encode.ts';
import { MOST_FLOOR_EXCEPTIONS, type WireError } from '../../protocol/messages.ts';
import type { CloseReaction } from '../../protocol/close-reaction.ts';
import { answerTakers } from './answer-takers.ts';
import { checkPositive } from '../kernel/check-positive.ts';
import { checkValue } from './check-value.ts';
import type { LinkState } from '../kernel/link-state.ts';
import { whyUnsent } from '../kernel/refusal.ts';
import type { LossyLane } from './lossy-lane.ts';
import { control, type Outbound } from './outbound.ts';
import type { Outbox } from './outbox.ts';
import { Request, type RequestOwner, type RequestSurroundings } from './request.ts';
import type { PublishOptions } from './request-options.ts';
import { Resending } from './resending.ts';
import type { Taker } from '../kernel/taker.ts';

/** The server may forget what is settled: it is told after this many. */
const SETTLED_PER_FLOOR = 64;

/** What requests need of their connection. */
export interface RequestsParts extends RequestSurroundings {
  readonly outbox: Outbox;
  readonly order: SerialQueue;
  /** Of a request that names none, ms. */
  readonly timeoutMs: number;
  /** Why a request can't even wait. */
  refusal(request: Request, signal: AbortSignal | undefined): TautlineError | undefined;
  /** Notes a request that ended with an error. */
  note(what: 'failed', error: TautlineError): void;
  /** The first unsettled one came, or the last is settled. */
  rose(): void;
  eased(): void;
}

/**
 * The requests that are not settled: their way into the queue, and, by id, those that were written and have no answer
 * yet. What becomes of them on another socket is decided in {@link Resending}.
 */
export class Requests extends Resending implements RequestOwner {
  readonly surroundings: RequestSurroundings;
  lossy: LossyLane | undefined;
  readonly takes: Readonly<Record<'reply' | 'error' | 'pong', Taker>> = answerTakers(this);
  readonly #parts: RequestsParts;
  /** Neither in the queue nor sent, but unsettled: they wait for a schema before them, or their answer for its own. */
  readonly #between: Set<Request> = new Set();
  #unsettled = 0;
  /** Who takes the answers to messages that are no requests, by their ids. */
  readonly #answers: Map<number, (error: WireError | undefined) => void> = new Map();
  #whenIdle: Array<() => void> = [];
  #nextId = 1;
  #settledSinceFloor = 0;

  constructor(parts: RequestsParts) {
    super();
    this.#parts = parts;
    this.surroundings = parts;
  }

  /**
   * An id for a message that is no request: nobody keeps it, so it is settled for the server as soon as it is written.
   * The answer is heard as long as its socket lives.
   */
  takeId(answered: (error: WireError | undefined) => void): number {
    this.#answers.set(this.#nextId, answered);
    return this.#nextId++;
  }

  /** Every lower id but these is settled here; without a list where it would be too long: sound, if not exact. */
  floor(mayList: boolean): readonly [number, ...number[]] {
    if (mayList && this.sent.size <= MOST_FLOOR_EXCEPTIONS) return [this.#nextId, ...this.sent.keys()];
    for (const id of this.sent.keys()) return [id];
    return [this.#nextId];
  }

  /**
   * Takes in a request, with the value to check before it goes. It settles exactly once, at the latest at its deadline.
   * @throws RangeError for a time limit that is none
   */
  start(
    request: Request,
    { signal, timeoutMs = this.#parts.timeoutMs }: PublishOptions,
    schema: AnySchema | undefined,
    value: unknown,
  ): void {
    checkPositive('timeoutMs', timeoutMs);
    const refusal = this.#parts.refusal(request, signal);
    if (refusal !== undefined) {
      this.#parts.note('failed', refusal);
      request.refuse(refusal);
      return;
    }
    request.begin(this, signal, timeoutMs);
    this.#unsettled++;
    this.#admit(request, schema, value);
    this.#parts.rose();
  }

  /**
   * It is checked at once, and then queued, what acts in the order in which it was made. It settles at the latest at its
   * deadline, however long the check takes.
   */
  #admit(request: Request, schema: AnySchema | undefined, value: unknown): void {
    const { order } = this.#parts;
    let checking: void | Promise<void>;
    try {
      checking = checkValue(schema, value, request.path);
    } catch (thrown) {
      request.unreadable(thrown);
      return;
    }
    const enter = (): void => this.#enter('ordered', request);
    if (checking !== undefined) {
      const checked = checking.catch((thrown: unknown) => request.unreadable(thrown));
      // While it is checked it takes up room in the queue like those that wait.
      this.#enter('held', request);
      if (!request.acts) void checked.then(enter);
      // A check that never ends holds up what acts behind it no longer than its own request lives.
      else if (!request.settled) order.run(() => Promise.race([checked, request.whenSettled()]).then(enter));
    } else if (request.acts && !order.isIdle) {
      this.#between.add(request);
      order.run(enter);
    } else enter();
  }

  #enter(lane: 'held' | 'ordered', request: Request): void {
    const { outbox } = this.#parts;
    const { topic } = request;
    const overtakes = topic !== undefined && lane === 'ordered' && this.lossy?.waits(topic) === true;
    if (overtakes && !request.settled) {
      // What goes first may tell somebody who ends all that there is.
      this.#between.add(request);
      this.lossy?.goFirst();
    }
    if (this.#between.size > 0) this.#between.delete(request);
    if (request.lane !== undefined) outbox.remove(request);
    if (request.settled) return;
    const pushed = outbox.push(lane, request);
    if (!pushed.accepted) {
      request.fail('QUEUE_FULL', outbox.whyFull(pushed.bound), {
        retryable: true,
        remedy: DEVELOPMENT && 'Wait for earlier calls before making more, or raise the bound.',
      });
    } else if (overtakes) this.lossy?.supersede(topic);
  }

  settled(request: Request, error?: TautlineError): void {
    if (error !== undefined) this.#parts.note('failed', error);
    if (this.#between.size > 0) this.#between.delete(request);
    if (--this.#unsettled > 0) return;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
    this.#parts.eased();
  }

  /** Nothing is unsettled. */
  get isIdle(): boolean {
    return this.#unsettled === 0;
  }

  /** Resolves when nothing is unsettled. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      if (this.isIdle) resolve();
      else this.#whenIdle.push(resolve);
    });
  }

  written(request: Request, link: LinkState): void {
    if (request.id === 0) {
      request.id = this.#nextId++;
      this.sent.set(request.id, request);
    }
    request.on = link;
    request.place = link.batch.taken + 1;
    link.taken[request.takesSlot]++;
  }

  abandoned(request: Request): void {
    const { on, id, takesSlot } = request;
    this.#parts.outbox.remove(request);
    this.forget(request);
    if (on === undefined) return;
    if (on.parts?.drop(request)) {
      on.taken[takesSlot]--;
      return this.#parts.outbox.slotFreed();
    }
    // The slot stays taken until the server has settled the id on that socket.
    on.left.set(id, takesSlot);
    const cancel = control((link) => (link === on ? encodeCancel(id) : undefined));
    this.say(on, cancel);
  }

  withdrawn(request: Request): void {
    const { on } = request;
    if (on !== undefined) on.taken[request.takesSlot]--;
    this.forget(request);
  }

  whyUnsent(request: Request): string | false {
    const { live } = this;
    const { takesSlot } = request;
    if (!DEVELOPMENT) return false;
    if (live === undefined || (live.hasFreeSlot(takesSlot) && !this.isCrowd(request, live)))
      return whyUnsent(this.surroundings.status);
    const [oldest] = this.sent.values();
    return `the server takes ${live.welcome?.limits[takesSlot]} ${takesSlot} at a time, and ${live.taken[takesSlot]} wait for their end, ${oldest?.path} the longest`;
  }

  /** The server said something of it that can't be read. It may still run, so it is cancelled. */
  malformed(link: LinkState, id: number, problem: string): void {
    const request = this.find(link, id);
    const what = DEVELOPMENT && `the server's answer can't be read: ${problem}`;
    request?.abandon(request.failure('BAD_OUTPUT', what, { outcome: 'unknown' }));
  }

  /** The peer has taken in all through this message: what waits for that goes. */
  covered(link: LinkState, message: number): void {
    link.covers(message);
    this.#parts.outbox.slotFreed();
  }

  override lost(link: LinkState, reaction?: CloseReaction): void {
    if (link === this.live) this.#answers.clear();
    super.lost(link, reaction);
    if (this.live !== undefined) this.#parts.outbox.schedule();
  }

  /** Ends every request, whether it is checked, waits, was sent, or its answer is being read. */
  endAll(end: (request: Request) => void): void {
    const waiting = this.#parts.outbox.clear().filter((entry) => entry instanceof Request);
    const all = [...this.sent.values(), ...waiting, ...this.#between];
    this.sent.clear();
    this.resends = [];
    for (const request of all) end(request);
  }

  /** Tells the server what it may forget: with the next message, or now. */
  tellFloor(now: boolean): void {
    this.#settledSinceFloor = 0;
    if (now && this.#floor.lane === undefined) this.#parts.outbox.push('control', this.#floor);
    else if (!now) this.#parts.outbox.goAlong(this.#writeFloor);
  }

  readonly #writeFloor = (link: LinkState): string => {
    // What the floor settles, the server may release without an answer: the slot is free on both sides.
    for (const id of link.left.keys()) link.settleLeft(id);
    return encodeFloor(this.floor(true));
  };

  readonly #floor = control(this.#writeFloor);

  /** Has a control message written to a socket, unless it waits already. On a socket that was left nothing else is, so it goes at once. */
  say(on: LinkState, message: Outbound): void {
    if (this.live === undefined || on === this.live) {
      if (message.lane === undefined) this.#parts.outbox.push('control', message);
      return;
    }
    const text = message.write(on);
    if (text !== undefined) on.say(text);
  }

  /** The server has settled an id on a socket: whoever waits for that takes the answer. */
  settle(
    link: LinkState,
    id: number,
    error: WireError | undefined,
    json: unknown,
    meta: unknown,
    isVetted: boolean,
  ): void {
    const request = this.find(link, id);
    if (request !== undefined) {
      link.covers(request.place);
      link.taken[request.takesSlot]--;
      this.forget(request);
    } else if (!link.settleLeft(id)) {
      if (link === this.live) this.#answers.get(id)?.(error);
      this.#answers.delete(id);
      return;
    }
    this.#parts.outbox.slotFreed();
    if (request === undefined) return;
    request.answer(error, json, meta, isVetted);
    // It may take a schema's time to be read.
    if (!request.settled) this.#between.add(request);
  }

  protected override forget(request: Request): boolean {
    const wasSent = super.forget(request);
    if (!wasSent) return false;
    // A floor lists what is pending, and the server keeps no answers of queries: it is told of many of them at once.
    const pending = request.acts ? 0 : this.sent.size;
    if (++this.#settledSinceFloor >= Math.max(SETTLED_PER_FLOOR, pending)) this.tellFloor(false);
    return true;
  }
}

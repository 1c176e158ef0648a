import type { AnySchema } from '../../contract/schema.ts';
import { DEVELOPMENT } from '../../development.ts';
import type { TautlineError } from '../../errors.ts';
import type { Deadline } from '../../primitives/deadlines.ts';
import { encodeCancel, encodeFloor } from '../../protocol/encode.ts';
import { MOST_FLOOR_EXCEPTIONS, type WireError } from '../../protocol/messages.ts';
import { error, reply } from '../../protocol/server-messages.ts';
import type { Kernel, Taker } from './capability.ts';
import { checkPositive } from './check-positive.ts';
import { checkValue } from './check-value.ts';
import type { LinkState } from './link-state.ts';
import type { LossyLane } from './lossy-lane.ts';
import type { Outbound, Outbox, Resends } from './outbox.ts';
import { Request, type RequestOwner } from './request.ts';
import type { PublishOptions } from './request-options.ts';

/** The server may forget what is settled: it is told after this many. */
const SETTLED_PER_FLOOR = 64;

/** Takes the answer to a message that is no request; `undefined` for no error. */
export type Answered = (error?: WireError) => void;

/**
 * The requests that were written and have no answer yet, by id; and the rules for what becomes of them on another
 * socket. Those that were not yet written are in the queue alone.
 */
export class Requests implements RequestOwner, Resends {
  readonly now: () => number;
  lossy: LossyLane | undefined;
  readonly takes: Readonly<Record<'reply' | 'error', Taker>>;
  readonly #kernel: Kernel;
  /** In the order of their ids: a map keeps the order of insertion, and ids count up. */
  readonly #sent: Map<number, Request> = new Map();
  /** Neither in the queue nor sent, but unsettled: they wait for a schema before them, or their answer for its own. */
  readonly #between: Set<Request> = new Set();
  #unsettled = 0;
  /** Sent before, and to be written again on the present socket; the one with the lowest id last. */
  #resends: Request[] = [];
  /** Index of the one that `next` gave. */
  #next = 0;
  /** The welcomed socket that is written to, and the memory of this client that its server named. */
  #live: { readonly link: LinkState; readonly memory: string } | undefined;
  readonly #answers: Map<number, Answered> = new Map();
  #idle: Array<() => void> = [];
  #nextId = 1;
  #settledSinceFloor = 0;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.now = kernel.now;
    this.takes = {
      reply: {
        ...reply,
        take: (link, message: readonly ['reply', number, unknown, unknown], isVetted) => {
          this.settle(link, message[1], (request) => request.reply(message[2], message[3], isVetted));
        },
      },
      error: {
        ...error,
        take: (link, message: readonly ['error', number, WireError, unknown, unknown], isVetted) => {
          const [, id, given, json, meta] = message;
          this.settle(link, id, (request) => request.error(given, json, meta, isVetted), given);
        },
      },
    };
  }

  get #outbox(): Outbox {
    return this.#kernel.outbox;
  }

  /**
   * An id for a message that is no request: nobody keeps it, so it is settled for the server as soon as it is written.
   * The answer is heard as long as its socket lives.
   */
  takeId(answered: Answered): number {
    this.#answers.set(this.#nextId, answered);
    return this.#nextId++;
  }

  /** That answer is not waited for any more. */
  dropId(id: number): void {
    this.#answers.delete(id);
  }

  get size(): number {
    return this.#sent.size;
  }

  /** Every lower id but these is settled here. */
  get floor(): readonly [number, ...number[]] {
    return this.#sent.size > MOST_FLOOR_EXCEPTIONS ? this.lowestFloor : [this.#nextId, ...this.#sent.keys()];
  }

  /** As {@link floor}, without a list: sound, if not exact, where the list would be too long. */
  get lowestFloor(): readonly [number] {
    for (const id of this.#sent.keys()) return [id];
    return [this.#nextId];
  }

  /**
   * Takes in a request, with the value to check before it goes. It settles exactly once, at the latest at its deadline.
   * `false` where it was refused at once.
   * @throws RangeError for a time limit that is none
   */
  start(
    request: Request,
    { signal, timeoutMs = this.#kernel.timeoutMs }: PublishOptions,
    schema: AnySchema | undefined,
    value: unknown,
  ): boolean {
    checkPositive('timeoutMs', timeoutMs);
    const refusal = this.#kernel.refusal(request, signal);
    if (refusal !== undefined) {
      this.#kernel.note('failed', refusal);
      request.refuse(refusal);
      return false;
    }
    request.begin(this, signal, timeoutMs);
    request.limit(this.#kernel.deadlines.add(this.now() + timeoutMs, request));
    this.#unsettled++;
    this.#admit(request, schema, value);
    this.#kernel.rose();
    return true;
  }

  /**
   * It is checked at once, and then queued, what acts in the order in which it was made. It settles at the latest at its
   * deadline, however long the check takes.
   */
  #admit(request: Request, schema: AnySchema | undefined, value: unknown): void {
    let checking: void | Promise<void>;
    try {
      checking = checkValue(schema, value, request.path);
    } catch (error) {
      request.unreadable(error);
      return;
    }
    const { order } = this.#kernel;
    if (checking === undefined) {
      if (!request.acts || order.isIdle) this.#enter('ordered', request);
      else {
        this.#between.add(request);
        order.run(() => this.#enter('ordered', request));
      }
      return;
    }
    const checked = checking.then(undefined, (error: unknown) => request.unreadable(error));
    // While it is checked it takes up room in the queue like those that wait.
    this.#enter('held', request);
    const enter = (): void => this.#enter('ordered', request);
    if (!request.acts) void checked.then(enter);
    // A check that never ends holds up what acts behind it no longer than its own request lives.
    else if (!request.settled) order.run(() => Promise.race([checked, request.whenSettled()]).then(enter));
  }

  #enter(lane: 'held' | 'ordered', request: Request): void {
    if (this.#between.size > 0) this.#between.delete(request);
    this.#outbox.remove(request);
    const topic = lane === 'ordered' ? request.topic : undefined;
    if (topic !== undefined && !request.settled && this.lossy?.waits(topic) === true) {
      // What goes first may tell somebody who ends all that there is.
      this.#between.add(request);
      this.lossy.goFirst();
      this.#between.delete(request);
    }
    if (request.settled) return;
    const pushed = this.#outbox.push(lane, request);
    if (!pushed.accepted) {
      request.fail('QUEUE_FULL', this.#outbox.whyFull(pushed.bound), {
        retryable: true,
        remedy: DEVELOPMENT && 'Wait for earlier calls before making more, or raise the bound.',
      });
    } else if (topic !== undefined) this.lossy?.supersede(topic);
  }

  settled(request: Request, error?: TautlineError): void {
    if (error !== undefined) this.#kernel.note('failed', error);
    if (this.#between.size > 0) this.#between.delete(request);
    if (--this.#unsettled > 0) return;
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
    this.#kernel.eased();
  }

  liftDeadline(deadline: Deadline): void {
    this.#kernel.deadlines.remove(deadline);
  }

  /** Nothing is unsettled. */
  get isIdle(): boolean {
    return this.#unsettled === 0;
  }

  /** Resolves when nothing is unsettled. */
  idle(): Promise<void> {
    return this.isIdle ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve));
  }

  written(request: Request, link: LinkState): void {
    if (request.id === 0) {
      request.id = this.#nextId++;
      this.#sent.set(request.id, request);
    }
    // An act is only ever written after the welcome, so there is a name to note.
    if (request.acts) {
      const memory = link.welcome?.memory;
      request.memory ??= memory;
      request.mayHaveRun ||= request.memory !== memory;
    }
    request.on = link;
    link.takeSlot(request.takesSlot);
  }

  abandoned(request: Request): void {
    if (request.id === 0) {
      this.#outbox.remove(request);
      return;
    }
    const { on, id } = request;
    this.#forget(request);
    if (on === undefined) return;
    // The slot stays taken until the server has settled the id on that socket.
    on.leave(id, request.takesSlot);
    this.say(
      on,
      control((link) => (link === on ? encodeCancel(id) : undefined)),
    );
  }

  withdrawn(request: Request): void {
    request.on?.freeSlot(request.takesSlot);
    this.#forget(request);
  }

  /** The request that was sent on a socket under this id, and waits for its answer there. */
  find(link: LinkState, id: number): Request | undefined {
    const request = this.#sent.get(id);
    return request?.on === link ? request : undefined;
  }

  /** The server said something of it that can't be read. It may still run, so it is cancelled. */
  malformed(link: LinkState, id: number, problem: string): void {
    const request = this.find(link, id);
    const what = DEVELOPMENT && `the server's answer can't be read: ${problem}`;
    request?.abandon(request.failure('BAD_OUTPUT', what, { outcome: 'unknown' }));
  }

  /** Ids of the streams that were sent on a socket, and that it has not settled. */
  streamsOn(link: LinkState): readonly number[] {
    const wanted = [...this.#sent.values()].filter(({ on, takesSlot }) => on === link && takesSlot === 'streams');
    return [...link.leftStreams, ...wanted.map(({ id }) => id)].sort((one, other) => one - other);
  }

  /** Queries that have no answer: they may be asked again before the server has answered the greeting. */
  *unansweredQueries(): Generator<Request> {
    for (const request of this.#sent.values()) if (!request.acts) yield request;
  }

  /** The server has named its memory of this client. What was sent on the sockets that were left goes to this one. */
  welcomed(link: LinkState, memory: string, left: readonly LinkState[]): void {
    for (const old of left) this.#letGo(old, false);
    this.#live = { link, memory };
    this.#answers.clear();
    this.#resume(memory);
  }

  /** Decides for each request that was sent before and that no socket will answer. */
  #resume(memory: string): void {
    const resends: Request[] = [];
    const lost: Request[] = [];
    for (const request of this.#sent.values()) {
      if (request.on !== undefined) continue;
      const isKnown = !request.acts || request.idempotent || request.memory === memory;
      (isKnown ? resends : lost).push(request);
    }
    this.#resends = resends.reverse();
    // Last: whoever is told may drop the socket, and all of this is decided anew.
    for (const request of lost) {
      this.#forget(request);
      const what = DEVELOPMENT && 'the connection was lost, and the server no longer knows whether it was done';
      request.fail('DISCONNECTED', what, {
        remedy: DEVELOPMENT && 'Look whether it took effect before asking again, or declare it idempotent.',
      });
    }
  }

  next(link: LinkState): Outbound | undefined {
    const resends = this.#resends;
    for (let at = resends.length - 1; at >= 0; at--) {
      const request = resends[at]!;
      if (request.settled) {
        resends.splice(at, 1);
        continue;
      }
      // A stream without a slot may wait for hours: calls pass it.
      if (request.takesSlot === 'streams' && !link.hasFreeSlot('streams')) continue;
      this.#next = at;
      return request;
    }
    return undefined;
  }

  take(): void {
    this.#resends.splice(this.#next, 1);
  }

  /** The socket is gone: what was sent on it goes to another. After 1009 the largest of it is the culprit. */
  lost(link: LinkState, tooLarge: boolean): void {
    if (this.#live?.link === link) {
      this.#live = undefined;
      this.#answers.clear();
    }
    this.#letGo(link, tooLarge);
    this.#resends = [];
    if (this.#live === undefined) return;
    this.#resume(this.#live.memory);
    this.#outbox.schedule();
  }

  #letGo(link: LinkState, tooLarge: boolean): void {
    let largest: Request | undefined;
    for (const request of this.#sent.values()) {
      if (request.on !== link) continue;
      request.on = undefined;
      if (!request.isTakenIn && request.bytes > (largest?.bytes ?? 0)) largest = request;
    }
    if (!tooLarge || largest === undefined) return;
    this.#forget(largest);
    largest.fail('TOO_LARGE', DEVELOPMENT && 'the server closed the connection over the size of a frame', {
      outcome: largest.acts ? 'unknown' : 'rejected',
      remedy: DEVELOPMENT && 'Send it in parts.',
    });
  }

  /** Ends every request, whether it is checked, waits, was sent, or its answer is being read. */
  endAll(end: (request: Request) => void): void {
    const waiting = this.#outbox.clear().filter((entry) => entry instanceof Request);
    const all = [...this.#sent.values(), ...waiting, ...this.#between];
    this.#sent.clear();
    this.#resends = [];
    for (const request of all) end(request);
  }

  /** Tells the server what it may forget: with the next message, or now. */
  tellFloor(now: boolean): void {
    this.#settledSinceFloor = 0;
    if (now) this.#outbox.push('control', control(this.#floor));
    else this.#outbox.goAlong(this.#floor);
  }

  readonly #floor = (link: LinkState): string => {
    // What the floor settles, the server may release without an answer: the slot is free on both sides.
    link.forgetLeft();
    return encodeFloor(this.floor);
  };

  /** Has a control message written to a socket, unless it waits already. On a socket that was left nothing else is, so it goes at once. */
  say(on: LinkState, message: Outbound): void {
    if (this.#live === undefined || on === this.#live.link) {
      if (!this.#outbox.has(message)) this.#outbox.push('control', message);
      return;
    }
    const text = message.write(on);
    if (text !== undefined) on.say(text);
  }

  /** The server has settled an id on a socket: whoever waits for that takes the answer. */
  settle(link: LinkState, id: number, take: (request: Request) => void, error?: WireError): void {
    // Only on the socket on which it was asked: anything else is an answer to nobody.
    const request = this.find(link, id);
    if (request !== undefined) {
      link.freeSlot(request.takesSlot);
      this.#forget(request);
    } else if (!link.settleLeft(id)) {
      const answered = link === this.#live?.link ? this.#answers.get(id) : undefined;
      this.#answers.delete(id);
      answered?.(error);
      return;
    }
    this.#outbox.slotFreed();
    if (request === undefined) return;
    take(request);
    // Its answer may take a schema's time to be read.
    if (!request.settled) this.#between.add(request);
  }

  #forget(request: Request): void {
    if (!this.#sent.delete(request.id)) return;
    request.on = undefined;
    if (++this.#settledSinceFloor >= SETTLED_PER_FLOOR) this.tellFloor(false);
  }
}

/** A message that commutes with all others. */
export function control(write: (link: LinkState) => string | undefined): Outbound {
  return { bytes: 16, takesSlot: false, rides: false, write, lane: undefined, before: undefined, after: undefined };
}

import type { TautlineError } from '../errors.ts';
import type { Deadlines } from '../primitives/deadlines.ts';
import { SerialQueue } from '../primitives/serial-queue.ts';
import { encodeCancel, encodeFloor } from '../protocol/encode.ts';
import type { WireError } from '../protocol/messages.ts';
import { Call, type CallOwner, type CallRequest, type CallTerms } from './call.ts';
import type { LinkState } from './link-state.ts';
import type { Outbound, Outbox, Resends } from './outbox.ts';

/** The server may forget what is settled: it is told after this many. */
const SETTLED_PER_FLOOR = 64;

/**
 * The calls that were written and have no answer yet, by id; and the rules for what becomes of them on another
 * socket. Calls that were not yet written are in the queue alone.
 */
export class PendingCalls implements CallOwner, Resends {
  readonly deadlines: Deadlines;
  readonly now: () => number;
  /** In the order of their ids: a map keeps the order of insertion, and ids count up. */
  readonly #sent = new Map<number, Call>();
  /** Sent before, to be written again on the present socket, lowest id first. */
  #resends: Call[] = [];
  /** Calls whose input is being checked. */
  readonly #checking = new Set<Call>();
  /** Calls enter the queue in the order in which they were made, also when a schema is asynchronous. */
  readonly #order = new SerialQueue();
  #nextId = 1;
  #settledSinceFloor = 0;
  #outbox!: Outbox;

  constructor(deadlines: Deadlines, now: () => number) {
    this.deadlines = deadlines;
    this.now = now;
  }

  /** The outbox takes re-sends from here, and this enters calls into it: one must come first. */
  writeTo(outbox: Outbox): void {
    this.#outbox = outbox;
  }

  get size(): number {
    return this.#sent.size;
  }

  /** Every lower id but these is settled here. */
  get floor(): readonly [number, ...number[]] {
    return [this.#nextId, ...this.#sent.keys()];
  }

  /**
   * Takes in a call. It is checked first, in the order of the calls, and then queued. It settles exactly once, at the
   * latest at its deadline, however long the check takes.
   */
  start(
    request: CallRequest,
    terms: CallTerms,
    check: () => void | Promise<void>,
    resolve: (output: unknown) => void,
    reject: (error: TautlineError) => void,
  ): void {
    const call = new Call(request, terms, this, resolve, reject);
    this.#checking.add(call);
    this.#order.run(() => {
      const checked = this.#check(call, check);
      // A check that never ends holds up the calls behind it no longer than its own call lives.
      return checked && Promise.race([checked, call.whenSettled()]);
    });
  }

  written(call: Call, link: LinkState): void {
    if (call.id === 0) {
      call.id = this.#nextId++;
      this.#sent.set(call.id, call);
    }
    // An act is only ever written after the welcome, so there is a name to note.
    if (call.request.acts) call.memory ??= link.welcome?.memory;
    call.on = link;
    link.window.add(call.id);
  }

  abandoned(call: Call): void {
    if (call.id === 0) {
      this.#outbox.remove(call);
      return;
    }
    const { on, id } = call;
    this.#forget(call);
    // The slot stays taken until the server has settled the id on that socket.
    if (on !== undefined) this.#control((link) => (link === on ? encodeCancel(id) : undefined));
  }

  withdrawn(call: Call): void {
    call.on?.window.delete(call.id);
    this.#forget(call);
  }

  reply(link: LinkState, id: number, json: unknown, meta: unknown): void {
    this.#answered(link, id)?.reply(json, meta);
  }

  error(link: LinkState, id: number, error: WireError, json: unknown, meta: unknown): void {
    this.#answered(link, id)?.error(error, json, meta);
  }

  /** Queries that have no answer: they may be asked again before the server has answered the greeting. */
  *unansweredQueries(): Generator<Call> {
    for (const call of this.#sent.values()) if (!call.request.acts) yield call;
  }

  /** Decides for each call that was sent before, now that the server has named its memory of this client. */
  welcomed(link: LinkState, memory: string): void {
    this.#resends = [];
    for (const call of [...this.#sent.values()]) {
      if (call.on === link) continue;
      if (call.request.acts && !call.request.idempotent && call.memory !== memory) {
        this.#forget(call);
        call.fail('DISCONNECTED', 'the connection was lost, and the server no longer knows whether it was done', {
          remedy: 'Look whether it took effect before asking again, or declare it idempotent.',
        });
        continue;
      }
      this.#resends.push(call);
    }
    this.#resends.reverse(); // taken from the end
  }

  /** The socket is gone: what was sent on it waits for the next. After 1009 the largest of it is the culprit. */
  lost(link: LinkState, tooLarge: boolean): void {
    this.#resends = [];
    let largest: Call | undefined;
    for (const call of this.#sent.values()) {
      if (call.on !== link) continue;
      call.on = undefined;
      if (call.bytes > (largest?.bytes ?? 0)) largest = call;
    }
    if (!tooLarge || largest === undefined) return;
    this.#forget(largest);
    largest.fail('TOO_LARGE', 'the server closed the connection over the size of a frame', {
      outcome: largest.request.acts ? 'unknown' : 'rejected',
      remedy: 'Send it in parts.',
    });
  }

  /** Ends every call: what was sent, what is being checked, and what waits in the queue. */
  endAll(queued: Iterable<Outbound>, end: (call: Call) => void): void {
    const calls = [...this.#sent.values(), ...this.#checking];
    this.#sent.clear();
    this.#checking.clear();
    this.#resends = [];
    for (const call of calls) end(call);
    for (const entry of queued) if (entry instanceof Call) end(entry);
  }

  next(): Call | undefined {
    while (this.#resends.at(-1)?.settled === true) this.#resends.pop();
    return this.#resends.at(-1);
  }

  take(): void {
    this.#resends.pop();
  }

  /** Tells the server what it may forget. */
  tellFloor(): void {
    this.#settledSinceFloor = 0;
    this.#control(() => encodeFloor(this.floor));
  }

  #check(call: Call, check: () => void | Promise<void>): void | Promise<void> {
    const done = (error?: unknown): void => {
      this.#checking.delete(call);
      if (error !== undefined) call.unreadable(error);
      else if (!call.settled) this.#enqueue(call);
    };
    if (call.settled) return done();
    try {
      const checking = check();
      return checking === undefined ? done() : checking.then(() => done(), done);
    } catch (error) {
      return done(error);
    }
  }

  #enqueue(call: Call): void {
    const pushed = this.#outbox.push('ordered', call);
    if (pushed.accepted) return;
    call.fail('QUEUE_FULL', `the queue already holds all the ${pushed.bound} that the option queue allows`, {
      retryable: true,
      remedy: 'Wait for earlier calls before making more, or raise the bound.',
    });
  }

  #answered(link: LinkState, id: number): Call | undefined {
    if (link.window.delete(id)) this.#outbox.schedule();
    const call = this.#sent.get(id);
    // Only on the socket on which it was asked: anything else is an answer to nobody.
    if (call?.on !== link) return undefined;
    this.#forget(call);
    return call;
  }

  #forget(call: Call): void {
    if (!this.#sent.delete(call.id)) return;
    call.on = undefined;
    if (++this.#settledSinceFloor >= SETTLED_PER_FLOOR) this.tellFloor();
  }

  #control(write: (link: LinkState) => string | undefined): void {
    this.#outbox.push('control', { bytes: 16, takesSlot: false, rides: false, write });
  }
}

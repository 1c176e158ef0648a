import type { TautlineError } from '../errors.ts';
import type { Deadlines } from '../primitives/deadlines.ts';
import { SerialQueue } from '../primitives/serial-queue.ts';
import { encodeCancel, encodeFloor, encodeFrame } from '../protocol/encode.ts';
import { MOST_FLOOR_EXCEPTIONS, type WireError } from '../protocol/messages.ts';
import { CallIntake } from './call-intake.ts';
import { Call, type CallOwner, type CallRequest, type CallTerms } from './call.ts';
import type { LinkState } from './link-state.ts';
import type { LossyPublishes } from './lossy-publishes.ts';
import type { Outbound, Outbox } from './outbox.ts';
import { ResendList } from './resends.ts';

/** The server may forget what is settled: it is told after this many. */
const SETTLED_PER_FLOOR = 64;

/**
 * The calls that were written and have no answer yet, by id; and the rules for what becomes of them on another
 * socket. Calls that were not yet written are in the queue alone.
 */
export class PendingCalls implements CallOwner {
  readonly deadlines: Deadlines;
  readonly now: () => number;
  readonly failed: (error: TautlineError) => void;
  readonly #eased: () => void;
  /** In the order of their ids: a map keeps the order of insertion, and ids count up. */
  readonly #sent = new Map<number, Call>();
  readonly resends: ResendList = new ResendList();
  /** The welcomed socket that is written to, and the memory of this client that its server named. */
  #live: { readonly link: LinkState; readonly memory: string } | undefined;
  /** Calls that are not settled, wherever they stand. */
  readonly #unsettled = new Set<Call>();
  readonly #idle: Array<() => void> = [];
  /** What acts enters the queue in the order in which it was made, also when a schema is asynchronous. */
  readonly order: SerialQueue = new SerialQueue();
  #nextId = 1;
  #settledSinceFloor = 0;
  #outbox!: Outbox;
  #intake!: CallIntake;

  /** @param eased - Runs when the last unsettled call has settled. */
  constructor(deadlines: Deadlines, now: () => number, failed: (error: TautlineError) => void, eased: () => void) {
    this.deadlines = deadlines;
    this.now = now;
    this.failed = failed;
    this.#eased = eased;
  }

  /** The outbox takes re-sends from here, and this enters calls into it: one must come first. */
  writeTo(outbox: Outbox, lossy: Pick<LossyPublishes, 'goFirst' | 'supersede'>): void {
    this.#outbox = outbox;
    this.#intake = new CallIntake(outbox, lossy, this.order);
  }

  /** An id for a message that is no call: nobody keeps it, so it is settled for the server as soon as it is written. */
  takeId(): number {
    return this.#nextId++;
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

  /** Takes in a call. It settles exactly once, at the latest at its deadline. */
  start(
    request: CallRequest,
    terms: CallTerms,
    check: () => void | Promise<void>,
    resolve: (output: unknown) => void,
    reject: (error: TautlineError) => void,
  ): Call {
    const call = new Call(request, terms, this, resolve, reject);
    this.#unsettled.add(call);
    this.#intake.admit(call, check);
    return call;
  }

  settled(call: Call): void {
    this.#unsettled.delete(call);
    if (!this.isIdle) return;
    for (const idle of this.#idle.splice(0)) idle();
    this.#eased();
  }

  /** No call is unsettled. */
  get isIdle(): boolean {
    return this.#unsettled.size === 0;
  }

  /** Resolves when no call is unsettled. */
  idle(): Promise<void> {
    return this.isIdle ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve));
  }

  written(call: Call, link: LinkState): void {
    if (call.id === 0) {
      call.id = this.#nextId++;
      this.#sent.set(call.id, call);
    }
    // An act is only ever written after the welcome, so there is a name to note.
    if (call.request.acts) {
      const memory = link.welcome?.memory;
      call.memory ??= memory;
      call.mayHaveRun ||= call.memory !== memory;
    }
    call.on = link;
    link.takeSlot(call.takesSlot, call.id);
  }

  abandoned(call: Call): void {
    if (call.id === 0) {
      this.#outbox.remove(call);
      return;
    }
    const { on, id } = call;
    this.#forget(call);
    // The slot stays taken until the server has settled the id on that socket.
    if (on !== undefined)
      this.#say(
        on,
        control((link) => (link === on ? encodeCancel(id) : undefined)),
      );
  }

  tell({ on }: Call, message: Outbound): void {
    if (on !== undefined) this.#say(on, message);
  }

  withdrawn(call: Call): void {
    call.on?.freeSlot(call.id);
    this.#forget(call);
  }

  reply(link: LinkState, id: number, json: unknown, meta: unknown): void {
    this.#answered(link, id)?.reply(json, meta);
  }

  item(link: LinkState, id: number, seq: number, json: unknown, meta: unknown): void {
    const call = this.#sent.get(id);
    if (call?.on === link) call.item(seq, json, meta);
  }

  /** The end of a stream; of anything else it says nothing. */
  done(link: LinkState, id: number): void {
    if (this.#sent.get(id)?.takesSlot === 'streams') this.reply(link, id, undefined, undefined);
  }

  error(link: LinkState, id: number, error: WireError, json: unknown, meta: unknown): void {
    this.#answered(link, id)?.error(error, json, meta);
  }

  /** The server said something of it that can't be read. It may still run, so it is cancelled. */
  malformed(link: LinkState, id: number, problem: string): void {
    const call = this.#sent.get(id);
    if (call?.on === link)
      call.abandon(call.failure('BAD_OUTPUT', `the server's answer can't be read: ${problem}`, { outcome: 'unknown' }));
  }

  /** Queries that have no answer: they may be asked again before the server has answered the greeting. */
  *unansweredQueries(): Generator<Call> {
    for (const call of this.#sent.values()) if (!call.request.acts) yield call;
  }

  /** The server has named its memory of this client. What was sent on the sockets that were left goes to this one. */
  welcomed(link: LinkState, memory: string, left: readonly LinkState[]): void {
    for (const old of left) this.#letGo(old, false);
    this.#live = { link, memory };
    this.#resume(memory);
  }

  /** Decides for each call that was sent before and that no socket will answer. */
  #resume(memory: string): void {
    const resends: Call[] = [];
    const lost: Call[] = [];
    for (const call of this.#sent.values()) {
      if (call.on !== undefined) continue;
      const isKnown = !call.request.acts || call.request.idempotent || call.memory === memory;
      (isKnown ? resends : lost).push(call);
    }
    this.resends.replace(resends);
    // Last: whoever is told may drop the socket, and all of this is decided anew.
    for (const call of lost) {
      this.#forget(call);
      call.fail('DISCONNECTED', 'the connection was lost, and the server no longer knows whether it was done', {
        remedy: 'Look whether it took effect before asking again, or declare it idempotent.',
      });
    }
  }

  /** The socket is gone: what was sent on it goes to another. After 1009 the largest of it is the culprit. */
  lost(link: LinkState, tooLarge: boolean): void {
    if (this.#live?.link === link) this.#live = undefined;
    this.#letGo(link, tooLarge);
    this.resends.replace([]);
    if (this.#live === undefined) return;
    this.#resume(this.#live.memory);
    this.#outbox.schedule();
  }

  #letGo(link: LinkState, tooLarge: boolean): void {
    let largest: Call | undefined;
    for (const call of this.#sent.values()) {
      if (call.on !== link) continue;
      call.on = undefined;
      if (!call.heard && call.bytes > (largest?.bytes ?? 0)) largest = call;
    }
    if (!tooLarge || largest === undefined) return;
    this.#forget(largest);
    largest.fail('TOO_LARGE', 'the server closed the connection over the size of a frame', {
      outcome: largest.request.acts ? 'unknown' : 'rejected',
      remedy: 'Send it in parts.',
    });
  }

  /** Ends every call, whether it is checked, waits, was sent, or its answer is being read. */
  endAll(end: (call: Call) => void): void {
    const calls = [...this.#unsettled];
    this.#sent.clear();
    this.resends.replace([]);
    for (const call of calls) end(call);
  }

  /** Tells the server what it may forget. */
  tellFloor(): void {
    this.#settledSinceFloor = 0;
    const floor = control((link) => {
      // What the floor settles, the server may release without an answer: the slot is free on both sides.
      for (const id of [...link.window, ...link.streams]) if (!this.#sent.has(id)) link.freeSlot(id);
      return encodeFloor(this.floor);
    });
    this.#outbox.push('control', floor);
  }

  #answered(link: LinkState, id: number): Call | undefined {
    if (link.freeSlot(id)) this.#outbox.schedule();
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

  /** Has a control message written, unless it waits already. On a socket that was left nothing else is, so it goes at once. */
  #say(on: LinkState, message: Outbound): void {
    if (this.#live === undefined || on === this.#live.link) {
      if (!this.#outbox.has(message)) this.#outbox.push('control', message);
      return;
    }
    const text = message.write(on);
    if (text !== undefined) on.link.send(encodeFrame([text]));
  }
}

function control(write: (link: LinkState) => string | undefined): Outbound {
  return { bytes: 16, takesSlot: false, rides: false, write };
}

import { DEVELOPMENT } from '../../development.ts';
import { SendQueue, type Lane, type PushResult, type SendQueueBounds } from '../../primitives/send-queue.ts';
import { utf8Length } from '../../protocol/utf8.ts';
import type { LinkState } from '../kernel/link-state.ts';
import { HEADER_BYTES, type Outbound, type Resends } from './outbound.ts';
import { Overtaken } from './overtaken.ts';

/** Bytes that may follow the greeting before the server has answered, the greeting's own frame not counted. */
const RIDING_BYTES = 60 * 1024;

/** So many requests that an app makes in one go are written at once: the server works on them while it makes more. */
const GATHERED_REQUESTS = 16;

/** So many steps may lie between an answer and the next question of an app that awaits one call after another. */
const MICROTASKS_OF_AN_APP = 8;

/**
 * Everything that waits for the socket, and the one place that writes it: a microtask after the first enqueue, or
 * when a good many are there, never a timer. Above the high watermark it stops, for all but control messages, until there is room.
 */
export class Outbox extends SendQueue<Outbound> {
  /** Runs when {@link backlogBytes} may have changed. */
  levelChanged: () => void = () => {};
  readonly #resends: Resends;
  #link: LinkState | undefined;
  #rider: ((link: LinkState) => string) | undefined;
  #scheduled = false;
  #flushing = false;
  /** Requests that came since it was last written. */
  #gathered = 0;
  readonly #overtaken: Overtaken;

  constructor(bounds: SendQueueBounds, resends: Resends) {
    super(bounds);
    this.#resends = resends;
    this.#overtaken = new Overtaken(this, resends);
  }

  /** There is a socket that was welcomed: what is entered is written at once, slots permitting. */
  get isOpen(): boolean {
    return this.#link !== undefined;
  }

  /** Bytes that wait, and those that the peer is not known to have taken in. */
  get backlogBytes(): number {
    const { flow, parts } = this.#link ?? {};
    return this.bytes + (flow?.unanswered ?? 0) + (parts?.left ?? 0);
  }

  override push(lane: Lane, entry: Outbound): PushResult<Outbound> {
    const result = super.push(lane, entry);
    if (result.accepted) {
      for (const evicted of result.evicted) evicted.evicted?.();
      this.schedule();
      this.levelChanged();
      if (entry.takesSlot && ++this.#gathered >= GATHERED_REQUESTS) this.flush();
    }
    return result;
  }

  /**
   * Has a message written on the present socket, together with what the app, which has just got an answer, is about to
   * ask: a few microtasks later, where nothing has gone until then.
   */
  goAlong(write: (link: LinkState) => string): void {
    this.#rider = write;
    let left = MICROTASKS_OF_AN_APP;
    const later = (): void => {
      if (this.#rider !== write) return;
      if (left-- > 0) queueMicrotask(later);
      else this.flush();
    };
    later();
  }

  /** Why the queue refused a message, for people. */
  whyFull(bound: 'messages' | 'bytes'): string | false {
    const { messages, bytes, bounds } = this;
    return (
      DEVELOPMENT &&
      (bound === 'messages'
        ? `the queue holds ${messages} messages, and queue.maxMessages allows ${bounds.maxMessages}`
        : `the queue holds ${bytes} bytes already, and queue.maxBytes allows ${bounds.maxBytes}`)
    );
  }

  override remove(entry: Outbound): boolean {
    const removed = super.remove(entry);
    if (removed) this.levelChanged();
    return removed;
  }

  /** Takes out everything that waits. */
  override clear(): readonly Outbound[] {
    const entries = super.clear();
    this.levelChanged();
    return entries;
  }

  /** From now on, this socket is written to, which was welcomed; or none. */
  attach(link: LinkState | undefined): void {
    this.#link = link;
    this.#rider = undefined;
    this.flush();
    this.levelChanged();
  }

  /** There may be more that can go: writes it at the end of this task. */
  schedule(): void {
    if (this.#scheduled || this.#link === undefined) return;
    this.#scheduled = true;
    queueMicrotask(this.#taskEnds);
  }

  readonly #taskEnds = (): void => {
    this.#scheduled = false;
    this.flush();
  };

  /** A slot became free. */
  slotFreed(): void {
    const link = this.#link;
    if (link === undefined || this.#scheduled) return;
    if (
      (this.peek('ordered') ?? this.peek('lossy') ?? this.#overtaken.next(link) ?? this.#resends.next(link)) !==
      undefined
    )
      this.schedule();
  }

  /**
   * Writes all that may go: control, then what was sent before, then the queue, while there are slots and the watermark
   * is not reached.
   */
  flush(): void {
    const link = this.#link;
    // A listener that is told of something in the middle of it may come back here.
    if (link === undefined || this.#flushing) return;
    this.#flushing = true;
    this.#gathered = 0;
    try {
      if (!this.#writeAll(link) && this.#link === link) link.flow?.hold();
    } finally {
      this.#flushing = false;
    }
    this.levelChanged();
  }

  /** `false` when the watermark stopped it. */
  #writeAll(link: LinkState): boolean {
    let admitted = true;
    link.flow?.look();
    for (;;) {
      const control = this.peek('control');
      if (control === undefined && this.#resends.holds(link)) break;
      const resend = control === undefined ? this.#resends.next(link) : undefined;
      const passed = control ?? resend ?? this.#overtaken.next(link);
      const entry = passed ?? this.next();
      if (entry === undefined) break;
      const keeps = keepsOrder(entry);
      if (control === undefined && link.parts?.blocks(keeps, entry.bytes + HEADER_BYTES)) {
        // What may be dropped stays where it can be.
        if (entry === this.peek('lossy')) break;
        this.#overtaken.add(entry, keeps ? 'behind' : 'free');
        continue;
      }
      if (entry.takesSlot === 'calls' && !link.hasFreeSlot('calls')) break;
      if (passed === undefined) {
        const isCrowd = this.#resends.isCrowd(entry, link);
        if (keeps && (isCrowd || this.peek('behind'))) {
          if (entry === this.peek('lossy')) break;
          this.#overtaken.add(entry, 'behind');
          continue;
        }
        if (isCrowd) {
          this.#overtaken.addToCrowd(entry);
          continue;
        }
      }
      if (entry.takesSlot === 'streams' && !link.hasFreeSlot('streams')) {
        this.#overtaken.add(entry, 'streams');
        continue;
      }
      const bytes = Math.min(entry.bytes + HEADER_BYTES, link.parts?.limits.partBytes ?? Infinity);
      admitted = control !== undefined || link.flow?.admits(bytes) !== false;
      if (!admitted) break;
      if (entry === resend) this.#resends.take(link);
      else super.remove(entry);
      this.#writeRider(link);
      this.#write(entry, link);
      // Somebody who was told of a message that could not go may have dropped the socket.
      if (this.#link !== link) break;
    }
    this.#writeRider(link);
    link.batch.flush();
    return admitted && link.parts?.write() !== false;
  }

  /**
   * Writes what may go before the server has answered: queries that were sent before, then the head of the queue
   * as far as nothing in it acts. What acts is never overtaken.
   */
  writeRiding(link: LinkState, queries: Iterable<Outbound>, subscriptionBytes: number): void {
    let left = RIDING_BYTES - subscriptionBytes;
    const fits = (entry: Outbound): boolean => {
      // Twice: the escapes of a name, the headers and the id come on top of the payload.
      left -= entry.bytes + 1024;
      return (
        left >= 0 &&
        entry.bytes + 2048 < link.batch.frameBytes &&
        (!entry.takesSlot || link.hasFreeSlot(entry.takesSlot))
      );
    };
    for (const query of queries) if (fits(query)) this.#write(query, link);
    const mayRide = (entry: Outbound): boolean =>
      entry.rides && !(keepsOrder(entry) && this.peek('behind')) && fits(entry);
    for (let entry = this.peek('ordered'); entry && mayRide(entry); entry = this.peek('ordered')) {
      super.remove(entry);
      this.#write(entry, link);
    }
    link.batch.flush();
  }

  #writeRider(link: LinkState): void {
    const rider = this.#rider;
    if (rider === undefined) return;
    this.#rider = undefined;
    link.batch.add(rider(link), 'bulk');
  }

  #write(entry: Outbound, link: LinkState): void {
    const message = entry.write(link);
    if (message === undefined) return;
    const { surplus } = entry;
    const { batch, parts } = link;
    const keeps = keepsOrder(entry);
    const bytes = surplus === undefined ? undefined : message.length + surplus;
    if (parts && entry.bytes + HEADER_BYTES > parts.limits.partBytes && !parts.blocks(keeps, Infinity)) {
      const all = (bytes ?? utf8Length(message)) + 2;
      if (all > parts.limits.messageBytes) entry.tooLarge?.(parts.limits);
      else parts.begin(entry, keeps, message, all);
    } else if (batch.add(message, entry.takesSlot ? 'call' : 'bulk', bytes)) entry.sent?.(link.welcome?.memory);
    else if (parts) entry.tooLarge?.(parts.limits);
  }
}

/** Queries change nothing: they may overtake, and be overtaken. */
function keepsOrder(entry: Outbound): boolean {
  return !(entry.rides && entry.takesSlot);
}

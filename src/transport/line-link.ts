import type { DelayWindow } from '../primitives/backoff.ts';
import { Heartbeat, PROBE } from '../primitives/heartbeat.ts';
import * as CloseCode from '../protocol/close-code.ts';
import { causeOf, Line, type LineOwner } from './line.ts';
import type { Link, LinkUser } from './transport.ts';
import { HEARTBEAT_HINT_MS, type HeartbeatSettings } from './transport-options.ts';
import { OPEN } from './web-socket-like.ts';

/** What a welcome tells the transport. */
export type Welcomed = Parameters<Link['welcomed']>[0];

/** Whoever has a {@link LineLink}. */
export interface LineLinkOwner extends LineOwner<LineLink> {
  /** Comes once. */
  welcomed(line: LineLink, welcome: Welcomed): void;
  /** The peer announced the window in which it wants to be left. */
  leaving(line: LineLink, window: DelayWindow): void;
  /** Tells the layer above, or asks it; `undefined` when it throws. */
  tell<Answer>(what: (user: LinkUser) => Answer): Answer | undefined;
}

/** Bounds of a server's hint for the heartbeat, ms. */
const MIN_INTERVAL_MS = 1_000;
const MAX_INTERVAL_MS = 3_600_000;

/** Bounds of the window that a peer announces, ms. */
const MIN_WINDOW_MS = 100;
const DAY_MS = 86_400_000;

/** So much of the interval this side says nothing: where both are silent the peer asks first, and is answered. */
const SILENT_PART = 1.1;

/** A line as the layer above sees it, which is watched once it is welcomed. */
export class LineLink extends Line implements Link {
  declare owner: LineLinkOwner | undefined;
  /** Credentials for the greeting. */
  token: string | undefined;
  /** The layer above was told of it, so it has to be told of its loss. */
  announced = false;
  spreadMs: unknown;
  #heartbeat: Heartbeat | undefined;
  /** Monotonic time of the last frame that was sent, and how long the peer may hear nothing, ms. */
  #saidAt = 0;
  #silentMs = 0;
  /** Monotonic time at which the window begins that the peer announced, and its width, ms. */
  #leavesAt = 0;
  #withinMs = 0;

  get bufferedAmount(): number | undefined {
    const amount: unknown = this.socket?.bufferedAmount;
    return typeof amount === 'number' ? amount : undefined;
  }

  send(frame: string): boolean {
    try {
      // A socket that is closing drops what it is given without a word.
      const sends = this.socket?.readyState === OPEN;
      if (sends) {
        this.socket!.send(frame);
        this.#saidAt = performance.now();
      }
      return sends;
    } catch {
      return false;
    }
  }

  welcomed(welcome: Welcomed): void {
    if (this.welcomedAt < Infinity) return;
    this.settled();
    this.owner?.welcomed(this, welcome);
  }

  leaving({ afterMs, withinMs }: { readonly afterMs: number; readonly withinMs: number }): void {
    const now = performance.now();
    this.#leavesAt = now + Math.min(afterMs, DAY_MS);
    this.#withinMs = Math.max(MIN_WINDOW_MS, Math.min(withinMs, DAY_MS));
    this.owner?.leaving(this, this.leavingWindow(now)!);
  }

  /**
   * The window that the peer announced, as delays from now. It keeps its width when it has begun, or is over: whoever
   * is still there then is lost at one moment, and must not come back at one.
   */
  leavingWindow(now: number): DelayWindow | undefined {
    const fromMs = Math.max(0, this.#leavesAt - now);
    // There is a width where there is a window.
    return this.#withinMs ? [fromMs, fromMs + this.#withinMs] : undefined;
  }

  /** Time left until the end of that window, ms; below 0 where it is over, or there is none. */
  leavingMs(now: number): number {
    return this.#leavesAt + this.#withinMs - now;
  }

  drop(code: number, reason: string): void {
    this.owner?.ended(this, causeOf(this, code, reason, 'above'));
  }

  /** Watches it from now on. @param hintMs - The server's hint of an interval, of which a peer may have made anything. */
  watch({ intervalMs, timeoutMs, probeMs }: HeartbeatSettings, hintMs: number): void {
    const hint = hintMs > 0 ? Math.min(Math.max(hintMs, MIN_INTERVAL_MS), MAX_INTERVAL_MS) : HEARTBEAT_HINT_MS;
    const ms = intervalMs ?? hint;
    this.#heartbeat = new Heartbeat(ms + timeoutMs, probeMs, Date.now());
    this.#silentMs = ms * SILENT_PART;
    this.#saidAt = performance.now();
    this.#look(this.#heartbeat);
  }

  /** A frame came. The timer stays: it looks at the time of the last frame when it fires. */
  heard(): void {
    this.woken = false;
    this.#heartbeat?.heard(Date.now());
  }

  /** Asks for a sign of life now, unless one is awaited already; an attempt has little time left for its welcome. */
  wake(): void {
    const heartbeat = this.#heartbeat;
    if (this.welcomedAt === Infinity) return this.hurry();
    if (!heartbeat) return;
    this.woken = true;
    // One that failed is about to end.
    if (!heartbeat.probing && !this.failed) this.#probe(heartbeat);
  }

  /**
   * One timer, which looks at the heartbeat.
   * @param isSure - Frames that came while the page slept are handled before it is judged: a macrotask has passed.
   */
  #look(heartbeat: Heartbeat, isSure = false): void {
    const ms = heartbeat.next(Date.now(), this.bufferedAmount);
    if (ms > 0) this.#wait(heartbeat, performance.now() + ms);
    else if (!isSure) this.alarm(0, () => this.#look(heartbeat, true));
    else if (ms === PROBE) this.#probe(heartbeat);
    else this.owner!.ended(this, causeOf(this, CloseCode.TIMED_OUT, 'no sign of life', 'probe'));
  }

  /** Until the next look, at this monotonic time, the peer hears something. */
  #wait(heartbeat: Heartbeat, atMs: number): void {
    const now = performance.now();
    const isSilent = now - this.#saidAt >= this.#silentMs;
    if (isSilent) this.#saidAt = now;
    const silentMs = this.#saidAt + this.#silentMs - now;
    if (silentMs < atMs - now) this.alarm(silentMs, () => this.#wait(heartbeat, atMs));
    else this.alarm(atMs - now, () => this.#look(heartbeat));
    // Last: it may be the end of this line.
    if (isSilent) this.owner!.tell((user) => user.silent(this));
  }

  #probe(heartbeat: Heartbeat): void {
    const owner = this.owner!;
    heartbeat.probed(Date.now(), owner.tell((user) => user.unanswered(this)) ?? 0, this.bufferedAmount);
    this.#look(heartbeat);
    // Last: it may be the end of this line.
    owner.tell((user) => user.probe(this));
  }
}

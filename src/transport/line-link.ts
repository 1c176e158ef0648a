import type { DelayWindow } from '../primitives/backoff.ts';
import { Line, type LineOwner, type Target } from './line.ts';
import type { Liveness } from './liveness.ts';
import { resolveSocketUrl } from './socket-url.ts';
import type { Link } from './transport.ts';
import type { WebSocketConstructor } from './web-socket-like.ts';
import { READY_STATE } from './web-socket-like.ts';

/** What a welcome tells the transport. */
export type Welcomed = Parameters<Link['welcomed']>[0];

/** Whoever has a {@link LineLink}. */
export interface LineLinkOwner extends LineOwner<LineLink> {
  welcomed(line: LineLink, welcome: Welcomed): void;
  dropped(line: LineLink, code: number, reason: string): void;
  /** The peer announced the window in which it wants to be left. */
  leaving(line: LineLink, window: DelayWindow): void;
}

/** Bounds of what a peer announces, ms. */
const MIN_WINDOW_MS = 100;
const DAY_MS = 86_400_000;

/** A line as the layer above sees it. */
export class LineLink extends Line implements Link {
  /** The layer above was told of it, so it has to be told of its loss. */
  announced = false;
  /** There from its welcome on, where the app wants a heartbeat. */
  liveness: Liveness | undefined;
  readonly #owner: LineLinkOwner;
  /** Monotonic time at which the window begins that the peer announced, and its width, ms. */
  #leaving: { readonly beginsAt: number; readonly withinMs: number } | undefined;

  constructor(owner: LineLinkOwner, limitMs: number, counts: boolean) {
    super(owner, limitMs, counts);
    this.#owner = owner;
  }

  get bufferedAmount(): number | undefined {
    const amount: unknown = this.socket?.bufferedAmount;
    return typeof amount === 'number' ? amount : undefined;
  }

  send(frame: string): boolean {
    const { socket } = this;
    // A socket that is closing drops what it is given without a word; one that was abandoned is detached.
    if (socket?.onmessage == null || socket.readyState !== READY_STATE.OPEN) return false;
    try {
      socket.send(frame);
      return true;
    } catch {
      return false;
    }
  }

  welcomed(welcome: Welcomed): void {
    this.#owner.welcomed(this, welcome);
  }

  leaving({ afterMs, withinMs }: { readonly afterMs: number; readonly withinMs: number }): void {
    const now = performance.now();
    this.#leaving = { beginsAt: now + Math.min(afterMs, DAY_MS), withinMs: Math.min(withinMs, DAY_MS) };
    this.#owner.leaving(this, this.leavingWindow(now)!);
  }

  /**
   * The window that the peer announced, as delays from now. It keeps its width when it has begun, or is over: whoever
   * is still there then is lost at one moment, and must not come back at one.
   */
  leavingWindow(now: number): DelayWindow | undefined {
    if (this.#leaving === undefined) return undefined;
    const fromMs = Math.max(0, this.#leaving.beginsAt - now);
    return { fromMs, toMs: fromMs + Math.max(MIN_WINDOW_MS, this.#leaving.withinMs) };
  }

  drop(code: number, reason: string): void {
    this.#owner.dropped(this, code, reason);
  }

  override dial(WebSocket: WebSocketConstructor, target: Target): void {
    super.dial(WebSocket, { ...target, url: resolveSocketUrl(target.url) });
  }

  override abandon(code?: number, reason?: string): void {
    this.liveness?.stop();
    super.abandon(code, reason);
  }
}

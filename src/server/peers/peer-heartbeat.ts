import type { Deadline, Deadlines } from '../../primitives/deadlines.ts';
import { DEAD, Heartbeat, PROBE } from '../../primitives/heartbeat.ts';
import type { ResolvedTimes } from '../app/server-options.ts';

/** The peer of a {@link PeerHeartbeat}. */
export interface WatchedPeer {
  /** Bytes on their way to the peer that a ping waits behind. */
  readonly ahead: number;
  /** What the last ping told it is no longer so. */
  readonly isOutdated: boolean;
  /** Grows by the looks between which bytes moved that prove it alive. */
  progress(): number;
  ping(): void;
  dead(): void;
}

/**
 * Watches one peer: pings when nothing was heard of it (it may be gone), or nothing was sent to it (it must not think
 * that we are), for the interval; gives it up when it answers nothing and no byte moves. One on a slow line has the time
 * that what is on its way to it takes.
 */
export class PeerHeartbeat {
  readonly #times: ResolvedTimes;
  readonly #deadlines: Deadlines;
  readonly #peer: WatchedPeer;
  readonly #heartbeat: Heartbeat;
  readonly #expired = (): void => this.#look();
  #sentAt: number;
  #deadline: Deadline | undefined;

  constructor(times: ResolvedTimes, deadlines: Deadlines, peer: WatchedPeer) {
    const now = performance.now();
    this.#times = times;
    this.#deadlines = deadlines;
    this.#peer = peer;
    this.#heartbeat = new Heartbeat(times.heartbeatMs, times.pongTimeoutMs, now);
    this.#sentAt = now;
    this.#lookAt(now + times.heartbeatMs);
  }

  heard(now: number): void {
    this.#heartbeat.heard(now);
  }

  sent(): void {
    this.#sentAt = performance.now();
  }

  close(): void {
    if (this.#deadline !== undefined) this.#deadlines.remove(this.#deadline);
    this.#deadline = undefined;
  }

  #lookAt(atMs: number): void {
    this.#deadline = this.#deadlines.add(atMs, this.#expired);
  }

  #look(): void {
    const { heartbeatMs, pongTimeoutMs } = this.#times;
    const peer = this.#peer;
    const now = performance.now();
    const bytes = peer.ahead;
    // The heartbeat looks for what falls.
    const still = -peer.progress();
    const step = this.#heartbeat.next(now, still, bytes);
    if (step === DEAD) return peer.dead();
    let waitMs = step === PROBE ? pongTimeoutMs : step;
    if (step === PROBE) this.#heartbeat.probed(now, bytes, still);
    if (step === PROBE || now - this.#sentAt >= heartbeatMs || peer.isOutdated) {
      this.#sentAt = now;
      peer.ping();
    }
    waitMs = Math.max(1, Math.min(waitMs, this.#sentAt + heartbeatMs - now));
    this.#lookAt(now + waitMs);
  }
}

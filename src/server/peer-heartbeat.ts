import type { Deadline, Deadlines } from '../primitives/deadlines.ts';
import { DEAD, Heartbeat, PROBE } from '../primitives/heartbeat.ts';

/** Options of a {@link PeerHeartbeat}. */
export interface PeerHeartbeatOptions {
  readonly heartbeatMs: number;
  readonly pongTimeoutMs: number;
  readonly deadlines: Deadlines;
  /** Bytes on their way to the peer: a ping waits behind them. */
  readonly buffered: () => number;
  readonly ping: () => void;
  readonly dead: () => void;
}

/**
 * Watches one peer: pings when nothing was heard of it (it may be gone), or nothing was sent to it (it must not think
 * that we are), for the interval; gives it up when it answers nothing. One on a slow line has the time that what is on
 * its way to it takes.
 */
export class PeerHeartbeat {
  readonly #options: PeerHeartbeatOptions;
  readonly #heartbeat: Heartbeat;
  #sentAt: number;
  #deadline: Deadline | undefined;

  constructor(options: PeerHeartbeatOptions) {
    const now = Date.now();
    this.#options = options;
    this.#heartbeat = new Heartbeat(options.heartbeatMs, options.pongTimeoutMs, now);
    this.#sentAt = now;
    this.#lookAt(now + options.heartbeatMs);
  }

  heard(): void {
    this.#heartbeat.heard(Date.now());
  }

  sent(): void {
    this.#sentAt = Date.now();
  }

  close(): void {
    if (this.#deadline !== undefined) this.#options.deadlines.remove(this.#deadline);
    this.#deadline = undefined;
  }

  #lookAt(atMs: number): void {
    this.#deadline = this.#options.deadlines.add(atMs, () => this.#look());
  }

  #look(): void {
    const { heartbeatMs, pongTimeoutMs, buffered, ping, dead } = this.#options;
    const now = Date.now();
    const bytes = buffered();
    const step = this.#heartbeat.next(now, bytes);
    if (step === DEAD) return dead();
    let waitMs = step === PROBE ? pongTimeoutMs : step;
    if (step === PROBE) this.#heartbeat.probed(now, bytes, bytes);
    if (step === PROBE || now - this.#sentAt >= heartbeatMs) {
      this.#sentAt = now;
      ping();
    }
    waitMs = Math.max(1, Math.min(waitMs, this.#sentAt + heartbeatMs - now));
    this.#lookAt(now + waitMs);
  }
}

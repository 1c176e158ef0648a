import type { AheadOfProbe, HeartbeatTimes } from '../primitives/heartbeat.ts';
import { Heartbeat } from '../primitives/heartbeat.ts';
import type { HeartbeatSettings } from './transport-options.ts';
import { HEARTBEAT_HINT_MS } from './transport-options.ts';

/** Bounds of a server's hint, ms. */
const MIN_INTERVAL_MS = 1_000;
const MAX_INTERVAL_MS = 3_600_000;

/** What a {@link Liveness} asks for. */
export interface LivenessEvents {
  /** Write something that the peer must answer. */
  probe(): void;
  /** What was written before and may not have got through yet. */
  ahead(): AheadOfProbe;
  /** The peer did not answer: give it up. */
  dead(): void;
}

/**
 * The watchdog of one connection: a single timer around a {@link Heartbeat}. Before it judges, frames that came while
 * the page slept are handled: it lets one macrotask pass and looks again.
 */
export class Liveness {
  readonly #heartbeat: Heartbeat;
  readonly #events: LivenessEvents;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #woken = false;

  constructor(times: HeartbeatTimes, events: LivenessEvents) {
    this.#events = events;
    this.#heartbeat = new Heartbeat(times, Date.now());
    this.#wait(times.quietMs);
  }

  /** A sign of life was asked for and has not come: if the link is lost now, the cause lies with this client. */
  get woken(): boolean {
    return this.#woken && this.#heartbeat.probing;
  }

  /** A frame came. The timer stays: it looks at the time of the last frame when it fires. */
  heard(): void {
    this.#woken = false;
    this.#heartbeat.heard(Date.now());
  }

  /** Asks for a sign of life now, unless one is awaited already. */
  probe(): void {
    this.#woken = true;
    if (!this.#heartbeat.probing) this.#probe();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #wait(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), ms);
  }

  #look(): void {
    const step = this.#heartbeat.next(Date.now(), this.#events.ahead());
    if (step.act === 'wait') this.#wait(step.ms);
    else this.#timer = setTimeout(() => this.#judge(), 0);
  }

  #judge(): void {
    const step = this.#heartbeat.next(Date.now(), this.#events.ahead());
    if (step.act === 'wait') this.#wait(step.ms);
    else if (step.act === 'probe') this.#probe();
    else this.#events.dead();
  }

  #probe(): void {
    this.#heartbeat.probed(Date.now(), this.#events.ahead());
    this.#look();
    // Last: the callback may stop this watchdog.
    this.#events.probe();
  }
}

/** Watches a connection, unless the app wants no heartbeat. */
export function watch(
  settings: HeartbeatSettings | false,
  hintMs: number,
  events: LivenessEvents,
): Liveness | undefined {
  return settings === false ? undefined : new Liveness(heartbeatTimes(settings, hintMs), events);
}

/** Times of a {@link Liveness}: the option, else the server's hint, of which a peer may have made anything. */
function heartbeatTimes(settings: HeartbeatSettings, hintMs: number): HeartbeatTimes {
  const { intervalMs = sensibleInterval(hintMs), timeoutMs, probeMs } = settings;
  return { quietMs: intervalMs + timeoutMs, probeMs };
}

function sensibleInterval(hintMs: number): number {
  if (!(hintMs > 0)) return HEARTBEAT_HINT_MS;
  return Math.min(Math.max(hintMs, MIN_INTERVAL_MS), MAX_INTERVAL_MS);
}

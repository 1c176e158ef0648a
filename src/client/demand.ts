import type { Deadline, Deadlines } from '../primitives/deadlines.ts';
import type { ConnectionStatus, Transport } from '../transport/transport.ts';

/** What a {@link Demand} watches and moves. */
export interface DemandParts {
  readonly transport: Transport;
  readonly deadlines: Deadlines;
  readonly now: () => number;
  /** Time without need after which the connection rests, ms. */
  readonly idleMs: number;
  /** Something is not settled, waits to be written, or is listened to. */
  readonly isNeeded: () => boolean;
}

/** Has a lazy connection made when something needs it, and laid to rest when nothing did for a while. */
export class Demand {
  readonly #parts: DemandParts;
  /** There while nothing needs a connection that there is, or that is tried for. */
  #rest: Deadline | undefined;
  /** No attempt has failed since it was last idle. */
  #fresh = true;

  constructor(parts: DemandParts) {
    this.#parts = parts;
  }

  /** It is idle, or on its way from there to its first socket: that is not offline. */
  get isOpening(): boolean {
    const { state } = this.#parts.transport.status;
    return state === 'idle' || (state === 'connecting' && this.#fresh);
  }

  /** The connection entered another state. */
  entered({ state }: ConnectionStatus): void {
    this.#fresh = state === 'idle' || (state === 'connecting' && this.#fresh);
    this.look();
  }

  /** Something may need the connection that did not before. */
  rose(): void {
    const { transport, isNeeded } = this.#parts;
    this.look();
    if (transport.status.state === 'idle' && isNeeded()) transport.connect();
  }

  /** Begins to wait for the rest, or ends that, as things are now. */
  look(): void {
    const { transport, deadlines, now, idleMs, isNeeded } = this.#parts;
    const { state } = transport.status;
    const isUp = state === 'connecting' || state === 'connected' || state === 'waiting';
    if (isUp && !isNeeded()) {
      this.#rest ??= deadlines.add(now() + idleMs, () => {
        this.#rest = undefined;
        transport.rest();
      });
    } else if (this.#rest !== undefined) {
      deadlines.remove(this.#rest);
      this.#rest = undefined;
    }
  }
}

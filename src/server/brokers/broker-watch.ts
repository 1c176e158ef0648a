import type { Observer } from '../app/observer.ts';
import type { Broker } from './broker.ts';

/** Knows since when the broker is away, and tells `observe` when it goes and comes. */
export class BrokerWatch {
  readonly #broker: Broker;
  readonly #observer: Observer | undefined;
  readonly #undo: (() => void) | undefined;
  #awaySince: number | undefined;

  constructor(broker: Broker, observer: Observer | undefined) {
    this.#broker = broker;
    this.#observer = observer;
    this.#undo = broker.connection?.onChange(() => this.#look());
    this.#look();
  }

  /** How long it has been away, ms; 0 where it is there. */
  get awayMs(): number {
    // At least 1: it is away from the first moment on.
    return this.#awaySince === undefined ? 0 : Math.max(1, Math.round(performance.now() - this.#awaySince));
  }

  close(): void {
    this.#undo?.();
  }

  #look(): void {
    const isAway = this.#broker.connection?.isUp === false;
    if (isAway === (this.#awaySince !== undefined)) return;
    const { awayMs } = this;
    this.#awaySince = isAway ? performance.now() : undefined;
    this.#observer?.tell({ type: 'broker', state: isAway ? 'away' : 'back', awayMs });
  }
}

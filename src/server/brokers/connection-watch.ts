import type { Observer } from '../app/observer.ts';
import type { BrokerConnection } from './broker.ts';

/** Knows since when what the server stands on is away, and tells `observe` when it goes and comes. */
export class ConnectionWatch {
  readonly #type: 'broker' | 'callStore';
  readonly #connection: BrokerConnection | undefined;
  readonly #observer: Observer | undefined;
  readonly #undo: (() => void) | undefined;
  #awaySince: number | undefined;

  /** Without a connection it is always there. */
  constructor(type: 'broker' | 'callStore', connection: BrokerConnection | undefined, observer: Observer | undefined) {
    this.#type = type;
    this.#connection = connection;
    this.#observer = observer;
    this.#undo = connection?.onChange(() => this.#look());
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
    const isAway = this.#connection?.isUp === false;
    if (isAway === (this.#awaySince !== undefined)) return;
    const { awayMs } = this;
    this.#awaySince = isAway ? performance.now() : undefined;
    this.#observer?.tell({ type: this.#type, state: isAway ? 'away' : 'back', awayMs });
  }
}

import type { Deadline } from '../../primitives/deadlines.ts';
import { capability, type Capability, type Kernel } from '../kernel/capability.ts';
import { checkPositive } from '../kernel/check-positive.ts';

/** Options of {@link lazily}. */
export interface LazyOptions {
  /** Time without use after which the connection becomes idle, ms; `Infinity` for never. @default 60_000 */
  readonly idleMs?: number | undefined;
}

/** Defaults of {@link LazyOptions}. */
export const LAZY_DEFAULTS: { readonly idleMs: number } = { idleMs: 60_000 };

/**
 * Has the connection made when something needs it, and laid to rest when nothing did for a while: see the option `lazy`.
 * @throws RangeError for a time that is no positive number
 */
export function lazily({ idleMs = LAZY_DEFAULTS.idleMs }: LazyOptions = {}): Capability<'lazily'> {
  checkPositive('idleMs', idleMs);
  return capability('lazily', (kernel) => {
    const demand = new Demand(kernel, idleMs);
    return {
      isOpening: () => demand.isOpening,
      entered: ({ state }) => demand.entered(state),
      rose: () => demand.rose(),
      eased: () => demand.look(),
    };
  });
}

class Demand {
  readonly #kernel: Kernel;
  readonly #idleMs: number;
  /** There while nothing needs a connection that there is, or that is tried for. */
  #rest: Deadline | undefined;
  /** No attempt has failed since it was last idle. */
  #fresh = true;

  constructor(kernel: Kernel, idleMs: number) {
    this.#kernel = kernel;
    this.#idleMs = idleMs;
  }

  /** It is idle, or on its way from there to its first socket: that is not offline. */
  get isOpening(): boolean {
    const { state } = this.#kernel.transportStatus;
    return state === 'idle' || (state === 'connecting' && this.#fresh);
  }

  /** The connection entered another state. */
  entered(state: string): void {
    this.#fresh = state === 'idle' || (state === 'connecting' && this.#fresh);
    this.look();
  }

  /** Something may need the connection that did not before. */
  rose(): void {
    this.look();
    if (this.#kernel.transportStatus.state === 'idle' && this.#kernel.isNeeded) this.#kernel.connect();
  }

  /** Begins to wait for the rest, or ends that, as things are now. */
  look(): void {
    const kernel = this.#kernel;
    const { state } = kernel.transportStatus;
    const isUp = state === 'connecting' || state === 'connected' || state === 'waiting';
    if (isUp && !kernel.isNeeded) {
      this.#rest ??= kernel.deadlines.add(kernel.now() + this.#idleMs, () => {
        this.#rest = undefined;
        kernel.rest();
      });
    } else if (this.#rest !== undefined) {
      kernel.deadlines.remove(this.#rest);
      this.#rest = undefined;
    }
  }
}

import type { Lifecycle, LifecycleSignal } from '../lifecycle.ts';
import { browserLifecycle } from './lifecycle-browser.ts';
import type { ConnectionStatus } from '../transport.ts';
import type { HostActions, HostWatch } from '../transport-parts.ts';

/** What a {@link LifecycleEngine} listens to. */
export interface LifecycleOptions {
  readonly lifecycle?: Lifecycle | false | undefined;
  readonly suspendAfterHiddenMs?: number | undefined;
  /** Gets what the host's functions throw. Never throws. */
  readonly onError: (error: unknown) => void;
}

/** The events of one return to the foreground, which come in several tasks, are one: ms. */
const BURST_MS = 50;

const SUSPENDED_FOR = 'hidden';

interface Listening {
  readonly lifecycle: Lifecycle;
  /** Missing until `listen` has returned, and when it threw. */
  leave: (() => void) | undefined;
}

/**
 * Listens to the host while a connection lives, and turns what it hears into few actions. Visibility is read when it
 * matters. Its timers run only in the states `connecting`, `connected` and `waiting`.
 */
export class LifecycleEngine implements HostWatch {
  readonly #options: LifecycleOptions;
  readonly #actions: HostActions;
  #state: ConnectionStatus['state'] = 'idle';
  #listening: Listening | undefined;
  #burst: ReturnType<typeof setTimeout> | undefined;
  #hiding: ReturnType<typeof setTimeout> | undefined;

  constructor(options: LifecycleOptions, actions: HostActions) {
    this.#options = options;
    this.#actions = actions;
  }

  /** The connection entered a state, and it is in force. May act before it returns. */
  entered(state: ConnectionStatus['state']): void {
    this.#state = state;
    if (state === 'idle' || state === 'closed') this.#end();
    else if (this.#listening === undefined) this.#listen();
    // Listening may have changed the state.
    if (this.#active) this.#watchHidden();
    else this.#clear();
  }

  get #active(): boolean {
    return this.#state === 'connecting' || this.#state === 'connected' || this.#state === 'waiting';
  }

  #listen(): void {
    const { lifecycle = browserLifecycle(), onError } = this.#options;
    if (lifecycle === false || lifecycle === undefined) return;
    const listening: Listening = { lifecycle, leave: undefined };
    this.#listening = listening;
    try {
      listening.leave = lifecycle.listen((signal) => this.#told(signal));
    } catch (error) {
      onError(error);
    }
    // A signal in the midst of it may have led to the end.
    if (this.#listening !== listening) this.#stop(listening);
  }

  #stop({ leave }: Listening): void {
    try {
      leave?.();
    } catch (error) {
      this.#options.onError(error);
    }
  }

  #end(): void {
    const listening = this.#listening;
    this.#listening = undefined;
    if (listening !== undefined) this.#stop(listening);
  }

  #clear(): void {
    clearTimeout(this.#burst);
    clearTimeout(this.#hiding);
    this.#burst = undefined;
    this.#hiding = undefined;
  }

  #told(signal: LifecycleSignal): void {
    switch (signal) {
      case 'wake':
        this.#wake();
        break;
      case 'restored':
        this.#actions.restored();
        break;
      case 'hidden':
        this.#watchHidden();
        break;
      case 'frozen':
        // No timer will fire, so the time can't be waited for.
        if (this.#options.suspendAfterHiddenMs !== undefined && this.#active)
          this.#actions.suspend(SUSPENDED_FOR, 'host');
        break;
      default: // a host of a later version
        signal satisfies never;
    }
  }

  #wake(): void {
    const hidden = this.#hidden();
    if (!hidden) {
      clearTimeout(this.#hiding);
      this.#hiding = undefined;
    }
    if (this.#state === 'connected') {
      this.#burst ??= setTimeout(() => {
        this.#burst = undefined;
        this.#actions.wake('host');
      }, BURST_MS);
    } else if (this.#state !== 'suspended' || !hidden) {
      // A hidden page that was suspended sleeps on, whatever its network does.
      this.#actions.wake('host');
    }
  }

  #watchHidden(): void {
    const { suspendAfterHiddenMs } = this.#options;
    if (suspendAfterHiddenMs === undefined || this.#hiding !== undefined || !this.#active || !this.#hidden()) return;
    this.#hiding = setTimeout(() => {
      this.#hiding = undefined;
      if (this.#hidden()) this.#actions.suspend(SUSPENDED_FOR, 'host');
    }, suspendAfterHiddenMs);
  }

  #hidden(): boolean {
    try {
      return this.#listening?.lifecycle.hidden() === true;
    } catch (error) {
      this.#options.onError(error);
      return false;
    }
  }
}

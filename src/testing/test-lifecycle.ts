import type { Lifecycle, LifecycleSignal } from '../transport/lifecycle.ts';
import { browserLifecycle } from '../transport/lifecycle/lifecycle-browser.ts';
import type { MockLines } from './mock/mock-lines.ts';

/** The page, or app, that a client runs in, as a test drives it. Hand it to `connect` as its `lifecycle`. */
export interface TestLifecycle extends Lifecycle {
  /** Nobody sees it any more. */
  hide(): void;
  /** It is seen again. */
  show(): void;
  /** Its timers are about to stop, as those of a page in the back/forward cache do. */
  freeze(): void;
  /** It comes out of that: no socket survives it. */
  restore(): void;
  /** The network is gone: lines go dead and nobody is told, new sockets fail, and the host says so. */
  offline(): void;
  /** The network is there again, and what was under way goes on. */
  online(): void;
  /** Something changed, say the network: look whether the line still stands. */
  wake(): void;
}

/** Drives a client, and the network below its lines. Where there is a page, its own events count as well. */
export function testLifecycle(lines: MockLines): TestLifecycle {
  const page = browserLifecycle();
  const listeners = new Set<(signal: LifecycleSignal) => void>();
  const tell = (signal: LifecycleSignal): void => [...listeners].forEach((listener) => listener(signal));
  let hidden = false;
  return {
    hidden: () => hidden || page?.hidden() === true,
    listen(told) {
      const listener = (signal: LifecycleSignal): void => told(signal);
      listeners.add(listener);
      const leave = page?.listen(told);
      return () => {
        listeners.delete(listener);
        leave?.();
      };
    },
    hide() {
      hidden = true;
      tell('hidden');
    },
    show() {
      hidden = false;
      tell('wake');
    },
    freeze() {
      hidden = true;
      tell('frozen');
    },
    restore() {
      hidden = false;
      tell('restored');
    },
    offline() {
      lines.refuse(true);
      lines.freeze();
      tell('wake');
    },
    online() {
      lines.refuse(false);
      lines.thaw();
      tell('wake');
    },
    wake: () => tell('wake'),
  };
}

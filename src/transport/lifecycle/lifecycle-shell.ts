import type { Lifecycle } from '../lifecycle.ts';
import { hostLifecycle } from './lifecycle-host.ts';

/** What a native shell says to the page in its webview, and what it means to a connection. */
export interface ShellBridge {
  /** The app is on the screen again. */
  wake(): void;
  /** The app leaves the screen: its timers may stop at any moment. */
  sleep(): void;
  /** There is a network, or another one. */
  online(): void;
  /** The network is gone. */
  offline(): void;
}

/** Begins each message of a shell: `tautline:wake`. */
const PREFIX = 'tautline:';

/**
 * A lifecycle that a native shell drives: `connect(url, { lifecycle: shellLifecycle() })`. The shell calls
 * `tautlineShell.wake()`, `sleep()`, `online()` or `offline()` in the page, or posts the text `tautline:wake` to its window,
 * whichever its webview can. The page's own events count as well. Texts of other windows are not heard.
 * @param name - What the page calls the functions. @default 'tautlineShell'
 */
export function shellLifecycle(name = 'tautlineShell'): Lifecycle {
  const host = hostLifecycle();
  let sleeps = false;
  const changed = (): void => {
    // What happens to the network of an app that sleeps is looked at when it wakes.
    if (!sleeps) host.tell('wake');
  };
  const bridge: ShellBridge = {
    wake() {
      sleeps = false;
      host.tell('wake');
    },
    sleep() {
      sleeps = true;
      host.tell('hidden');
    },
    online: changed,
    offline: changed,
  };
  const page = globalThis as unknown as Partial<Window> & Record<string, unknown>;
  page[name] = bridge;
  const heard = ({ data, source }: MessageEvent): void => {
    // A native shell has no window of its own; what a frame says is not its word.
    if (typeof data !== 'string' || !data.startsWith(PREFIX) || (source !== null && source !== page)) return;
    const word = data.slice(PREFIX.length);
    if (Object.hasOwn(bridge, word)) bridge[word as keyof ShellBridge]();
  };
  return {
    hidden: () => host.hidden(),
    listen(tell) {
      const undo = host.listen(tell);
      page.addEventListener?.('message', heard);
      return () => {
        undo();
        page.removeEventListener?.('message', heard);
      };
    },
  };
}

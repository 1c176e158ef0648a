import { vi } from 'vitest';

type Visibility = 'visible' | 'hidden';
type Listener = (event: { readonly persisted?: boolean }) => void;

/** An EventTarget whose listeners can be counted. */
class CountedTarget {
  readonly #listeners = new Map<string, Set<Listener>>();

  /** How many listen, to anything. */
  get count(): number {
    return [...this.#listeners.values()].reduce((sum, { size }) => sum + size, 0);
  }

  readonly addEventListener = (type: string, listener: Listener): void => {
    this.#listeners.set(type, (this.#listeners.get(type) ?? new Set<Listener>()).add(listener));
  };

  readonly removeEventListener = (type: string, listener: Listener): void => {
    this.#listeners.get(type)?.delete(listener);
  };

  fire(type: string, event: { readonly persisted?: boolean } = {}): void {
    for (const listener of [...(this.#listeners.get(type) ?? [])]) listener(event);
  }
}

/** What a browser page is to the lifecycle. Its globals stay until `vi.unstubAllGlobals()`. */
export interface FakePage {
  readonly window: CountedTarget;
  readonly document: CountedTarget & { visibilityState: Visibility };
  /** `navigator.connection` */
  readonly connection: CountedTarget & { type: string };
  /** Listeners on all of them. */
  readonly listeners: number;
  /** Changes the visibility and fires its event. */
  see(visibilityState: Visibility): void;
}

/** A visible page, on Wi-Fi. */
export function fakePage(): FakePage {
  const document: FakePage['document'] = Object.assign(new CountedTarget(), { visibilityState: 'visible' as const });
  const page = {
    window: new CountedTarget(),
    document,
    connection: Object.assign(new CountedTarget(), { type: 'wifi' }),
    see(visibilityState: Visibility) {
      document.visibilityState = visibilityState;
      document.fire('visibilitychange');
    },
  };
  vi.stubGlobal('addEventListener', page.window.addEventListener);
  vi.stubGlobal('removeEventListener', page.window.removeEventListener);
  vi.stubGlobal('document', page.document);
  vi.stubGlobal('navigator', { connection: page.connection });
  return Object.defineProperty(page as typeof page & { readonly listeners: number }, 'listeners', {
    get: () => page.window.count + page.document.count + page.connection.count,
  });
}

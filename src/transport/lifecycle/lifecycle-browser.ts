import type { Lifecycle, LifecycleSignal } from '../lifecycle.ts';

/** What is used of `window`, `document` and `navigator.connection`. */
interface Target {
  addEventListener(type: string, listener: (event: { readonly persisted?: boolean }) => void): void;
  removeEventListener(type: string, listener: (event: { readonly persisted?: boolean }) => void): void;
}

interface Page extends Target {
  readonly document?: Target & { readonly visibilityState?: string };
  readonly navigator?: { readonly connection?: Partial<Network> };
}

/** Missing in Safari and Firefox; `type` is missing on desktops. */
interface Network extends Target {
  readonly type?: string;
  readonly effectiveType?: string;
}

type Source = readonly [Target, type: string, signal: (persisted: boolean) => LifecycleSignal | undefined];

/**
 * The page's own lifecycle; `undefined` where there is no `document`. Several events tell the same thing, because each
 * of them is missing somewhere: Chromium resumes frozen pages without `visibilitychange`, Safari knows no `resume`, and
 * a page that comes out of the back/forward cache is told by `pageshow` alone.
 */
export function browserLifecycle(): Lifecycle | undefined {
  const page = globalThis as unknown as Page;
  if (page.document === undefined) return undefined;
  const hidden = () => page.document?.visibilityState === 'hidden';
  return {
    hidden,
    listen(tell) {
      const undo = sources(page, hidden).map(([target, type, signal]) => {
        const listener = ({ persisted }: { readonly persisted?: boolean }) => {
          const told = signal(persisted === true);
          if (told !== undefined) tell(told);
        };
        target.addEventListener(type, listener);
        return () => target.removeEventListener(type, listener);
      });
      return () => undo.forEach((remove) => remove());
    },
  };
}

function sources(page: Page, hidden: () => boolean): readonly Source[] {
  const wake = () => 'wake' as const;
  const list: Source[] = [
    [page, 'pageshow', (persisted) => (persisted ? 'restored' : undefined)],
    // Not persisted, the page is gone for good.
    [page, 'pagehide', (persisted) => (persisted ? 'frozen' : undefined)],
    [page, 'focus', wake],
    [page, 'online', wake],
    [page, 'offline', wake],
  ];
  const { document, navigator } = page;
  if (document !== undefined) {
    list.push(
      [document, 'visibilitychange', () => (hidden() ? 'hidden' : 'wake')],
      [document, 'freeze', () => 'frozen'],
      [document, 'resume', wake],
    );
  }
  const network = navigator?.connection;
  if (typeof network?.addEventListener === 'function') {
    let before = kindOf(network);
    list.push([
      network as Network,
      'change',
      () => {
        const last = before;
        before = kindOf(network);
        return before === last ? undefined : 'wake';
      },
    ]);
  }
  return list;
}

/** Chromium tells a change with every new estimate of bandwidth and delay, too: those say nothing about a socket. */
function kindOf({ type, effectiveType }: Partial<Network>): string {
  return `${String(type)} ${String(effectiveType)}`;
}

import type { Lifecycle } from '../../transport/lifecycle.ts';
import { LifecycleEngine } from '../../transport/lifecycle/lifecycle-engine.ts';
import { capability, type Capability } from '../kernel/capability.ts';

/** Options of {@link pageLifecycle}. */
export interface PageLifecycleOptions {
  /** Where signals of the host come from. @default the page's, where there is a `document` */
  readonly lifecycle?: Lifecycle | false | undefined;
  /**
   * Time after which a connection of a hidden app drops its socket and all timers until somebody looks again, ms.
   * Saves the battery of a phone; 0 for at once. @default never
   */
  readonly suspendAfterHiddenMs?: number | undefined;
}

/** Listens to the page, or another host: a live socket is probed when the page is seen again, a wait ends early. */
export function pageLifecycle({
  lifecycle,
  suspendAfterHiddenMs,
}: PageLifecycleOptions = {}): Capability<'pageLifecycle'> {
  return capability('pageLifecycle', ({ report }) => ({
    transport: {
      watchHost: (_options, actions) =>
        new LifecycleEngine({ lifecycle, suspendAfterHiddenMs, onError: report }, actions),
    },
  }));
}

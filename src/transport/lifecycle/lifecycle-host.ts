import type { Lifecycle, LifecycleSignal } from '../lifecycle.ts';
import { browserLifecycle } from './lifecycle-browser.ts';

/** A {@link Lifecycle} that other code drives. */
export interface HostLifecycle extends Lifecycle {
  /** Passes a signal on: `hidden` and `frozen` when the app leaves the screen, `wake` or `restored` when it is back. */
  tell(signal: LifecycleSignal): void;
}

/**
 * A lifecycle for a native shell around a webview, whose page learns too little by itself (Android's WebView never
 * fires `online`). The shell calls `tell`; where there is a page, its own events count as well. One can serve several
 * connections.
 */
export function hostLifecycle(): HostLifecycle {
  const page = browserLifecycle();
  const listeners = new Set<(signal: LifecycleSignal) => void>();
  let away = false;
  return {
    tell(signal) {
      away = signal === 'hidden' || signal === 'frozen';
      for (const listener of [...listeners]) listener(signal);
    },
    listen(tell) {
      // A function of its own: the same `tell` may listen twice.
      const listener = (signal: LifecycleSignal) => tell(signal);
      listeners.add(listener);
      const leave = page?.listen(tell);
      return () => {
        listeners.delete(listener);
        leave?.();
      };
    },
    hidden: () => away || page?.hidden() === true,
  };
}

/** What React Native gives for a listener. */
export interface NativeSubscription {
  /** Ends the listening. */
  remove(): void;
}

/** What is used of React Native's `AppState`. */
export interface AppStateLike {
  readonly currentState: string | null;
  /** Tells each change; `remove` ends that. */
  addEventListener(type: 'change', listener: (state: string) => void): NativeSubscription;
}

/** What is used of a state of `@react-native-community/netinfo`. */
export interface NetInfoStateLike {
  readonly type: string;
  readonly isConnected: boolean | null;
  readonly isInternetReachable?: boolean | null | undefined;
}

/** What is used of `@react-native-community/netinfo`. */
export interface NetInfoLike {
  /** Tells the state of the moment, then each change, until the function that it returns is called. */
  addEventListener(listener: (state: NetInfoStateLike) => void): () => void;
}

/**
 * A lifecycle for React Native: `reactNativeLifecycle({ AppState, NetInfo })`. `background` hides the app; `inactive`
 * does not, because iOS passes through it for every system dialog. A network that merely changed its signal strength
 * wakes nothing.
 */
export function reactNativeLifecycle(native: {
  readonly AppState: AppStateLike;
  readonly NetInfo?: NetInfoLike | undefined;
}): Lifecycle {
  const { AppState, NetInfo } = native;
  return {
    hidden: () => AppState.currentState === 'background',
    listen(tell) {
      const subscription = AppState.addEventListener('change', (state) => {
        if (state === 'active') tell('wake');
        else if (state === 'background') tell('hidden');
      });
      let network: string | undefined;
      const leave = NetInfo?.addEventListener(({ type, isConnected, isInternetReachable }) => {
        const before = network;
        network = [type, isConnected, isInternetReachable].join();
        // The first call tells the state at the time of listening.
        if (before !== undefined && before !== network) tell('wake');
      });
      return () => {
        subscription.remove();
        leave?.();
      };
    },
  };
}

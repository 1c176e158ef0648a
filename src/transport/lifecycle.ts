/**
 * What a host can tell. `wake`: something changed (visible, focus, online, offline, another network), so look whether
 * the line still stands. `restored`: back from a freeze that no socket survives. `hidden`: nobody sees the app now.
 * `frozen`: timers are about to stop.
 */
export type LifecycleSignal = 'wake' | 'restored' | 'hidden' | 'frozen';

/**
 * What a connection asks of its host: a page, a native app, a shell around a webview. No signal decides anything by
 * itself: a live socket is probed, a wait ends early.
 */
export interface Lifecycle {
  /**
   * Tells signals from now on until the function that it returns is called. Called when a connection starts, ended
   * when it is closed.
   */
  listen(tell: (signal: LifecycleSignal) => void): () => void;
  /** Nobody sees the app now. Read whenever it matters, never remembered. */
  hidden(): boolean;
}

import type { Connection } from '../client/kernel/connection.ts';

/** `onlineManager` of TanStack Query. */
export interface OnlineManagerLike {
  /** Says whether the app is online. */
  setOnline(online: boolean): void;
}

/**
 * TanStack Query shows an app as offline while its connection is not up: waiting, suspended or closed. Other queries of
 * the app, with the `networkMode` of TanStack Query, are held back meanwhile. Gives its undo.
 */
export function bridgeOnline(onlineManager: OnlineManagerLike, connection: Connection): () => void {
  const stop = connection.state.subscribe(({ state }) =>
    onlineManager.setOnline(state !== 'waiting' && state !== 'suspended' && state !== 'closed'),
  );
  return () => {
    stop();
    onlineManager.setOnline(true);
  };
}

import { useCallback, useSyncExternalStore } from 'react';
import type { Kernel } from '../client/kernel/capability.ts';
import type { Connection } from '../client/kernel/connection.ts';

/** A function or a handle of a client: it knows whose connection it calls on. */
export interface OfClient {
  /** The connection of its client. */
  readonly connection: Connection;
}

/** A number that is another one when another user has come: what is there of an earlier one shows no more. */
export function useIdentity({ connection }: OfClient): number {
  const listen = useCallback((listener: () => void) => connection.on('identity', listener), [connection]);
  const get = (): number => identityOf({ connection });
  return useSyncExternalStore(listen, get, get);
}

/** The number now. */
export function identityOf({ connection }: OfClient): number {
  return (connection as Connection & Pick<Kernel, 'identities'>).identities;
}

import { createContext, createElement, useContext, type ReactNode } from 'react';
import type { Client } from '../client/client-types.ts';
import type { Contract, ContractTree } from '../contract/contract.ts';

/** What {@link createClientContext} gives. */
export interface ClientContext<Tree extends ContractTree> {
  /** Gives its children a client; the next one above counts. */
  readonly Provider: (props: { readonly client: Client<Tree>; readonly children?: ReactNode }) => ReactNode;
  /**
   * The client of the next `Provider` above.
   * @throws Error where there is none
   */
  readonly useClient: () => Client<Tree>;
}

type TreeOf<Given> = Given extends Contract<infer Tree> ? Tree : never;

/**
 * A context for clients of one contract, `createClientContext<typeof contract>()`: for tests, for pages with several users,
 * and for one client a request on a server. An app with one client needs none.
 */
export function createClientContext<Given extends Contract>(): ClientContext<TreeOf<Given>> {
  const context = createContext<Client<TreeOf<Given>> | undefined>(undefined);
  return {
    Provider: ({ client, children }) => createElement(context.Provider, { value: client }, children),
    useClient: () => {
      const client = useContext(context);
      if (client === undefined) throw new Error('useClient() needs a <Provider client={client}> above it.');
      return client;
    },
  };
}

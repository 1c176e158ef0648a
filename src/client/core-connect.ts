import type { Contract, ContractTree } from '../contract/contract.ts';
import type { Procedure } from '../contract/procedure.ts';
import type { Topic } from '../contract/topic.ts';
import type { UrlOption } from '../transport/transport-options.ts';
import { calls } from './calls/call-function.ts';
import type { Client } from './client-types.ts';
import { createClient as create } from './create-client.ts';
import type { Capability } from './kernel/capability.ts';
import { ClientConnection } from './kernel/client-connection.ts';
import type { KernelOptions } from './kernel/connect-options.ts';
import type { Connection } from './kernel/connection.ts';

declare const used: unique symbol;

/** A {@link Connection} whose type knows the names of the capabilities that it was given. */
export interface CoreConnection<Used extends string = string> extends Connection {
  /** Exists in the type alone. */
  readonly [used]?: Used;
}

/** Options of {@link connect} of `tautline/core`. */
export interface CoreConnectOptions<Used extends string = string> extends KernelOptions {
  /** What the connection can do besides queries and mutations: `[topics(), pageLifecycle()]`. @default none */
  readonly use?: ReadonlyArray<Capability<Used>> | undefined;
}

/** Names of the capabilities that a contract cannot do without. */
export type Demanded<Tree> = {
  [Name in keyof Tree]: Tree[Name] extends Procedure
    ? Tree[Name]['kind'] extends 'stream'
      ? 'streams'
      : never
    : Tree[Name] extends Topic
      ? 'topics' | (Tree[Name] extends { readonly info: unknown } ? 'presences' : never)
      : Demanded<Tree[Name]>;
}[keyof Tree];

/** What a connection has to be besides one: anything, where it has all that is demanded; else the remedy. */
export type Lacking<Missing extends string> = [Missing] extends [never] ? unknown : `give connect use: [${Missing}()]`;

/**
 * As `connect` of `tautline`, with nothing in it but what is given: queries and mutations, and what is in `use`.
 * @throws TypeError or RangeError for options that make no sense, naming the option and the value
 */
export function connect<Used extends string = never>(
  url: UrlOption,
  { use = [], ...options }: CoreConnectOptions<Used> = {},
): CoreConnection<Used> {
  return new ClientConnection(url, options, [...use, calls()]);
}

/**
 * As `createClient` of `tautline`. A contract with a stream, a topic or a presence, on a connection that was not given
 * `streams()`, `topics()` or `presences()`, is an error of its types, too.
 * @throws TypeError when the connection was not made by `connect`, when it speaks another codec already, and when it has
 * no capability for something that the contract declares.
 */
export function createClient<Tree extends ContractTree, Used extends string>(
  contract: Contract<Tree>,
  connection: CoreConnection<Used> & Lacking<Exclude<Demanded<Tree>, Used>>,
): Client<Tree> {
  return create(contract, connection);
}

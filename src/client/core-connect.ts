import type { UrlOption } from '../transport/transport-options.ts';
import { calls } from './calls/call-function.ts';
import type { Capability } from './kernel/capability.ts';
import { ClientConnection } from './kernel/client-connection.ts';
import type { KernelOptions } from './kernel/connect-options.ts';
import type { Connection } from './kernel/connection.ts';

/** Options of {@link connect} of `tautline/core`. */
export interface CoreConnectOptions extends KernelOptions {
  /** What the connection can do besides queries and mutations: `[topics(), pageLifecycle()]`. @default none */
  readonly use?: readonly Capability[] | undefined;
}

/**
 * As `connect` of `tautline`, with nothing in it but what is given: queries and mutations, and what is in `use`.
 * @throws TypeError or RangeError for options that make no sense, naming the option and the value
 */
export function connect(url: UrlOption, { use = [], ...options }: CoreConnectOptions = {}): Connection {
  return new ClientConnection(url, options, [...use, calls()]);
}

import type { UrlOption } from '../transport/transport-options.ts';
import { ClientConnection } from './client-connection.ts';
import type { ConnectOptions } from './connect-options.ts';
import type { Connection } from './connection.ts';

/**
 * Connects to a Tautline server, and stays connected until {@link Connection.close}, or, with `lazy`, while it is needed. Returns at once: what is asked
 * meanwhile waits.
 * @throws TypeError or RangeError for options that make no sense, naming the option and the value
 */
export function connect(url: UrlOption, options: ConnectOptions = {}): Connection {
  return new ClientConnection(url, options);
}

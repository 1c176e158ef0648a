import type { Connection } from '../client/kernel/connection.ts';
import type { ConnectionStatus } from '../transport/transport.ts';
import { useSelected } from './use-selected.ts';

/** The status on a server, and while its page is hydrated. */
const IDLE: ConnectionStatus = { state: 'idle' };
const all = (status: ConnectionStatus): never => status as never;

/** The status of a connection, or what `select` makes of it: renders when that changes (`Object.is`). */
export function useConnection<Selected = ConnectionStatus>(
  connection: Pick<Connection, 'state'>,
  select: (status: ConnectionStatus) => Selected = all,
): Selected {
  const { listen, get } = connection.state;
  return useSelected(listen, get, IDLE, select, Object.is);
}

import { json } from '../codec/json.ts';
import type { Contract, ContractTopic, ContractTree } from '../contract/contract.ts';
import type { Procedure } from '../contract/procedure.ts';
import { DEVELOPMENT } from '../development.ts';
import type { Client } from './client-types.ts';
import type { Offer } from './kernel/capability.ts';
import { ClientConnection } from './kernel/client-connection.ts';
import type { Connection } from './kernel/connection.ts';

/**
 * The typed client of a contract on a connection; several contracts can share one. Built at once from the contract,
 * plain objects and functions.
 * @throws TypeError when the connection was not made by `connect` of the same copy of the package, when it speaks another codec already, and when it has
 * no capability for something that the contract declares.
 */
export function createClient<Tree extends ContractTree>(
  contract: Contract<Tree>,
  connection: Connection,
): Client<Tree> {
  if (!(connection instanceof ClientConnection)) {
    throw new TypeError(
      DEVELOPMENT
        ? 'createClient needs a connection made by connect(url, options) of the same copy of the package.'
        : 'connection',
    );
  }
  const codec = contract.codec ?? json;
  connection.speak(codec.name);
  const client: Record<string, unknown> = {};
  for (const [path, node] of [...contract.procedures, ...contract.topics]) {
    const { kind = 'topic', definition } = node as Partial<Procedure & ContractTopic>;
    const make = connection.offer(definition?.offer ?? kind, path) as Offer<unknown>;
    const names = path.split('.');
    const last = names.pop()!;
    const group = names.reduce((above, name) => (above[name] ??= {}) as typeof client, client);
    group[last] = Object.assign(make(node, path, codec) as () => unknown, { path, kind, connection });
  }
  return client as Client<Tree>;
}

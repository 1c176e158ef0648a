import { json } from '../codec/json.ts';
import type { Contract, ContractTree } from '../contract/contract.ts';
import { DEVELOPMENT } from '../development.ts';
import type { Client } from './client-types.ts';
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
  const put = (path: string, kind: 'query' | 'mutation' | 'stream' | 'topic', node: unknown): void => {
    const offer = connection.offer(kind, path);
    const names = path.split('.');
    const last = names.pop() ?? '';
    let group = client;
    for (const name of names) group = (group[name] ??= {}) as Record<string, unknown>;
    group[last] = offer(node as never, path, codec);
  };
  for (const [path, procedure] of contract.procedures) put(path, procedure.kind, procedure);
  for (const [path, topic] of contract.topics) put(path, 'topic', topic);
  return client as Client<Tree>;
}

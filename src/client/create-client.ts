import { json } from '../codec/json.ts';
import type { Contract, ContractTree } from '../contract/contract.ts';
import { callFunction } from './call-function.ts';
import { ClientConnection } from './client-connection.ts';
import type { Client } from './client-types.ts';
import type { Connection } from './connection.ts';
import { streamFunction } from './stream-function.ts';
import { topicHandle } from './topic-handle.ts';

/**
 * The typed client of a contract on a connection; several contracts can share one. Built at once from the contract,
 * plain objects and functions.
 * @throws TypeError when the connection was not made by `connect`, or when it speaks another codec already.
 */
export function createClient<Tree extends ContractTree>(
  contract: Contract<Tree>,
  connection: Connection,
): Client<Tree> {
  if (!(connection instanceof ClientConnection)) {
    throw new TypeError('createClient needs a connection made by connect(url, options).');
  }
  const codec = contract.codec ?? json;
  connection.speak(codec.name);
  const client: Record<string, unknown> = {};
  for (const [path, procedure] of contract.procedures) {
    const functionOf = procedure.kind === 'stream' ? streamFunction : callFunction;
    put(client, path, functionOf(connection, path, procedure, codec));
  }
  for (const [path, topic] of contract.topics) {
    put(client, path, (params: Readonly<Record<string, string>> = {}) => topicHandle(connection, topic, codec, params));
  }
  return client as Client<Tree>;
}

function put(tree: Record<string, unknown>, path: string, value: unknown): void {
  const names = path.split('.');
  const last = names.pop() ?? '';
  let group = tree;
  for (const name of names) group = (group[name] ??= {}) as Record<string, unknown>;
  group[last] = value;
}

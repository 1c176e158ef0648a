import { Balancer } from '../../../examples/scale/balancer.ts';
import { findHaProxy } from '../../support/find-haproxy.ts';
import { HaProxy } from './haproxy.ts';
import type { NodeProcess } from './start.ts';

/** What clients connect to: each of their sockets goes to one of the nodes. */
export interface FrontDoor {
  readonly name: string;
  readonly port: number;
  /** Socket file that a node listens on; none where any port will do. */
  path(node: string): string | undefined;
  /** A node has started. Resolves when it gets sockets. */
  join(node: NodeProcess): Promise<void>;
  /** A node leaves, and gets no more. */
  leave(node: NodeProcess): Promise<void>;
  close(): Promise<void>;
}

/** HAProxy where it is installed, else the balancer of the examples. */
export async function openFrontDoor(nodes: readonly string[]): Promise<FrontDoor> {
  const program = findHaProxy();
  return program === undefined ? exampleBalancer() : HaProxy.start(program, nodes);
}

async function exampleBalancer(): Promise<FrontDoor> {
  const balancer = new Balancer();
  const port = await balancer.listen();
  return {
    name: 'the balancer of examples/scale',
    port,
    path: () => undefined,
    join: async (node) => void balancer.ports.add(await node.ask('port')),
    leave: async (node) => void balancer.ports.delete(await node.ask('port')),
    close: async () => balancer.close(),
  };
}

import { Child } from '../child-process.ts';
import type { NodeOperations, NodeTask } from './node.ts';
import type { SocketOperations } from './sockets.ts';

/** A server in a process of its own. */
export type NodeProcess = Child<NodeOperations>;

/** Resolves when it listens. */
export function startNode(argument: NodeTask, execArgv: readonly string[] = []): Promise<NodeProcess> {
  return Child.start<NodeOperations>({
    name: 'a node',
    module: new URL('node.ts', import.meta.url),
    argument,
    execArgv,
  });
}

/** A process of light sockets. */
export function startSockets(): Promise<Child<SocketOperations>> {
  return Child.start<SocketOperations>({
    name: 'sockets',
    module: new URL('sockets.ts', import.meta.url),
    argument: {},
  });
}

import { connect } from '../client/connect.ts';
import type { ConnectOptions } from '../client/connect-options.ts';
import type { Connection } from '../client/kernel/connection.ts';
import { createClient } from '../client/create-client.ts';
import type { Client } from '../client/client-types.ts';
import type { Contract, ContractTree } from '../contract/contract.ts';
import { createServer, type Server, type ServerOptions } from '../server/create-server.ts';
import { memoryWebSocket, type MemoryPeer } from '../transport/memory-transport.ts';

/** Options of {@link connectedPair}, besides the handlers. */
export interface ConnectedPairOptions<Tree extends ContractTree, Context> {
  /** Options of the client's side. */
  readonly connect?: Omit<ConnectOptions, 'WebSocket'>;
  /** Options of the server's side. */
  readonly server?: Omit<ServerOptions<Tree, Context>, 'handlers'>;
}

/** A client and a server in one process, over sockets in memory, with the faults that lines have. */
export interface ConnectedPair<Tree extends ContractTree> {
  readonly client: Client<Tree>;
  readonly connection: Connection;
  readonly server: Server<Tree>;
  /** Breaks the line: what is under way is lost. The client comes back by its policy, or at once with `connection.wake()`. */
  cut(): void;
  /** Holds everything back, both ways, like a dead link; on sockets to come, too. */
  freeze(): void;
  /** Delivers what was held back. */
  thaw(): void;
  /** Closes both sides. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Connects a client of a contract to a server with these handlers: the real engine and the real transport, without a
 * network, so that tests of an app need no port and no mock.
 *
 * @example
 * await using pair = connectedPair(contract, handlers);
 * await pair.client.messages.send({ text: 'hello' });
 */
export function connectedPair<Tree extends ContractTree, Context>(
  contract: Contract<Tree>,
  handlers: ServerOptions<Tree, Context>['handlers'],
  options: ConnectedPairOptions<Tree, Context> = {},
): ConnectedPair<Tree> {
  const server = createServer(contract, { development: true, ...options.server, handlers });
  let line: MemoryPeer | undefined;
  let frozen = false;
  const connection = connect('ws://memory.test/', {
    ...options.connect,
    WebSocket: memoryWebSocket((peer) => {
      line = peer;
      if (frozen) peer.freeze();
      const socket = server.accept(
        {
          // Everything arrives at once: what was left out while events gathered goes on after them.
          later: queueMicrotask,
          send: (frame) => {
            peer.send(frame);
          },
          close: (code, reason) => {
            peer.close(code, reason);
          },
        },
        { url: peer.url },
      );
      peer.onMessage = (frame) => {
        socket.message(frame);
      };
      peer.onClose = (code) => {
        socket.closed(code);
      };
    }),
  });
  return {
    client: createClient(contract, connection),
    connection,
    server,
    cut: () => line?.cut(),
    freeze: () => {
      frozen = true;
      line?.freeze();
    },
    thaw: () => {
      frozen = false;
      line?.thaw();
    },
    async [Symbol.asyncDispose]() {
      await connection.close();
      await server.close();
    },
  };
}

import { connect } from '../client/connect.ts';
import type { ConnectOptions } from '../client/connect-options.ts';
import type { Kernel } from '../client/kernel/capability.ts';
import type { Connection } from '../client/kernel/connection.ts';
import { createClient } from '../client/create-client.ts';
import type { Client } from '../client/client-types.ts';
import type { Contract, ContractTree } from '../contract/contract.ts';
import { SUBPROTOCOL } from '../protocol/messages.ts';
import type { Server, ServerOptions } from '../server/create-server.ts';
import { memoryWebSocket, type MemoryPeer } from '../transport/memory-transport.ts';
import type { WebSocketConstructor } from '../transport/web-socket-like.ts';
import { controlsOf, faultsOf, type LineFaults, type ServerControls } from './mock/controls.ts';
import { LeakWatch } from './leaks/leak-watch.ts';
import { MockEngine } from './mock/mock-engine.ts';
import { MockHandlers, type PartialHandlers } from './mock/mock-handlers.ts';
import type { MockLines } from './mock/mock-lines.ts';
import { testLifecycle, type TestLifecycle } from './test-lifecycle.ts';

/** Options of a client of {@link ConnectedPair}: those of `connect`, but for the socket. */
export type PairConnectOptions = Omit<ConnectOptions, 'WebSocket'>;

/** Options of {@link connectedPair}, besides the handlers. */
export interface ConnectedPairOptions<Tree extends ContractTree, Context> {
  /** Options of the clients' side. */
  readonly connect?: PairConnectOptions;
  /** Options of the server's side. */
  readonly server?: Omit<ServerOptions<Tree, Context>, 'handlers'>;
  /** The pair rejects at its end, when all is closed, if {@link ConnectedPair.leaks} has something to tell. @default false */
  readonly failOnLeaks?: boolean;
  /**
   * Timers of your code that wait still are leaks as well: `setTimeout`, `setInterval` and what clears them are watched
   * from here until the end of the pair. @default false
   */
  readonly watchTimers?: boolean;
}

/** One client of a {@link ConnectedPair}, with the faults of its own lines and the app that it runs in. */
export interface PairClient<Tree extends ContractTree> extends LineFaults {
  readonly client: Client<Tree>;
  readonly connection: Connection;
  readonly lifecycle: TestLifecycle;
}

/** A server and clients in one process, over sockets in memory, with the faults that lines have. */
export interface ConnectedPair<Tree extends ContractTree, Context = unknown> extends ServerControls<Tree, Context> {
  /** The first client. */
  readonly client: Client<Tree>;
  readonly connection: Connection;
  /** The app that the first client runs in: hide it, freeze it, take its network away. */
  readonly lifecycle: TestLifecycle;
  /** The one of this moment: `restart` puts another in its place. */
  readonly server: Server<Tree>;
  /** Connects another client, with these options over those of the pair: `pair.connect({ auth: () => 'bob' })`. */
  connect(options?: PairConnectOptions): PairClient<Tree>;
  /**
   * Sockets that lead to this server, whatever their URL, for an app that calls `connect('/ws')` itself:
   * `vi.stubGlobal('WebSocket', pair.WebSocket)`. What speaks anything else but Tautline is refused.
   */
  readonly WebSocket: WebSocketConstructor;
  /**
   * What is left at this moment, a line of text each: subscriptions, listeners, loops, calls, publishes and streams of the
   * clients of the pair, with where they were begun; timers, with `watchTimers`, and where they were set; handlers that
   * are at work; connections of apps. Nothing is left: an empty list.
   */
  leaks(): string[];
  /** Closes all sides. @throws Error with what was left, with `failOnLeaks`: as a rejection. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Connects a client of a contract to a server with these handlers: the real engine and the real transport, without a
 * network, so that tests of an app need no port and no mock. With `partial: true` what has no handler answers `NOT_FOUND`.
 *
 * @example
 * await using pair = connectedPair(contract, handlers);
 * await pair.client.messages.send({ text: 'hello' });
 * @throws TypeError naming a handler that is missing, without `partial`.
 */
export function connectedPair<Tree extends ContractTree, Context>(
  contract: Contract<Tree>,
  handlers: PartialHandlers<Tree, Context>,
  options: ConnectedPairOptions<Tree, Context> & { readonly partial: true },
): ConnectedPair<Tree, Context>;
export function connectedPair<Tree extends ContractTree, Context>(
  contract: Contract<Tree>,
  handlers: ServerOptions<Tree, Context>['handlers'],
  options?: ConnectedPairOptions<Tree, Context> & { readonly partial?: false },
): ConnectedPair<Tree, Context>;
export function connectedPair<Tree extends ContractTree, Context>(
  contract: Contract<Tree>,
  given: unknown,
  options: ConnectedPairOptions<Tree, Context> & { readonly partial?: boolean } = {},
): ConnectedPair<Tree, Context> {
  const handlers = new MockHandlers(contract, given, { door: 'connectedPair', partial: options.partial === true });
  const engine = new MockEngine(contract, handlers, options.server);
  const watch = new LeakWatch();
  if (options.watchTimers === true) watch.watchTimers();
  const connectAnother = (more?: PairConnectOptions): PairClient<Tree> => {
    const lines = engine.lines.branch();
    const lifecycle = testLifecycle(lines);
    const WebSocket = socketsTo(engine, lines);
    const connection = connect('ws://memory.test/', { lifecycle, ...options.connect, ...more, WebSocket });
    engine.connections.add(connection);
    watch.watch(connection as Connection & Kernel);
    return { ...faultsOf(lines), lifecycle, connection, client: createClient(contract, connection) };
  };
  const leaks = (): string[] => [
    ...watch.open,
    ...engine.atWork(),
    ...engine.lines.urls.map(({ origin, pathname }) => `a connection of an app to ${origin}${pathname}`),
  ];
  const { client, connection, lifecycle } = connectAnother();
  return {
    ...controlsOf(engine),
    client,
    connection,
    lifecycle,
    get server() {
      return engine.server;
    },
    connect: connectAnother,
    WebSocket: socketsTo(engine, engine.lines),
    leaks,
    async [Symbol.asyncDispose]() {
      const left = options.failOnLeaks === true ? leaks() : [];
      watch[Symbol.dispose]();
      await Promise.all([...engine.connections].map((each) => each.close()));
      await engine.close();
      if (left.length > 0) throw new Error(`connectedPair: left open: ${left.join('\n')}`);
    },
  };
}

function socketsTo<Tree extends ContractTree, Context>(
  engine: MockEngine<Tree, Context>,
  lines: MockLines,
): WebSocketConstructor {
  return memoryWebSocket((peer: MemoryPeer) => {
    if (peer.protocol !== SUBPROTOCOL) return peer.close();
    const line = lines.connect({
      url: new URL(peer.url),
      send: (frame) => peer.send(frame),
      close: (code, reason) => peer.close(code, reason),
      cut: () => peer.cut(),
      get underWay() {
        return peer.underWay;
      },
    });
    if (line === undefined) return;
    peer.onMessage = (frame) => line.message(frame);
    peer.onClose = (code) => line.closed(code);
    line.open(engine.server);
  });
}

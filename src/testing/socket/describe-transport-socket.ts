import type { WebSocketConstructor } from '../../transport/web-socket-like.ts';
import type { TestRunner } from '../broker/describe-broker.ts';
import { same } from '../broker/heard.ts';
import { SOCKET_CASES, type SocketWorld } from './socket-cases.ts';
import { TestServer, type SocketTestServer } from './test-server.ts';
import { WatchedSocket } from './watched-socket.ts';

/** What is used of what `expect` gives. */
export interface SocketExpectation {
  /** Fails the test unless both are alike. */
  toEqual(expected: unknown): unknown;
}

/** The functions of a test runner: those of vitest, jest and bun fit, and of `node:test`, which has no `expect`. */
export interface SocketTestRunner extends TestRunner {
  /** Says what differs. @default an Error that names both */
  readonly expect?: ((value: unknown) => SocketExpectation) | undefined;
}

/** A class of sockets, and a server that it reaches. */
export interface SocketUnderTest {
  /** What would be given to `connect` as its option `WebSocket`. */
  readonly WebSocket: WebSocketConstructor;
  /** Where the server is. */
  readonly url: string;
  /** Ends the server. All sockets are closed by then, or were asked to. */
  readonly end?: (() => void | Promise<void>) | undefined;
}

/**
 * Tests a class of WebSockets of your own: what a client relies on. `make` is called for each test, and starts a server
 * whose sockets it hands over. What never comes is ended by the time limit of the runner.
 *
 * @example
 * describeTransportSocket('MySocket', (server) => {
 *   const mine = myServer({ refuses: () => server.refuses });
 *   mine.onSocket = (socket) => {
 *     const end = server.accept({
 *       send: (text) => socket.send(text),
 *       close: (code, reason) => socket.close(code, reason),
 *       cut: () => socket.destroy(),
 *     });
 *     socket.onMessage = (text) => end.message(text);
 *     socket.onClose = (code) => end.closed(code);
 *   };
 *   return { WebSocket: MySocket, url: mine.url, end: () => mine.stop() };
 * }, { describe, test, expect });
 */
export function describeTransportSocket(
  name: string,
  make: (server: SocketTestServer) => SocketUnderTest | Promise<SocketUnderTest>,
  runner: SocketTestRunner,
): void {
  const { expect } = runner;
  const check: SocketWorld['same'] =
    expect === undefined ? same : (what, got, expected) => void expect({ [what]: got }).toEqual({ [what]: expected });
  runner.describe(name, () => {
    for (const [title, run] of Object.entries(SOCKET_CASES)) {
      runner.test(title, async () => {
        const server = new TestServer();
        const { WebSocket, url, end } = await make(server);
        const opened: WatchedSocket[] = [];
        const open = (protocols?: string[]): WatchedSocket => {
          const socket = new WatchedSocket(WebSocket, url, protocols);
          opened.push(socket);
          return socket;
        };
        try {
          await run({ server, WebSocket, url, open, same: check });
        } finally {
          for (const { socket } of opened) socket.close();
          await end?.();
        }
      });
    }
  });
}

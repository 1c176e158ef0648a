import type { Contract, ContractTree } from '../contract/contract.ts';
import { SUBPROTOCOL } from '../protocol/messages.ts';
import { controlsOf, type ServerControls } from './mock/controls.ts';
import { engineOf, type MockServerOptions } from './mock/mock-options.ts';
import { turn } from './mock/settled.ts';

/** What is used of Playwright's `WebSocketRoute`. */
export interface RoutedSocket {
  /** Where the page connects to. */
  url(): string;
  /** Subprotocols that it asks for. */
  protocols(): string[];
  /** Hands the page a message. */
  send(message: string): void;
  /** Closes the end of the page. */
  close(options: { code?: number; reason?: string }): Promise<void>;
  /** Hears what the page sends. */
  onMessage(handler: (message: string | Uint8Array) => void): void;
  /** Hears that the page's end is closed. */
  onClose(handler: (code: number | undefined) => void): void;
  /** Leaves it to the network. */
  connectToServer(): unknown;
}

/** What is used of Playwright's `Page`. */
export interface RoutablePage {
  /** Asks for the sockets of a page. */
  routeWebSocket(url: string | RegExp, handler: (socket: RoutedSocket) => void): Promise<void>;
  /** Runs a script in it. */
  evaluate(script: string): Promise<unknown>;
}

/** A server behind the routes of a page, with the faults that lines have. */
export interface RoutedServer<Tree extends ContractTree, Context = unknown> extends ServerControls<Tree, Context> {
  /** Closes all lines and the engine. The route stays, as Playwright has it: who connects is turned away. */
  close(): Promise<void>;
  /** The same, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Puts the real engine of a contract, in the process of the test, behind the sockets of a page of Playwright. Call it
 * before `page.goto`. With `partial: true` what has no handler answers `NOT_FOUND`.
 *
 * @example
 * const server = await routeServer(page, contract, { url: '/ws', partial: true, handlers: { add: ({ input }) => input.by } });
 * await page.goto('/');
 * @throws TypeError naming a handler that is missing, without `partial`: as a rejection.
 */
export async function routeServer<Tree extends ContractTree, Context = undefined>(
  page: RoutablePage,
  contract: Contract<Tree>,
  options: MockServerOptions<Tree, Context>,
): Promise<RoutedServer<Tree, Context>> {
  const engine = engineOf('routeServer', contract, options);
  // What the page has sent by now comes before its answer.
  engine.passTurn = async () => {
    await page.evaluate('new Promise((resolve) => setTimeout(resolve))');
    return turn();
  };
  await page.routeWebSocket(options.url ?? /./, (socket) => {
    // Sockets that speak something else are none of ours, whatever their URL.
    if (!socket.protocols().includes(SUBPROTOCOL)) return void socket.connectToServer();
    // It fails where the page is gone, which needs nothing more.
    const close = (code: number, reason?: string): void =>
      void socket.close({ code, ...(reason !== undefined && { reason }) }).catch(() => undefined);
    const line = engine.lines.connect({
      url: new URL(socket.url()),
      send: (frame) => socket.send(frame),
      close: (code = 1005, reason) => close(code, reason),
      cut: () => close(1006),
    });
    if (line === undefined) return;
    socket.onMessage((message) => line.message(message));
    socket.onClose((code = 1005) => line.closed(code));
    line.open(engine.server);
  });
  const close = (): Promise<void> => engine.close();
  return { ...controlsOf(engine), close, [Symbol.asyncDispose]: close };
}

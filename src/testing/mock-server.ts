import { ws, type WebSocketHandler } from 'msw/ws';
import type { Contract, ContractTree } from '../contract/contract.ts';
import { SUBPROTOCOL } from '../protocol/messages.ts';
import { controlsOf, type ServerControls } from './mock/controls.ts';
import type { MockEngine } from './mock/mock-engine.ts';
import { engineOf, type MockServerOptions } from './mock/mock-options.ts';

/** A server behind msw, with the faults that lines have. */
export interface MockServer<Tree extends ContractTree, Context = unknown> extends ServerControls<Tree, Context> {
  /** For `setupServer(...mock.handlers)`, `setupWorker(...mock.handlers)`, Storybook's `parameters: { msw: [...mock.handlers] }`. */
  readonly handlers: readonly WebSocketHandler[];
  /** Closes all lines and the engine. */
  close(): Promise<void>;
}

/**
 * Puts the real engine of a contract behind msw, so that an app that calls `connect('/ws')` itself is tested without a
 * port. Needs the package `msw`, 3 or later. With `partial: true` what has no handler answers `NOT_FOUND`.
 *
 * @example
 * const mock = mockServer(contract, { partial: true, handlers: { add: ({ input }) => input.by } });
 * const msw = setupServer(...mock.handlers);
 * msw.listen();
 * @throws TypeError naming a handler that is missing, without `partial`.
 */
export function mockServer<Tree extends ContractTree, Context = undefined>(
  contract: Contract<Tree>,
  options: MockServerOptions<Tree, Context>,
): MockServer<Tree, Context> {
  const engine = engineOf('mockServer', contract, options);
  return {
    ...controlsOf(engine),
    handlers: [answering(engine, options.url ?? '*')],
    close: () => engine.close(),
  };
}

function answering<Tree extends ContractTree, Context>(
  engine: MockEngine<Tree, Context>,
  url: string | RegExp,
): WebSocketHandler {
  const handler = ws.link(url).addEventListener('connection', ({ client }) => {
    const line = engine.lines.connect({
      url: client.url,
      send: (frame) => client.send(frame),
      close: (code, reason) => client.close(code, reason),
      cut: () => client.close(1006),
    });
    if (line === undefined) return;
    client.addEventListener('open', () => line.open(engine.server));
    client.addEventListener('message', ({ data }) => line.message(data));
    client.addEventListener('close', ({ code }) => line.closed(code));
  });
  // Sockets that speak something else are none of ours, whatever their URL: other handlers, or the network, have them.
  const run = handler.run.bind(handler);
  handler.run = async (connection, ...rest) =>
    [connection.info.protocols ?? []].flat().includes(SUBPROTOCOL) ? run(connection, ...rest) : null;
  return handler;
}

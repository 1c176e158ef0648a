import { ws, type WebSocketHandler } from 'msw/ws';
import type { Contract, ContractTree } from '../contract/contract.ts';
import { SUBPROTOCOL } from '../protocol/messages.ts';
import type { Server, ServerOptions } from '../server/create-server.ts';
import { FAST, MockEngine, type FastOptions, type MockedCall } from './mock-engine.ts';
import { MockHandlers, type PartialHandlers } from './mock-handlers.ts';
import type { SettledOptions } from './settled.ts';

/** What {@link MockServerOptions} have besides the handlers. */
export interface MockServerSettings<Tree extends ContractTree, Context> {
  /** URLs to answer for, as msw writes them: `wss://example.com/ws`, `*\/ws`. @default any that speaks Tautline */
  readonly url?: string | RegExp | undefined;
  /** Options of the engine: `authenticate`, `limits`, `onError` … */
  readonly server?: Omit<ServerOptions<Tree, Context>, 'handlers'> | undefined;
}

/** Options of {@link mockServer}: handlers for the whole contract, or, with `partial: true`, for what a test needs. */
export type MockServerOptions<Tree extends ContractTree, Context> = MockServerSettings<Tree, Context> &
  (
    | { readonly partial?: false | undefined; readonly handlers: ServerOptions<Tree, Context>['handlers'] }
    | { readonly partial: true; readonly handlers?: PartialHandlers<Tree, Context> | undefined }
  );

/** A server behind msw, with the faults that lines have. */
export interface MockServer<Tree extends ContractTree, Context = unknown> {
  /** For `setupServer(...mock.handlers)`, `setupWorker(...mock.handlers)`, Storybook's `parameters: { msw: mock.handlers }`. */
  readonly handlers: readonly WebSocketHandler[];
  /** Options for `connect` in tests: `connect('/ws', mock.fast)` comes back within 10 ms. */
  readonly fast: FastOptions;
  /** Lays handlers over those that are there, until {@link MockServer.reset}. Of a topic, single rules too. */
  use(overrides: PartialHandlers<Tree, Context>): void;
  /** Takes away what `use` laid on, and faults, and forgets the calls. What the engine remembers stays. */
  reset(): void;
  /** A topic from the side of the server, to publish to. */
  topic: Server<Tree>['topic'];
  /** What the app asked for so far, in order: of one contract path, or all. Each is as it stands now. */
  calls(path?: string): readonly MockedCall[];
  /** Breaks all lines: what is under way is lost. */
  cut(): void;
  /** Lets no socket in any more; those that are open stay. Each attempt ends with 1006 and was never open. */
  refuse(): void;
  /** Lets sockets in again. */
  accept(): void;
  /** Holds everything back, both ways, like a dead link; on sockets to come, too, which open and are silent. */
  freeze(): void;
  /** Delivers what was held back. */
  thaw(): void;
  /**
   * Each frame takes so long from now on, ms, both ways and in order; 0 for none. It goes by the timers of the test.
   * @throws RangeError for what is no time.
   */
  delay(ms: number): void;
  /** Another server takes its place, which remembers nothing: lines are closed with 1012. */
  restart(): Promise<void>;
  /**
   * Resolves when no call, stream or rule is at work, no frame on its way, and each client that lost its line here is
   * back: instead of sleeping. A stream that never ends never settles. Without their `connections` it does not know of clients
   * that wait by themselves, say for a token.
   * @throws Error after 3 s, `timeoutMs`, with what is left: as a rejection.
   */
  settled(options?: SettledOptions): Promise<void>;
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
  const handlers = new MockHandlers(contract, options.handlers, {
    door: 'mockServer',
    partial: options.partial === true,
  });
  const engine = new MockEngine(contract, handlers, options.server);
  return {
    handlers: [answering(engine, options.url ?? '*')],
    fast: FAST,
    use: (overrides) => handlers.use(overrides),
    reset: () => engine.reset(),
    topic: (...args) => engine.server.topic(...args),
    calls: (path) =>
      engine.calls.filter((call) => path === undefined || call.path === path).map((call) => ({ ...call })),
    cut: () => engine.lines.cut(),
    refuse: () => engine.lines.refuse(true),
    accept: () => engine.lines.refuse(false),
    freeze: () => engine.lines.freeze(),
    thaw: () => engine.lines.thaw(),
    delay: (ms) => engine.lines.delay(ms),
    restart: () => engine.restart(),
    settled: (given) => engine.settled(given),
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

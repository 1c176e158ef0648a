import type { ConnectOptions } from '../client/connect-options.ts';
import type { Contract, ContractTree } from '../contract/contract.ts';
import { isTautlineError } from '../errors.ts';
import { isDeclaredFailure } from '../server/app/declared-failure.ts';
import type { InterceptedCall, Interceptor } from '../server/app/interceptor.ts';
import { createServer, type Server, type ServerOptions } from '../server/create-server.ts';
import type { MockHandlers } from './mock-handlers.ts';
import { MockLine, type MockedSocket } from './mock-line.ts';

/** One call, or one publish, that got to the handlers of a mock. */
export interface MockedCall {
  /** Contract path, `messages.send`. */
  readonly path: string;
  readonly kind: InterceptedCall['kind'];
  /** What the input schema made of what the client sent; of a publish the event. */
  readonly input: unknown;
  /** What `authenticate` said of the caller. */
  readonly context: unknown;
  /** `pending`, `ok`, or the code of its error. A stream is `ok` when it has begun. */
  readonly outcome: string;
}

/** Options for `connect` in tests: a lost connection comes back within 10 ms. Still at most ten a minute by themselves. */
export type FastOptions = Required<Pick<ConnectOptions, 'reconnect'>>;

export const FAST: FastOptions = {
  reconnect: { firstMs: 10, sharedFirstMs: 10, capMs: 10, stableAfterMs: 1, onClose: { 1012: { delayMs: 10 } } },
};

/** The real engine behind mocked sockets, whichever door they come through. */
export class MockEngine<Tree extends ContractTree, Context> {
  server: Server<Tree>;
  calls: MockedCall[] = [];
  readonly #handlers: MockHandlers;
  readonly #make: () => Server<Tree>;
  readonly #lines: Set<MockLine> = new Set();
  #refuses = false;
  #frozen = false;

  constructor(
    contract: Contract<Tree>,
    handlers: MockHandlers,
    options: Omit<ServerOptions<Tree, Context>, 'handlers'> = {},
  ) {
    this.#handlers = handlers;
    this.#make = () =>
      createServer(contract, {
        development: true,
        ...options,
        handlers: handlers.whole() as ServerOptions<Tree, Context>['handlers'],
        intercept: [this.#watch, ...[options.intercept ?? []].flat()],
      });
    this.server = this.#make();
  }

  /** Takes a socket that is about to open; `undefined` where it was refused instead. */
  connect(socket: MockedSocket): MockLine | undefined {
    if (this.#refuses) {
      socket.close(1006);
      return undefined;
    }
    const line = new MockLine(socket);
    if (this.#frozen) line.freeze();
    this.#lines.add(line);
    return line;
  }

  closed(line: MockLine, code: number): void {
    this.#lines.delete(line);
    line.closed(code);
  }

  cut(): void {
    for (const line of this.#lines) line.cut();
    this.#lines.clear();
  }

  refuse(refuses: boolean): void {
    this.#refuses = refuses;
  }

  freeze(): void {
    this.#frozen = true;
    for (const line of this.#lines) line.freeze();
  }

  thaw(): void {
    this.#frozen = false;
    for (const line of this.#lines) line.thaw();
  }

  reset(): void {
    this.#handlers.reset();
    this.calls = [];
    this.refuse(false);
    this.thaw();
  }

  restart(): Promise<void> {
    const old = this.server;
    this.server = this.#make();
    return old.close();
  }

  readonly #watch: Interceptor<Context> = async (call, next) => {
    const { path, kind, input, context } = call;
    const known = { path, kind, input, context, outcome: 'pending' };
    this.calls.push(known);
    try {
      this.#handlers.check(path);
      const output = await next();
      known.outcome = 'ok';
      return output;
    } catch (error) {
      known.outcome = call.signal.aborted ? 'ABORTED' : codeOf(error);
      throw error;
    }
  };
}

function codeOf(error: unknown): string {
  return isDeclaredFailure(error) || isTautlineError(error) ? error.code : 'INTERNAL';
}

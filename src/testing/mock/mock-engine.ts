import type { ConnectOptions } from '../../client/connect-options.ts';
import type { Connection } from '../../client/kernel/connection.ts';
import type { Contract, ContractTree } from '../../contract/contract.ts';
import { isTautlineError } from '../../errors.ts';
import { isDeclaredFailure } from '../../server/app/declared-failure.ts';
import type { InterceptedCall, Interceptor } from '../../server/app/interceptor.ts';
import { createServer, type Server, type ServerOptions } from '../../server/create-server.ts';
import type { MockHandlers } from './mock-handlers.ts';
import { MockLines } from './mock-lines.ts';
import { leftAt, settle, turn, type SettledOptions } from './settled.ts';

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
  readonly lines: MockLines = new MockLines();
  /** What was sent by now has come here by its end. */
  passTurn: () => Promise<number> = turn;
  /** Those that the kit itself has made. */
  readonly connections: Set<Connection> = new Set();
  readonly #handlers: MockHandlers;
  readonly #make: () => Server<Tree>;

  constructor(
    contract: Contract<Tree>,
    handlers: MockHandlers,
    options: Omit<ServerOptions<Tree, Context>, 'handlers'> = {},
  ) {
    this.#handlers = handlers;
    const { authenticate } = options;
    this.#make = () =>
      createServer(contract, {
        development: true,
        ...options,
        ...(authenticate !== undefined && { authenticate: (args) => handlers.watched(authenticate(args)) }),
        handlers: handlers.whole() as ServerOptions<Tree, Context>['handlers'],
        intercept: [this.#watch, ...[options.intercept ?? []].flat()],
      });
    this.server = this.#make();
  }

  use(overrides: unknown): void {
    this.#handlers.use(overrides);
  }

  reset(): void {
    this.#handlers.reset();
    this.calls = [];
    this.lines.reset();
  }

  /** What is at work, in words. */
  atWork(): string[] {
    const { callsByPath } = this.server.stats();
    const left = Object.entries(callsByPath).map(([path, count]) => `${path} at work (${count})`);
    if (left.length === 0 && this.#handlers.running > 0) left.push('a rule or a snapshot of a topic, or authenticate');
    return left;
  }

  /** And what is on its way. */
  left(): string[] {
    const left = this.atWork();
    if (this.lines.underWay > 0) left.push(`${this.lines.underWay} frames on their way`);
    if (this.lines.away > 0) left.push('a client that lost its line and is not back');
    return left;
  }

  settled({ connections = [], timeoutMs }: SettledOptions = {}): Promise<void> {
    const all = [...this.connections, ...connections];
    return settle(() => [...this.left(), ...all.flatMap(leftAt)], this.passTurn, timeoutMs);
  }

  restart(): Promise<void> {
    const old = this.server;
    this.server = this.#make();
    return old.close();
  }

  async close(): Promise<void> {
    await this.server.close();
    // What is held back or late is so no more.
    this.lines.cut();
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

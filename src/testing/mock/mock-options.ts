import type { Contract, ContractTree } from '../../contract/contract.ts';
import type { ServerOptions } from '../../server/create-server.ts';
import { MockEngine } from './mock-engine.ts';
import { MockHandlers, type PartialHandlers } from './mock-handlers.ts';

/** What {@link MockServerOptions} have besides the handlers. */
export interface MockServerSettings<Tree extends ContractTree, Context> {
  /** URLs to answer for, as msw, or Playwright, writes them: `wss://example.com/ws`, `*\/ws`. @default any that speaks Tautline */
  readonly url?: string | RegExp | undefined;
  /** Options of the engine: `authenticate`, `limits`, `onError` … */
  readonly server?: Omit<ServerOptions<Tree, Context>, 'handlers'> | undefined;
}

/** Options of a mock: handlers for the whole contract, or, with `partial: true`, for what a test needs. */
export type MockServerOptions<Tree extends ContractTree, Context> = MockServerSettings<Tree, Context> &
  (
    | { readonly partial?: false | undefined; readonly handlers: ServerOptions<Tree, Context>['handlers'] }
    | { readonly partial: true; readonly handlers?: PartialHandlers<Tree, Context> | undefined }
  );

/** `door`: what the test calls. @throws TypeError naming a handler that is missing, without `partial`. */
export function engineOf<Tree extends ContractTree, Context>(
  door: string,
  contract: Contract<Tree>,
  { handlers, partial = false, server }: MockServerOptions<Tree, Context>,
): MockEngine<Tree, Context> {
  return new MockEngine(contract, new MockHandlers(contract, handlers, { door, partial }), server);
}

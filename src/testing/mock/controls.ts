import type { ContractTree } from '../../contract/contract.ts';
import type { Server } from '../../server/create-server.ts';
import { FAST, type FastOptions, type MockEngine, type MockedCall } from './mock-engine.ts';
import type { PartialHandlers } from './mock-handlers.ts';
import type { MockLines } from './mock-lines.ts';
import type { SettledOptions } from './settled.ts';

/** The faults that lines have, for all of them that are open and those to come. */
export interface LineFaults {
  /** Breaks them: what is under way is lost. The clients come back by their policy, or at once with `connection.wake()`. */
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
}

/** What a test has of the server behind its clients, whichever door they come through. */
export interface ServerControls<Tree extends ContractTree, Context = unknown> extends LineFaults {
  /** Options for `connect` in tests: `connect('/ws', mock.fast)` comes back within 10 ms. */
  readonly fast: FastOptions;
  /** Lays handlers over those that are there, until {@link ServerControls.reset}. Of a topic, single rules too. */
  use(overrides: PartialHandlers<Tree, Context>): void;
  /** Takes away what `use` laid on, and faults, and forgets the calls. What the engine remembers stays. */
  reset(): void;
  /** A topic from the side of the server, to publish to. */
  topic: Server<Tree>['topic'];
  /** What the app asked for so far, in order: of one contract path, or all. Each is as it stands now. */
  calls(path?: string): readonly MockedCall[];
  /** Another server takes its place, which remembers nothing: lines are closed with 1012. */
  restart(): Promise<void>;
  /**
   * Resolves when no call, stream or rule is at work, no frame on its way, and each client that lost its line here is
   * back: instead of sleeping. A stream that never ends never settles. Without their `connections` it does not know of
   * clients that wait by themselves, say for a token.
   * @throws Error after 3 s, `timeoutMs`, with what is left: as a rejection.
   */
  settled(options?: SettledOptions): Promise<void>;
}

export function faultsOf(lines: MockLines): LineFaults {
  return {
    cut: () => lines.cut(),
    refuse: () => lines.refuse(true),
    accept: () => lines.refuse(false),
    freeze: () => lines.freeze(),
    thaw: () => lines.thaw(),
    delay: (ms) => lines.delay(ms),
  };
}

export function controlsOf<Tree extends ContractTree, Context>(
  engine: MockEngine<Tree, Context>,
): ServerControls<Tree, Context> {
  return {
    ...faultsOf(engine.lines),
    fast: FAST,
    use: (overrides) => engine.use(overrides),
    reset: () => engine.reset(),
    topic: (...args) => engine.server.topic(...args),
    calls: (path) =>
      engine.calls.filter((call) => path === undefined || call.path === path).map((call) => ({ ...call })),
    restart: () => engine.restart(),
    settled: (options) => engine.settled(options),
  };
}

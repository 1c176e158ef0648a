import type { Deadline, Deadlines } from '../../primitives/deadlines.ts';
import type { Report } from '../app/reporter.ts';
import type { AbortedCalls, CallMemory } from './call-memory.ts';
import type { KnownCall } from './known-call.ts';

/** A handler that was told to end has this long, ms. Then its client gets its place back, whatever it does. */
const GIVEN_UP_MS = 5_000;

/** Handlers that go on after they were told to end: they take no places away, and are told of once. */
export class NeglectedCalls implements AbortedCalls {
  readonly #deadlines: Deadlines;
  readonly #report: Report;
  readonly #told: Set<string> = new Set();
  /** Those that were told to end, and have not. */
  readonly #waits: Map<KnownCall, Deadline> = new Map();

  constructor(deadlines: Deadlines, report: Report) {
    this.#deadlines = deadlines;
    this.#report = report;
  }

  add(call: KnownCall, calls: CallMemory): void {
    const givenUp = (): void => {
      calls.giveUp(call);
      this.#tell(call.path);
    };
    this.#waits.set(call, this.#deadlines.add(performance.now() + GIVEN_UP_MS, givenUp));
  }

  remove(call: KnownCall): void {
    const deadline = this.#waits.get(call);
    this.#waits.delete(call);
    if (deadline !== undefined) this.#deadlines.remove(deadline);
  }

  #tell(path: string): void {
    if (this.#told.has(path)) return;
    this.#told.add(path);
    const error = new Error(
      `the handler of ${path} goes on ${GIVEN_UP_MS / 1000} s after it was told to end: have it heed its signal. Its client may make other calls meanwhile`,
    );
    this.#report(error, { during: 'handler', path });
  }
}

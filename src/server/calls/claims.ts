import type { Deadline, Deadlines } from '../../primitives/deadlines.ts';
import { SerialQueue } from '../../primitives/serial-queue.ts';
import { encodeError } from '../../protocol/encode.ts';
import type { Report } from '../app/reporter.ts';
import type { CallMemory } from './call-memory.ts';
import type { CallStore, Claim, ClaimRequest, MemoryName } from './call-store.ts';
import { unknownOutcome } from './kept-answers.ts';
import type { KnownCall } from './known-call.ts';

/** What runs on another server is asked for this often, ms, where nothing tells of it. */
const LOOK_MS = 2000;

const LATE = 'another server gave it up before it ran, and later ones have begun here since: it would run out of order';
const AWAY = 'the server can not reach what remembers calls: it has not run this one, but another may have';

/** A call that acts, and how it is run. */
export interface Work {
  readonly call: KnownCall;
  readonly calls: CallMemory;
  readonly idempotent: boolean;
  readonly run: () => void;
}

/** Options of {@link Claims}. */
export interface ClaimsOptions {
  readonly store: CallStore;
  readonly deadlines: Deadlines;
  readonly report: Report;
  /** The client's memory is no more. */
  readonly gone: () => void;
}

/** The calls of one client that act, where servers share their memory: each is claimed before it is run. */
export class Claims {
  readonly #of: MemoryName;
  readonly #options: ClaimsOptions;
  /** They are claimed all at once, and begin in the order in which they came. */
  readonly #turns = new SerialQueue();
  /** The newest that has begun. */
  #newest = 0;

  constructor(of: MemoryName, options: ClaimsOptions) {
    this.#of = of;
    this.#options = options;
  }

  /** Runs a call if it is this server's to run; else settles it with what became of it. */
  take(work: Work): void {
    const claimed = this.#options.store.claim(this.#requestOf(work)).then(
      (claim) => () => this.#claimed(work, claim),
      (error: unknown) => () => this.#failed(work, error),
    );
    this.#turns.run(() => claimed.then((goOn) => goOn()));
  }

  /** Runs what nobody claims, behind what is being claimed. */
  inTurn(run: () => void): void {
    this.#turns.run(run);
  }

  floor(below: number, except: readonly number[]): void {
    // Below the first there is none.
    if (below > 1) this.#tell(() => this.#options.store.floor(this.#of, below, except));
  }

  leave(n: number, windowMs: number): void {
    this.#tell(() => this.#options.store.leave(this.#of, n, windowMs));
  }

  forget(n: number): void {
    this.#tell(() => this.#options.store.forget(this.#of, n));
  }

  /** @param waited - Others that came after it have not waited for it */
  #claimed(work: Work, claim: Claim, waited = false): void {
    const { call, calls, idempotent } = work;
    if (claim.kind === 'new') {
      const { token } = claim;
      call.mayHaveRun = claim.mayHaveRun === true;
      // Also where nobody wants it any more: others may ask what became of it.
      call.onEnd(() => {
        const message = call.answer ?? unknownOutcome(call.id);
        this.#tell(() => this.#options.store.answer({ ...this.#requestOf(work), token, message }));
      });
      // One that may run twice may have run on the server that gave it up: a refusal would say that it has not.
      if (waited && !idempotent && call.id < this.#newest) calls.settle(call, refusal(call, 'RATE_LIMITED', LATE));
      if (call.settled) return;
      this.#newest = Math.max(this.#newest, call.id);
      work.run();
    } else if (claim.kind === 'gone') this.#options.gone();
    else if (claim.kind === 'other')
      calls.settle(call, refusal(call, 'BAD_REQUEST', 'this id was used for something else'));
    // Its items are on the server that made them.
    else if (claim.kind === 'unknown' || call.kind === 'stream') calls.settle(call, unknownOutcome(call.id));
    else if (claim.kind === 'answered') calls.settle(call, claim.message);
    else this.#await(work);
  }

  #failed({ call, calls }: Work, error: unknown): void {
    this.#options.report(error, { during: 'calls', path: call.path });
    calls.settle(call, refusal(call, 'UNKNOWN_OUTCOME', AWAY));
  }

  /** It runs on another server: asks again when something tells of it, and from time to time. */
  #await(work: Work): void {
    const { call } = work;
    const { store, deadlines, report } = this.#options;
    let isOver = false;
    let timer: Deadline | undefined;
    const look = (): void => {
      if (timer !== undefined) deadlines.remove(timer);
      if (isOver) return;
      timer = deadlines.add(performance.now() + LOOK_MS, look);
      store.claim(this.#requestOf(work)).then(
        (claim) => {
          // What it has claimed it answers, wanted or not: others wait for it.
          if (claim.kind === 'running' || (isOver && claim.kind !== 'new')) return;
          end();
          this.#claimed(work, claim, true);
        },
        (error: unknown) => report(error, { during: 'calls', path: call.path }),
      );
    };
    const unwatch = store.watch(this.#of.client, look);
    const end = (): void => {
      isOver = true;
      unwatch();
      if (timer !== undefined) deadlines.remove(timer);
    };
    call.onEnd(end);
    if (!isOver) timer ??= deadlines.add(performance.now() + LOOK_MS, look);
  }

  #requestOf({ call, idempotent }: Work): ClaimRequest {
    return { ...this.#of, id: call.id, key: call.key, idempotent };
  }

  #tell(what: () => Promise<void>): void {
    what().catch((error: unknown) => this.#options.report(error, { during: 'calls' }));
  }
}

function refusal({ id }: KnownCall, code: string, message: string): string {
  return encodeError(id, { code, message }, '');
}

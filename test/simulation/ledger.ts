import type { LossyOutcome, TautlineError } from '../../src/index.ts';
import { TIMER_JITTER_MS } from './clock.ts';
import type { Process } from './clock.ts';
import { ballast } from './contract.ts';
import type { Answer, Way } from './contract.ts';

/** A call or a publication that somebody made, and what he may rely on. */
export interface Attempt {
  readonly token: number;
  readonly kind: 'look' | 'act' | 'put' | 'tail' | 'publish' | 'lossy';
  readonly way: Way;
  /** Whose page it was made on. */
  readonly process: Process;
  /** Everything of one page between two changes of identity. */
  readonly era: string;
  /** Whom alone it may run as; `undefined` where the caller can't know. */
  readonly identity: string | undefined;
  /** That may change without its page knowing. */
  readonly identityMayDrift: boolean;
  /** Never, once a stream has given its first item. */
  deadlineAt: number;
  /** Times that its page was told of another memory, when it was made, and now. */
  readonly memories: () => number;
  /** Troubles since then over which servers may not know what became of it. */
  readonly troubles: () => number;
  /** Number of the memory that its page knows now. */
  readonly memory: () => number;
  /** Codes that it may end with, besides its own. */
  readonly mayEnd: (error: TautlineError) => boolean;
  aborted: boolean;
  /** Its caller, who is slow, hears of its end behind what waits for him. */
  hearsLate: boolean;
  /** Nothing more goes wrong: it has no reason to be late. */
  isProof: boolean;
  /** Times that it was begun, and that it took effect. */
  begun: number;
  done: number;
  result: 'pending' | 'ok' | TautlineError;
}

/** What happens after a deadline at the latest: the page's timer, and what the page had to do first. */
const SLACK_MS = 2 * TIMER_JITTER_MS;

/** What is known of all calls and publications on both sides, and what must be true of it. */
export class Ledger {
  readonly #now: () => number;
  readonly #violation: (text: string) => void;
  readonly #attempts = new Map<number, Attempt>();
  readonly #pending = new Set<Attempt>();
  /** Lossy publishes that were never written. */
  readonly #dropped = new Set<Attempt>();
  /** The newest token that was begun, by server, era and queue. */
  readonly #newest = new Map<string, number>();
  readonly #running = new Map<string, number>();
  readonly counts = { calls: 0, ok: 0, unknown: 0 };

  constructor(now: () => number, violation: (text: string) => void) {
    this.#now = now;
    this.#violation = violation;
  }

  get pending(): number {
    return this.#pending.size;
  }

  made(attempt: Attempt): void {
    this.counts.calls++;
    this.#attempts.set(attempt.token, attempt);
    this.#pending.add(attempt);
  }

  /** A handler begins. `queue`: within it, what acts begins in the order in which it was made. */
  began(token: number, user: string, node: string, queue: string): void {
    const attempt = this.#attempts.get(token);
    if (attempt === undefined) return this.#violation(`call ${String(token)} was never made, and runs`);
    attempt.begun++;
    const { kind, identity, era, result } = attempt;
    const what = `${kind} ${String(token)}`;
    // A query may ride with a greeting that turns out to be somebody else's: then its answer is dropped.
    const mayRide = kind === 'look' && attempt.identityMayDrift;
    if (identity !== undefined && identity !== user && !mayRide)
      this.#violation(`${what} of ${identity} runs as ${user}`);
    if (attempt.begun > 1 && kind !== 'look' && kind !== 'put') this.#violation(`${what} runs a second time`);
    const most = 1 + attempt.memories() + attempt.troubles();
    if (kind === 'put' && attempt.begun > most) {
      this.#violation(`${what} runs ${String(attempt.begun)} times, and has reason for ${String(most)}`);
    }
    if (kind !== 'act' && kind !== 'publish') return;
    const place = `${node} ${era} ${queue}`;
    const newest = this.#newest.get(place) ?? 0;
    if (newest > token && result === 'pending') this.#violation(`${what} begins after ${String(newest)} of ${place}`);
    this.#newest.set(place, Math.max(newest, token));
  }

  /** Whom a handler counts for: one memory of one page on one server. */
  placeOf(token: number, node: string): string {
    const attempt = this.#attempts.get(token);
    return `${node} ${attempt?.era ?? ''} ${String(attempt?.memory())}`;
  }

  /** A handler that takes time begins or ends; gives how many run there. */
  running(place: string, change: 1 | -1): number {
    const running = (this.#running.get(place) ?? 0) + change;
    this.#running.set(place, running);
    return running;
  }

  /** It changed something. */
  took(token: number): void {
    const attempt = this.#attempts.get(token);
    if (attempt !== undefined) attempt.done++;
  }

  /** It took effect before. */
  isDone(token: number): boolean {
    return (this.#attempts.get(token)?.done ?? 0) > 0;
  }

  aborted(attempt: Attempt): void {
    attempt.aborted = true;
  }

  answered(attempt: Attempt, answer: Answer | undefined): void {
    this.#settle(attempt, 'ok');
    this.counts.ok++;
    const { kind, token, identity, way, begun, done } = attempt;
    const what = `${kind} ${String(token)}`;
    if (answer !== undefined && answer.token !== token)
      this.#violation(`${what} got the answer to ${String(answer.token)}`);
    if (answer !== undefined && identity !== undefined && answer.user !== identity) {
      this.#violation(`${what} of ${identity} got the answer of ${answer.user}`);
    }
    if (answer?.ballast !== undefined && answer.ballast !== ballast(token, answer.ballast.length))
      this.#violation(`${what} got the ballast of another`);
    if (begun === 0) this.#violation(`${what} is done, and never began`);
    if (kind !== 'look' && kind !== 'tail' && done === 0) this.#violation(`${what} is done, and took no effect`);
    if (way !== 'plain' && way !== 'deaf') this.#violation(`${what} is done, and should ${way}`);
  }

  /** Nobody waits for it any more. */
  left(attempt: Attempt): void {
    this.#settle(attempt, 'ok');
  }

  failed(attempt: Attempt, error: TautlineError): void {
    const { kind, token, way, deadlineAt } = attempt;
    const { code, outcome } = error;
    this.#settle(attempt, error);
    const what = `${kind} ${String(token)}`;
    if (outcome === 'unknown') this.counts.unknown++;
    const inTime = code === 'TIMEOUT' && this.#now() < deadlineAt - 1;
    const own = (code === 'REFUSED' && way === 'refuse') || (code === 'INTERNAL' && way === 'crash');
    const expected =
      own ||
      (code === 'TIMEOUT' && !attempt.isProof) ||
      (code === 'ABORTED' && attempt.aborted) ||
      attempt.mayEnd(error);
    if (inTime || !expected) {
      this.#violation(`${what} (${way}) ends with ${code} (${outcome}): ${error.message}`);
    }
    if (code === 'REFUSED' && (error.data as Answer).token !== token)
      this.#violation(`${what} got the refusal of another`);
  }

  /** A lossy publish ended. */
  dropped(attempt: Attempt, outcome: LossyOutcome): void {
    this.#settle(attempt, 'ok');
    if (outcome !== 'sent') this.#dropped.add(attempt);
  }

  /** What should have ended by now. Who has just woken up is given the time to. */
  checkDeadlines(): void {
    const now = this.#now();
    for (const { token, kind, deadlineAt, process } of this.#pending) {
      if (now > Math.max(deadlineAt, process.frozenUntil) + SLACK_MS) {
        this.#violation(`${kind} ${String(token)} is pending ${String(now - deadlineAt)} ms after its deadline`);
      }
    }
  }

  /** What was asked by who was here before has ended by now. */
  checkEras(process: Process, era: string): void {
    for (const attempt of this.#pending) {
      // A stream's reader may be busy with an item.
      if (attempt.process !== process || attempt.era === era || attempt.kind === 'tail') continue;
      this.#violation(`${attempt.kind} ${String(attempt.token)} of ${attempt.era} is pending in ${era}`);
    }
  }

  /** At the end, when nothing can run any more. */
  audit(): void {
    for (const attempt of this.#attempts.values()) {
      const { token, kind, result, begun, done } = attempt;
      const what = `${kind} ${String(token)}`;
      if (begun > 0 && this.#dropped.has(attempt)) this.#violation(`${what} was dropped, and ran`);
      if (result === 'pending') this.#violation(`${what} never ended`);
      else if (result !== 'ok' && result.outcome === 'not-sent' && begun > 0) {
        this.#violation(`${what} was reported as not sent (${result.code}), and ran`);
      } else if (result !== 'ok' && result.outcome === 'rejected' && done > 0) {
        this.#violation(`${what} was reported as rejected (${result.code}), and took effect`);
      }
    }
  }

  #settle(attempt: Attempt, result: 'ok' | TautlineError): void {
    attempt.result = result;
    this.#pending.delete(attempt);
    if (this.#now() > Math.max(attempt.deadlineAt, attempt.process.frozenUntil) + SLACK_MS) {
      this.#violation(`${attempt.kind} ${String(attempt.token)} ended after its deadline`);
    }
  }
}

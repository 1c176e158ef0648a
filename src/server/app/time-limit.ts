import type { Deadlines } from '../../primitives/deadlines.ts';
import { isThenable } from './now-or-later.ts';

/** Time for the app to say whether somebody may, or what the state is: one answer that hangs must not hang others, ms. */
const ANSWER_MS = 30_000;

/**
 * Asks the app, and waits a limited time: what comes later is ignored. An answer given at once costs no timer.
 * `what` names the question in the error.
 */
export function limitTime<T>(deadlines: Deadlines, what: string, ask: () => T | PromiseLike<T>): T | PromiseLike<T> {
  const answer = ask();
  if (!isThenable(answer)) return answer;
  return new Promise<T>((resolve, reject) => {
    const deadline = deadlines.add(performance.now() + ANSWER_MS, () => {
      reject(new Error(`${what} took longer than ${ANSWER_MS} ms`));
    });
    void Promise.resolve(answer)
      .then(resolve, reject)
      .finally(() => deadlines.remove(deadline));
  });
}

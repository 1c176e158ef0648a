/** Whether something has to be waited for. Query builders and the like are thenables without being promises. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}

/**
 * Goes on with a value, now or when it comes: what is known is not made to wait for a microtask.
 * @returns a promise that never rejects as long as the two callbacks don't throw; nothing when it was done at once.
 */
export function whenReady<T>(
  start: () => T | PromiseLike<T>,
  ready: (value: T) => void,
  failed: (error: unknown) => void,
): void | Promise<void> {
  let value: T | PromiseLike<T>;
  try {
    value = start();
    if (isThenable(value)) return Promise.resolve(value).then(ready, failed);
  } catch (error) {
    return failed(error);
  }
  ready(value);
}

/** Goes on when something has been done, now or later. */
export function afterwards(running: void | Promise<void>, then: () => void): void {
  if (running === undefined) then();
  else void running.then(then);
}

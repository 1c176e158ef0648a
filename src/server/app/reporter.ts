import { isThenable } from './now-or-later.ts';

/** Where something went wrong that no peer is told about. */
export interface ErrorInfo {
  /** What the server was doing. */
  readonly during:
    | 'authenticate'
    | 'input'
    | 'handler'
    | 'output'
    | 'authorize'
    | 'snapshot'
    | 'publish'
    | 'broker'
    /** The call store was asked. */
    | 'calls'
    | 'session'
    | 'peer'
    /** A page or program was not let in; once for each origin. */
    | 'upgrade'
    | 'observe';
  /** Contract path of the procedure or topic. */
  readonly path?: string | undefined;
}

/** Hands an error to whoever operates the server. Never throws. */
export type Report = (error: unknown, info: ErrorInfo) => void;

/** Wraps the app's `onError`, which may itself throw or reject; without one, errors go to the console. */
export function createReport(onError: ((error: unknown, info: ErrorInfo) => unknown) | undefined): Report {
  return (error, info) => {
    try {
      if (onError === undefined) logError(error, info);
      else settleQuietly(onError(error, info));
    } catch {
      // It was told; there is nobody else to tell.
    }
  };
}

/** Whether an error is the way of an aborted task to end. Never throws: what an app throws may be a proxy. */
export function isAbort(error: unknown): boolean {
  try {
    return error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError');
  } catch {
    return false;
  }
}

/** A promise of the app's nobody waits for must not end as an unhandled rejection. */
function settleQuietly(result: unknown): void {
  if (isThenable(result)) void Promise.resolve(result).catch(() => undefined);
}

function logError(error: unknown, { during, path }: ErrorInfo): void {
  // eslint-disable-next-line no-console -- the last resort: an error must not vanish because nobody asked for it
  console.error(`tautline server, ${during}${path === undefined ? '' : ` of ${path}`}:`, error);
}

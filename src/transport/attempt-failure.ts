import * as CloseCode from '../protocol/close-code.ts';
import type { CloseCause } from './transport.ts';

/**
 * Firefox, for a URL that the page's policy blocks. WebKit throws a SecurityError; Chromium's socket is closed from the
 * start and does not say why, so there it is a failed attempt like any other.
 */
const BLOCKED_BY_POLICY = 'NS_ERROR_CONTENT_BLOCKED';

/** Why an attempt that ran into its limit failed: whoever it was waiting for is to blame. */
export function timeoutCause(
  { forProviders, opened }: { readonly forProviders: boolean; readonly opened: boolean },
  limitMs: number,
): CloseCause {
  const cause = { code: CloseCode.TIMED_OUT, reason: `not connected within ${limitMs} ms`, opened };
  if (!forProviders) return { ...cause, by: 'timeout' };
  return { ...cause, by: 'provider', error: new Error(`url or auth gave nothing within ${limitMs} ms`) };
}

/** Why a socket that opened is of no use: the server took none of the subprotocols that it was offered. */
export function subprotocolProblem(chosen: string, offered: readonly string[]): CloseCause | undefined {
  if (offered.length === 0 || offered.includes(chosen)) return undefined;
  const reason = `the server chose none of the subprotocols ${offered.join(', ')}`;
  return { code: CloseCode.SUBPROTOCOL, reason, opened: true, by: 'peer' };
}

/** Why an attempt failed that never got to a socket. */
export function providerCause(error: unknown): CloseCause {
  return { code: CloseCode.ABNORMAL, reason: '', opened: false, by: 'provider', error };
}

/** Names of the errors by which constructors say that a URL is wrong, or that the page may not open it: it stays so. */
const HOPELESS: readonly unknown[] = ['SyntaxError', 'SecurityError', 'TypeError', BLOCKED_BY_POLICY];

/** Another attempt with the same URL can't do better. */
export function isHopeless(error: unknown): boolean {
  return HOPELESS.includes(nameOf(error));
}

/** The error of a hopeless attempt; another in its place where it does not say what to do. */
export function hopelessCause(error: unknown): CloseCause {
  const told =
    nameOf(error) === BLOCKED_BY_POLICY
      ? new Error('The page may not open this URL: its content security policy has to name it in connect-src.', {
          cause: error,
        })
      : error;
  return { ...providerCause(told), by: 'app' };
}

function nameOf(error: unknown): unknown {
  try {
    return (Object(error) as { readonly name?: unknown }).name;
  } catch {
    return undefined; // whatever it is, it does not let itself be looked at
  }
}

/** What to do where no attempt can be made. */
export function noWebSocket(): TypeError {
  return new TypeError('There is no global WebSocket here: pass a constructor as the option `WebSocket`.');
}

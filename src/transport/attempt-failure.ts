import { CloseCode } from '../protocol/close-codes.ts';
import type { CloseCause } from './transport.ts';

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

/** A wrong URL, or one that the page may not open: errors by which constructors say that it stays so. */
export function isHopeless(error: unknown): boolean {
  try {
    const { name } = Object(error) as { readonly name?: unknown };
    return name === 'SyntaxError' || name === 'SecurityError' || name === 'TypeError';
  } catch {
    return false; // whatever it is, it does not let itself be looked at
  }
}

/** What to do where no attempt can be made. */
export function noWebSocket(): TypeError {
  return new TypeError('There is no global WebSocket here: pass a constructor as the option `WebSocket`.');
}

import { CloseCode } from '../protocol/close-codes.ts';
import type { Connecting } from './connection-phase.ts';
import type { CloseCause } from './transport.ts';

/** Why an attempt that ran into its limit failed: whoever it was waiting for is to blame. */
export function timeoutCause({ providers, socket }: Connecting, limitMs: number): CloseCause {
  const reason = `not connected within ${limitMs} ms`;
  const cause = { code: CloseCode.TIMED_OUT, reason, opened: socket?.opened ?? false };
  if (providers === undefined) return { ...cause, by: 'timeout' };
  return { ...cause, by: 'provider', error: new Error(`url or auth gave nothing within ${limitMs} ms`) };
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

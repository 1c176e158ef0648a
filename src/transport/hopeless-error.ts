import { DEVELOPMENT } from '../development.ts';

/**
 * Names of the errors by which constructors say that a URL is wrong, or that the page may not open it: it stays so. The
 * last is Firefox's, for a URL that the page's policy blocks. WebKit throws a SecurityError for it; Chromium's socket is
 * closed from the start and does not say why, so there it is a failed attempt like any other.
 */
const HOPELESS = /^(Syntax|Security|Type)Error$|^NS_ERROR_CONTENT_BLOCKED$/;

/** Another attempt with the same URL can't do better. */
export function isHopeless(error: unknown): boolean {
  try {
    return HOPELESS.test((error as Error).name);
  } catch {
    return false; // whatever it is, it does not let itself be looked at
  }
}

/** The error of a hopeless attempt; in development another in its place where it does not say what to do. */
export function explainHopeless(error: unknown): unknown {
  return (error as Error).name === 'NS_ERROR_CONTENT_BLOCKED'
    ? new Error('The page may not open this URL: its content security policy has to name it in connect-src.', {
        cause: error,
      })
    : error;
}

/** What to do where no attempt can be made. */
export function noWebSocket(): TypeError {
  const what = 'There is no global WebSocket here: pass a constructor as the option `WebSocket`.';
  return new TypeError(DEVELOPMENT ? what : 'no WebSocket here: pass the option WebSocket');
}

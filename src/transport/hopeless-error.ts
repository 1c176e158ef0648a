/**
 * Firefox, for a URL that the page's policy blocks. WebKit throws a SecurityError; Chromium's socket is closed from the
 * start and does not say why, so there it is a failed attempt like any other.
 */
const BLOCKED_BY_POLICY = 'NS_ERROR_CONTENT_BLOCKED';

/** Names of the errors by which constructors say that a URL is wrong, or that the page may not open it: it stays so. */
const HOPELESS: readonly unknown[] = ['SyntaxError', 'SecurityError', 'TypeError', BLOCKED_BY_POLICY];

/** Another attempt with the same URL can't do better. */
export function isHopeless(error: unknown): boolean {
  return HOPELESS.includes(nameOf(error));
}

/** The error of a hopeless attempt; another in its place where it does not say what to do. */
export function hopelessError(error: unknown): unknown {
  return nameOf(error) === BLOCKED_BY_POLICY
    ? new Error('The page may not open this URL: its content security policy has to name it in connect-src.', {
        cause: error,
      })
    : error;
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

import type { AuthOption, AuthRequest, UrlOption, UrlRequest } from './transport-options.ts';

/** What one attempt needs from the app. */
export interface Provided {
  readonly url: string | URL;
  readonly token: string | undefined;
}

/**
 * Asks the app for URL and credentials, both at once. Async, so that a function of the app that throws and one that
 * rejects are the same.
 */
export async function provide(
  options: { readonly url: UrlOption; readonly auth: AuthOption | undefined },
  request: UrlRequest & AuthRequest,
): Promise<Provided> {
  const [url, token] = await Promise.all([provideUrl(options.url, request), provideToken(options.auth, request)]);
  return { url, token };
}

async function provideUrl(option: UrlOption, { attempt, signal }: UrlRequest): Promise<string | URL> {
  return typeof option === 'function' ? option({ attempt, signal }) : option;
}

async function provideToken(auth: AuthOption | undefined, request: AuthRequest): Promise<string | undefined> {
  const token = await auth?.({ reason: request.reason, signal: request.signal });
  if (token !== undefined && typeof token !== 'string') {
    throw new TypeError(`auth must give a string, or undefined for none, not a value of type ${typeof token}`);
  }
  return token;
}

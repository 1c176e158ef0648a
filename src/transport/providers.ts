import type { Credentials } from './credentials.ts';
import type { AuthRequest, UrlOption, UrlRequest } from './transport-options.ts';

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
  { url: option, credentials }: { readonly url: UrlOption; readonly credentials: Credentials },
  request: UrlRequest & AuthRequest,
): Promise<Provided> {
  const [url, token] = await Promise.all([
    provideUrl(option, request),
    credentials.get(request.reason, request.signal),
  ]);
  return { url, token };
}

async function provideUrl(option: UrlOption, { attempt, signal }: UrlRequest): Promise<string | URL> {
  return typeof option === 'function' ? option({ attempt, signal }) : option;
}

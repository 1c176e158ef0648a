import { hopelessCause, isHopeless, noWebSocket, providerCause } from './attempt-failure.ts';
import type { TransportParts } from './credentials.ts';
import { provide } from './providers.ts';
import type { SocketLinkEvents } from './socket-link.ts';
import { LEAVING, SocketLink } from './socket-link.ts';
import { resolveSocketUrl } from './socket-url.ts';
import { StopReconnecting } from './stop-reconnecting.ts';
import type { CloseCause } from './transport.ts';
import type { AuthRequest, UrlRequest } from './transport-options.ts';
import { globalWebSocket } from './web-socket-like.ts';

/** Whoever makes an attempt. */
export interface Dialler {
  /** The attempt goes on. */
  readonly current: boolean;
  readonly events: SocketLinkEvents;
  /** URL and credentials are there. */
  provided(token: string | undefined): void;
  /** Its socket is there: called once at most, while the attempt is current. */
  dialled(link: SocketLink): void;
  /** The attempt failed; the next may not. */
  failed(cause: CloseCause): void;
  /** No attempt can do better. */
  stopped(cause: CloseCause): void;
}

/** Asks the app for URL and credentials, then makes a socket. Ends without a word when the attempt is given up. */
export async function dial(
  options: TransportParts,
  request: UrlRequest & AuthRequest,
  dialler: Dialler,
): Promise<void> {
  const WebSocket = options.WebSocket ?? globalWebSocket();
  if (WebSocket === undefined) {
    dialler.stopped(hopelessCause(noWebSocket()));
    return;
  }
  try {
    const { url, token } = await provide(options, request);
    if (!dialler.current) return;
    dialler.provided(token);
    connect(
      () => new SocketLink(WebSocket, resolveSocketUrl(url), options.protocols, dialler.events),
      options,
      dialler,
    );
  } catch (error) {
    if (!dialler.current) return;
    if (error instanceof StopReconnecting) dialler.stopped(providerCause(error));
    else dialler.failed(providerCause(error));
  }
}

function connect(construct: () => SocketLink, { url }: TransportParts, dialler: Dialler): void {
  let link: SocketLink;
  try {
    link = construct();
  } catch (error) {
    if (typeof url === 'function' || !isHopeless(error)) throw error;
    if (dialler.current) dialler.stopped(hopelessCause(error));
    return;
  }
  // The constructor is not ours: it may have called back.
  if (dialler.current) dialler.dialled(link);
  else link.abandon(LEAVING, '');
}

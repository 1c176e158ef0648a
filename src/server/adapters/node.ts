import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { RawData, WebSocket } from 'ws';
import { CloseCode } from '../../protocol/close-codes.ts';
import { SUBPROTOCOL } from '../../protocol/messages.ts';
import type { Server, ServerCloseOptions } from '../create-server.ts';
import type { ServerRequest, SocketHandler } from '../server-socket.ts';
import { DEFAULT_ORIGINS, isAllowedOrigin } from './origins.ts';
import type { Origins } from './origins.ts';

/** Options of {@link listen}. */
export interface ListenOptions {
  /** 0 takes a free one. Not used with `server`. @default 0 */
  readonly port?: number | undefined;
  /** Address to listen on; `0.0.0.0` to be reached from other machines. Not used with `server`. @default '127.0.0.1' */
  readonly host?: string | undefined;
  /** Path of the WebSocket. @default '/ws' */
  readonly path?: string | undefined;
  /** Which pages may connect. @default ['same', 'none']: those of the same host, and programs that are no browser */
  readonly origins?: Origins | undefined;
  /** An HTTP server to attach to, listening or not; it stays open after `close`. @default a new one */
  readonly server?: HttpServer | undefined;
}

/** A server that listens. */
export interface Listener {
  readonly port: number;
  /** `ws://127.0.0.1:8080/ws` */
  readonly url: string;
  /** Closes the engine (see {@link Server.close}), its sockets and, if it is ours, the HTTP server. */
  close(options?: ServerCloseOptions): Promise<void>;
}

/** The engine as an adapter needs it. */
export type AcceptingServer = Pick<Server, 'accept' | 'limits' | 'close'>;

/** Time for a peer to answer the closing handshake, ms: a dead one never does. */
const CLOSE_TIMEOUT_MS = 2000;
/** Below this a socket has room again, bytes. */
const LOW_WATER_BYTES = 64 * 1024;

/** Serves the engine on a Node HTTP server, through `ws`. */
export async function listen(server: AcceptingServer, options: ListenOptions = {}): Promise<Listener> {
  const { host = '127.0.0.1', port = 0, path = '/ws', origins = DEFAULT_ORIGINS } = options;
  if (!path.startsWith('/')) throw new TypeError(`listen: path is ${path}: begin it with a slash`);
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: true,
    // Compression costs more than it saves on small JSON, and some engines get it wrong.
    perMessageDeflate: false,
    maxPayload: server.limits.frameBytes,
    handleProtocols: () => SUBPROTOCOL,
  });
  const own = options.server === undefined ? createHttpServer(answerPlainHttp) : undefined;
  const http = options.server ?? own!;
  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const refusal = refusalOf(request, path, origins);
    if (refusal === undefined) {
      sockets.handleUpgrade(request, socket, head, (webSocket) => serve(server, webSocket, request));
    } else if (refusal !== '404 Not Found' || http.listenerCount('upgrade') === 1) {
      refuse(socket, refusal);
    } // else another listener may serve the other path
  };
  http.on('upgrade', upgrade);
  if (own !== undefined) await listening(own, port, host);

  const address = http.address() as AddressInfo | null;
  const at = address?.family === 'IPv6' ? `[${address.address}]` : (address?.address ?? host);
  return {
    port: address?.port ?? port,
    url: `ws://${at}:${address?.port ?? port}${path}`,
    close: async (closeOptions) => {
      await server.close(closeOptions);
      await Promise.all([...sockets.clients].map(closed));
      http.off('upgrade', upgrade);
      if (own === undefined) return;
      own.closeAllConnections();
      await new Promise<void>((resolve) => own.close(() => resolve()));
    },
  };
}

/** The HTTP status that an upgrade is refused with, if it is. */
function refusalOf(request: IncomingMessage, path: string, origins: Origins): string | undefined {
  if (request.url?.split('?', 1)[0] !== path) return '404 Not Found';
  try {
    if (!isAllowedOrigin(origins, request)) return '403 Forbidden';
  } catch {
    return '403 Forbidden'; // a predicate that throws did not allow it
  }
  const offered = request.headers['sec-websocket-protocol']?.split(',').map((name) => name.trim());
  return offered?.includes(SUBPROTOCOL) === true ? undefined : '400 Bad Request';
}

function refuse(socket: Duplex, status: string): void {
  socket.on('error', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

function serve(server: AcceptingServer, webSocket: WebSocket, request: IncomingMessage): void {
  const written = (): void => {
    if (webSocket.bufferedAmount <= LOW_WATER_BYTES) handler.drained();
  };
  const handler: SocketHandler = server.accept(
    {
      send: (frame) => {
        // What is sent to a closing socket is lost, and its callback would report the error once more.
        if (webSocket.readyState === webSocket.OPEN) webSocket.send(frame, written);
      },
      close: (code, reason) => closeSoon(webSocket, code, reason),
      get bufferedAmount() {
        return webSocket.bufferedAmount;
      },
    },
    describe(request),
  );
  webSocket.on('message', (data: RawData, isBinary: boolean) => {
    if (isBinary) handler.binary();
    else handler.message((data as Buffer).toString('utf8'));
  });
  webSocket.on('close', (code) => handler.closed(code));
  // `close` follows, and says all there is to say.
  webSocket.on('error', () => undefined);
}

/** A peer that is dead answers no Close frame: the socket must not stay for it. */
function closeSoon(webSocket: WebSocket, code: number, reason: string): void {
  webSocket.close(code, reason);
  const timer = setTimeout(() => webSocket.terminate(), CLOSE_TIMEOUT_MS);
  webSocket.once('close', () => clearTimeout(timer));
}

function closed(webSocket: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    if (webSocket.readyState === webSocket.CLOSED) resolve();
    else webSocket.once('close', () => resolve());
    if (webSocket.readyState === webSocket.OPEN) closeSoon(webSocket, CloseCode.GOING_AWAY, 'the server is closing');
  });
}

function describe({ url, headers, socket }: IncomingMessage): ServerRequest {
  const { remoteAddress } = socket;
  return {
    headers,
    ...(url !== undefined && { url }),
    ...(remoteAddress !== undefined && { remoteAddress }),
  };
}

function answerPlainHttp(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(426, { 'content-type': 'text/plain', upgrade: 'websocket' }).end('This is a WebSocket.\n');
}

function listening(http: HttpServer, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    http.once('error', reject);
    http.listen(port, host, () => {
      http.off('error', reject);
      resolve();
    });
  });
}

import { createServer as createHttpServer, STATUS_CODES } from 'node:http';
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { Server as TlsServer } from 'node:tls';
import type { ZlibOptions } from 'node:zlib';
import * as CloseCode from '../../protocol/close-code.ts';
import { SUBPROTOCOL } from '../../protocol/messages.ts';
import type { Server, ServerCloseOptions } from '../create-server.ts';
import type { ServerRequest } from '../peers/server-socket.ts';
import { loadWs } from './load-ws.ts';
import type { RawData, WebSocket } from './load-ws.ts';
import { NodeSocket } from './node-socket.ts';
import { checkOrigins, DEFAULT_ORIGINS, refusalOf } from './origins.ts';
import type { Origins } from './origins.ts';
import { FrameBytes } from './text-frame.ts';
import { addUpgrade, isForOthers, RefusedSockets } from './upgrades.ts';
import type { Upgrade } from './upgrades.ts';

/** What `ws` knows of permessage-deflate. Its defaults are those of `ws`. */
export interface CompressionOptions {
  /** Messages below so many bytes go as they are. @default 1024 */
  readonly threshold?: number | undefined;
  /** So many messages are compressed at once, of all sockets. @default 10 */
  readonly concurrencyLimit?: number | undefined;
  /** Each message is compressed alone: less memory, more bytes. @default false */
  readonly serverNoContextTakeover?: boolean | undefined;
  /** The same for what clients send. @default it is left to them */
  readonly clientNoContextTakeover?: boolean | undefined;
  /** Base two logarithm of the window, 8 to 15. @default 15 */
  readonly serverMaxWindowBits?: number | undefined;
  /** The same for what clients send. @default it is left to them */
  readonly clientMaxWindowBits?: number | undefined;
  /** Of zlib, for what is sent. */
  readonly zlibDeflateOptions?: Omit<ZlibOptions, 'dictionary'> | undefined;
  /** Of zlib, for what arrives. */
  readonly zlibInflateOptions?: Omit<ZlibOptions, 'dictionary'> | undefined;
}

/** Options of {@link listen}. */
export interface ListenOptions {
  /** 0 takes a free one. Not used with `server`. @default 0 */
  readonly port?: number | undefined;
  /** Address to listen on; `0.0.0.0` to be reached from other machines. Not used with `server`. @default '127.0.0.1' */
  readonly host?: string | undefined;
  /** Path of the WebSocket. @default '/ws' */
  readonly path?: string | undefined;
  /** Which pages may connect. @default ['same', 'none']: those of the same host, and programs that are no browser */
  readonly origins?: Origins<IncomingMessage> | undefined;
  /**
   * An HTTP server to attach to, listening or not; it stays open after `close`. Upgrades of other paths are answered
   * with 404, unless it has `upgrade` listeners that are not ours: then those must end what they don't serve.
   * @default a new one
   */
  readonly server?: HttpServer | undefined;
  /**
   * Compresses messages of 1 KiB and more (permessage-deflate). It saves traffic where messages are long or alike, and
   * costs time and some 100 kB of memory for each socket; or options for it.
   * @default false
   */
  readonly compression?: boolean | CompressionOptions | undefined;
}

/** A server that listens. */
export interface Listener {
  /** 0 as long as an HTTP server that was given does not listen. */
  readonly port: number;
  /** `ws://127.0.0.1:8080/ws`, `wss://` on a server that speaks TLS; has port 0 as long as an HTTP server that was given does not listen. */
  readonly url: string;
  /** Closes the engine (see {@link Server.close}), its sockets and, if it is ours, the HTTP server. */
  close(options?: ServerCloseOptions): Promise<void>;
}

/** The engine as an adapter needs it. */
export type AcceptingServer = Pick<Server, 'accept' | 'limits' | 'close'> & Partial<Pick<Server, 'turnedAway'>>;

/** Time for a peer to answer the closing handshake, or to take its refusal, ms: a dead one never does. */
const CLOSE_TIMEOUT_MS = 2000;

/** A socket of `ws`, what it was made of, and the stream that it writes to. */
interface Upgraded {
  readonly webSocket: WebSocket;
  readonly stream: Duplex;
  readonly request: IncomingMessage;
}

/**
 * Serves the engine on a Node HTTP server, through `ws`.
 * @throws TypeError for an option of another kind, Error when the address or the path is taken, and when `ws` is missing;
 * all as rejections.
 */
export async function listen(server: AcceptingServer, options: ListenOptions = {}): Promise<Listener> {
  const { host = '127.0.0.1', port = 0, path = '/ws', origins = DEFAULT_ORIGINS } = options;
  if (!path.startsWith('/')) throw new TypeError(`listen: path is ${path}: begin it with a slash`);
  checkOrigins('listen', origins);
  const { WebSocketServer } = await loadWs();
  const frames = new FrameBytes();
  const refused = new RefusedSockets(CLOSE_TIMEOUT_MS);
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: true,
    // Not by default: it costs more than it saves on small JSON, and some engines get it wrong.
    perMessageDeflate: options.compression ?? false,
    maxPayload: server.limits.frameBytes,
    handleProtocols: () => SUBPROTOCOL,
  });
  const own = options.server === undefined ? createHttpServer(answerPlainHttp) : undefined;
  const http = options.server ?? own!;
  const upgrade: Upgrade = (request, socket, head) => {
    const asked = request.url?.split('?', 1)[0] ?? '';
    const refusal = asked === path ? statusOf(server, request, origins) : '404 Not Found';
    if (refusal === undefined) {
      sockets.handleUpgrade(request, socket, head, (webSocket) =>
        serve(server, { webSocket, stream: socket, request }, frames),
      );
    } else if (asked === path || !isForOthers(http, asked, upgrade)) refused.refuse(socket, refusal);
  };
  addUpgrade(http, path, upgrade);
  if (own !== undefined) await listening(own, port, host);
  const where = addressOf(http, host);
  where();
  return {
    get port() {
      return where().port;
    },
    get url() {
      const { host: at, port: on } = where();
      return `${http instanceof TlsServer ? 'wss' : 'ws'}://${at}:${on}${path}`;
    },
    close: async (closeOptions) => {
      await server.close(closeOptions);
      // The next server need not wait for peers that are dead: path and port are free from here on.
      http.off('upgrade', upgrade);
      const ended = new Promise<void>((resolve) => (own === undefined ? resolve() : own.close(() => resolve())));
      await Promise.all([...sockets.clients].map(closed));
      refused.close();
      own?.closeAllConnections();
      await ended;
    },
  };
}

/** The status line that an upgrade is refused with, if it is. */
function statusOf(
  server: AcceptingServer,
  request: IncomingMessage,
  origins: Origins<IncomingMessage>,
): string | undefined {
  const { origin, host, 'sec-websocket-protocol': protocols } = request.headers;
  const status = refusalOf(origins, { origin, host, protocols }, request);
  if (status === undefined) return undefined;
  server.turnedAway?.({ status, origin, host });
  return `${status} ${STATUS_CODES[status]}`;
}

/** Where a server listens, as soon as it does, and then also after its end. */
function addressOf(http: HttpServer, host: string): () => { readonly host: string; readonly port: number } {
  let known: { readonly host: string; readonly port: number } | undefined;
  return () => {
    const address = http.address();
    if (address !== null && typeof address === 'object') {
      const { family, address: at, port } = address;
      known = { host: family === 'IPv6' ? `[${at}]` : at, port };
    }
    return known ?? { host, port: 0 };
  };
}

/** `stream` is what `ws` writes to. */
function serve(server: AcceptingServer, socket: Upgraded, frames: FrameBytes): void {
  const { webSocket, stream, request } = socket;
  const end = (code: number, reason: string): void => closeSoon(webSocket, code, reason);
  const nodeSocket = new NodeSocket(webSocket, stream, frames, end);
  const handler = server.accept(nodeSocket, describe(request));
  nodeSocket.serve(handler);
  webSocket.on('message', (data: RawData, isBinary: boolean) => {
    if (isBinary) handler.binary();
    else handler.message((data as Buffer).toString('utf8'));
  });
  webSocket.on('close', (code) => handler.closed(code));
  webSocket.on('error', ignore);
}

/** `close` follows an error, and says all there is to say. */
function ignore(): void {}

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

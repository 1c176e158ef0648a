import type { IncomingMessage, Server as HttpServer } from 'node:http';
import { createServer, type Server as TcpServer } from 'node:net';
import { Line } from './line.ts';

/** Where the WebSockets are. */
export const SOCKET_PATH = '/chat';
export const BOARD_SOCKET_PATH = '/board/line';
const PATHS: readonly (string | undefined)[] = [SOCKET_PATH, BOARD_SOCKET_PATH];

const SLOW_MS = 600;

/** The name that a page gave its line, from the address of its WebSocket. */
export function nameOfLine(url = ''): string | undefined {
  return queryOf(url).get('line') ?? undefined;
}

function queryOf(url: string): URLSearchParams {
  return new URLSearchParams(url.split('?')[1]);
}

/** The lines to the pages, by the name that each page gave its own. */
export class Lines {
  readonly #lines = new Map<string, Line>();
  readonly tcp: TcpServer;

  readonly #gone: (name: string) => void;

  /** Takes connections for an HTTP server, and hands each on as a line that can be troubled. */
  constructor(http: HttpServer, gone: (name: string) => void) {
    this.#gone = gone;
    this.tcp = createServer((socket) => http.emit('connection', new Line(socket)));
    http.on('upgrade', (request) => this.#named(request));
  }

  cut(name: string): void {
    this.#lines.get(name)?.cut();
  }

  slow(name: string, on: boolean): void {
    const line = this.#lines.get(name);
    if (line) line.delayMs = on ? SLOW_MS : 0;
  }

  /** A WebSocket begins on a line. What the page wished of its line, it tells with each one. */
  #named({ url = '', socket }: IncomingMessage): void {
    const line: unknown = socket;
    const name = nameOfLine(url);
    if (!PATHS.includes(url.split('?')[0]) || name === undefined || !(line instanceof Line)) {
      socket.destroy();
      return;
    }
    this.#lines.set(name, line);
    this.slow(name, queryOf(url).has('slow'));
    line.once('close', () => {
      // Not when the page is already on its next one.
      if (this.#lines.get(name) === line && this.#lines.delete(name)) this.#gone(name);
    });
  }
}

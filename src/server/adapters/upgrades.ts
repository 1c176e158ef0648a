import type { IncomingMessage, Server as HttpServer } from 'node:http';
import type { Duplex } from 'node:stream';

/** A listener for `upgrade`. */
export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** Paths of our own listeners: those of others may serve any path. */
const paths = new WeakMap<object, string>();

/** Listens for upgrades of one path. @throws Error when another of our listeners has it. */
export function addUpgrade(http: HttpServer, path: string, upgrade: Upgrade): void {
  if (http.listeners('upgrade').some((other) => paths.get(other) === path)) {
    throw new Error(`listen: this HTTP server has a listener for ${path} already: give another path`);
  }
  paths.set(upgrade, path);
  http.on('upgrade', upgrade);
}

/** Whether another listener may take a request: it is theirs to end the socket then. */
export function isForOthers(http: HttpServer, path: string, upgrade: Upgrade): boolean {
  return http.listeners('upgrade').some((other) => other !== upgrade && (paths.get(other) ?? path) === path);
}

/** Sockets that were refused, until they are closed. */
export class RefusedSockets {
  readonly #sockets = new Set<Duplex>();
  readonly #withinMs: number;

  /** Each has this long to take its answer, ms. */
  constructor(withinMs: number) {
    this.#withinMs = withinMs;
  }

  /** Answers, and closes without waiting for the peer to do so: it may never. */
  refuse(socket: Duplex, status: string): void {
    if (socket.writableEnded) return;
    const timer = setTimeout(() => socket.destroy(), this.#withinMs);
    this.#sockets.add(socket);
    socket.once('close', () => {
      clearTimeout(timer);
      this.#sockets.delete(socket);
    });
    socket.on('error', () => socket.destroy());
    socket.once('finish', () => socket.destroy());
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/**
 * A plain TCP balancer: each line goes to the next node in turn, whoever it comes from. It knows nothing of WebSockets. Yours is
 * nginx, HAProxy or one of a cloud.
 */
export class Balancer {
  /** Ports of the nodes that take new lines. */
  readonly ports: Set<number> = new Set();
  readonly #server: Server = createServer((line) => this.#join(line));
  #turn = 0;

  /** Gives its port. */
  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
  }

  #join(line: Socket): void {
    const ports = [...this.ports];
    const port = ports[this.#turn++ % ports.length];
    line.on('error', () => undefined);
    if (port === undefined) {
      line.resetAndDestroy();
      return;
    }
    const node = connect(port, '127.0.0.1');
    node.on('error', () => line.resetAndDestroy());
    line.on('close', () => node.destroy());
    node.on('close', () => line.destroy());
    line.pipe(node).pipe(line);
  }
}

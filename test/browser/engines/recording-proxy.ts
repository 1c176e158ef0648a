import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An HTTP proxy that leads nowhere and notes what it was asked for. */
export interface RecordingProxy extends AsyncDisposable {
  readonly port: number;
  /** Absolute URLs, `CONNECT host:port`, or that it was encrypted: a line for each attempt. */
  readonly asked: readonly string[];
}

export async function startRecordingProxy(): Promise<RecordingProxy> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(502).end();
  });
  server.on('connect', (request, line) => {
    asked.push(`CONNECT ${request.url ?? ''}`);
    line.destroy();
  });
  // Some browsers speak TLS to the proxy of `https:`.
  server.on('clientError', (_error, line) => {
    asked.push('something encrypted');
    line.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    asked,
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

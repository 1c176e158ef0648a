/** The server process: one port for the page and the socket. Start it through ../start.ts, which starts it again. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { listen } from 'tautline/server/node';
import { servePage } from '../../serve-page.ts';
import { createChat } from './chat.ts';
import { Lines, SOCKET_PATH } from './lines.ts';
import { STOP_ASKED } from './stop.ts';

const http = createServer(await servePage(new URL('../page/', import.meta.url)));
const lines = new Lines(http, (line) => chat.gone(line));
const chat = createChat({
  cut: (line) => lines.cut(line),
  slow: (line, on) => lines.slow(line, on),
  // Answers first. Then it stops as a crash does: no goodbye to anybody.
  stop: () => void setTimeout(() => process.exit(STOP_ASKED), 50),
});
await listen(chat.server, { server: http, path: SOCKET_PATH });

lines.tcp.listen(Number(process.env.PORT ?? 3000), process.env.HOST ?? '127.0.0.1');
await once(lines.tcp, 'listening');
process.send?.(lines.tcp.address());

// The parent is gone: nobody could stop this process any more.
process.on('disconnect', () => process.exit());
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit());

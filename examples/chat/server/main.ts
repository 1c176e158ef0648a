/** The server process: one port for chat and board. Start it through ../start.ts, which starts it again. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { listen } from 'tautline/server/node';
import { createBoard } from '../../board/server/board.ts';
import { serveTokens } from '../../board/server/tokens.ts';
import { servePage } from '../../serve-page.ts';
import { createChat, type Trouble } from './chat.ts';
import { BOARD_SOCKET_PATH, Lines, SOCKET_PATH } from './lines.ts';
import { STOP_ASKED } from './stop.ts';

const chatPage = servePage(new URL('../page', import.meta.url), '/');
const boardPage = servePage(new URL('../../board/page', import.meta.url), '/board/');
const http = createServer((request, response) => {
  const { url = '' } = request;
  if (url === '/board/token') return serveTokens(request, response);
  return url.startsWith('/board/') ? boardPage(request, response) : chatPage(request, response);
});
const lines = new Lines(http, (line) => chat.gone(line));
const trouble: Trouble = {
  cut: (line) => lines.cut(line),
  slow: (line, on) => lines.slow(line, on),
  // Answers first. Then it stops as a crash does: no goodbye to anybody.
  stop: () => void setTimeout(() => process.exit(STOP_ASKED), 50),
};
const chat = createChat(trouble);
await listen(chat.server, { server: http, path: SOCKET_PATH });
await listen(createBoard(trouble), { server: http, path: BOARD_SOCKET_PATH });

lines.tcp.listen(Number(process.env.PORT ?? 3000), process.env.HOST ?? '127.0.0.1');
await once(lines.tcp, 'listening');
process.send?.(lines.tcp.address());

// The parent is gone: nobody could stop this process any more.
process.on('disconnect', () => process.exit());
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit());

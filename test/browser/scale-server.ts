/** The page of `examples/scale`, with figures that stand still: a process that needs no Redis, and tells its port. */
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'tautline/server';
import { listen } from 'tautline/server/node';
import { panel, type Figures } from '../../examples/scale/contract.ts';
import { servePage } from '../../examples/serve-page.ts';

const figures: Figures = {
  nodes: [
    { name: 'one', state: 'serving', clients: 120 },
    { name: 'two', state: 'starting', clients: 0 },
  ],
  redis: 'frozen',
  seen: { connected: 120, calls: 12_345, failed: 1, events: 123_456, lost: 1, doubled: 1, gaps: 200, p50: 1, p99: 9 },
};
const server = createServer(panel, {
  handlers: {
    act: ({ fail }) => fail('NOT_NOW', { why: 'Another node is not back yet.' }),
    figures: { authorize: () => true, snapshot: () => figures },
  },
});
const http = createHttpServer(servePage(new URL('../../examples/scale/page/', import.meta.url)));
await listen(server, { server: http, path: '/panel' });
http.listen(0, '127.0.0.1');
await once(http, 'listening');
process.send?.(http.address());
process.on('disconnect', () => process.exit());

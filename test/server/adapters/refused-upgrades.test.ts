import { once } from 'node:events';
import { createServer as createHttpsServer } from 'node:https';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { ServerHappening } from '../../../src/server/index.ts';
import { listen } from '../../../src/server/node.ts';
import { start } from '../fixture.ts';

async function refused(url: string, protocol: string, headers: Record<string, string>): Promise<void> {
  const socket = new WebSocket(url, protocol, { headers });
  socket.on('error', () => undefined);
  const [request] = await once(socket, 'unexpected-response');
  request.destroy();
}

test('what is not let in is counted and observed each time, and told once for each origin, with what to do', async () => {
  const observed: ServerHappening[] = [];
  const { server, errors } = start({}, { observe: (happening) => observed.push(happening) });
  const listener = await listen(server, { origins: ['same'] });
  const page = { origin: 'http://localhost:5173', host: 'backend:8080' };
  for (let times = 0; times < 3; times++) await refused(listener.url, 'tautline.v1', page);
  await refused(listener.url, 'tautline.v1', {});
  await refused(listener.url, 'tautline.v0', { origin: `http://127.0.0.1:${listener.port}` });
  await listener.close();
  expect(errors.map(({ error, info }) => [String(error), info])).toEqual([
    [
      "Error: refused a page of http://localhost:5173, Host was backend:8080: add 'http://localhost:5173' to origins, or let the proxy keep Host",
      { during: 'upgrade' },
    ],
    [expect.stringContaining("without an Origin, so of a program: add 'none' to origins"), { during: 'upgrade' }],
    [expect.stringContaining('without the subprotocol tautline.v1'), { during: 'upgrade' }],
  ]);
  expect(observed.filter(({ type }) => type === 'refused').map((told) => 'code' in told && told.code)).toEqual([
    '403', '403', '403', '403', '400',
  ]); // prettier-ignore
  expect(server.stats().refused).toBe(5);
});

test('who makes up origins fills neither a log nor the memory', () => {
  const { server, errors } = start();
  for (let n = 0; n < 10_000; n++) server.turnedAway({ status: 403, origin: `http://${n}.example`, host: 'h' });
  expect(errors).toHaveLength(100);
  expect(server.stats().refused).toBe(10_000);
});

test('the URL of a server that speaks TLS is wss', async () => {
  const http = createHttpsServer();
  const { server } = start();
  const listener = await listen(server, { server: http });
  expect(listener.url).toBe('wss://127.0.0.1:0/ws');
  await listener.close();
});

test.each([
  [undefined, ''],
  [true, 'permessage-deflate'],
])(
  'with the option compression %s what is long and alike is as long as its extension %j makes it',
  async (compression, extension) => {
    const { server } = start();
    const listener = await listen(server, { ...(compression && { compression }) });
    const socket = new WebSocket(listener.url, 'tautline.v1');
    const [response] = await once(socket, 'upgrade');
    if (socket.readyState !== socket.OPEN) await once(socket, 'open');
    expect(socket.extensions).toBe(extension);
    socket.send(JSON.stringify([['hello', { client: 'c'.repeat(32), n: 1, floor: [1] }]]));
    await once(socket, 'message');
    const text = 'alike '.repeat(5_000);
    const before = response.socket.bytesRead;
    socket.send(JSON.stringify([['call', 1, 'echo', null, text]]));
    const [answer] = await once(socket, 'message');
    expect(JSON.parse(String(answer))[0]).toEqual(['reply', 1, text]);
    const read = response.socket.bytesRead - before;
    expect(read < 1_000).toBe(extension !== '');
    socket.terminate();
    await listener.close();
  },
);

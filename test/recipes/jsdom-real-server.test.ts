// @vitest-environment jsdom
import { expect, test } from 'vitest';
import WebSocket from 'ws';
import { contract } from '../../examples/recipes/testing/contract.ts';
import { connect, createClient } from '../../src/index.ts';
import { createServer } from '../../src/server/index.ts';
import { listen } from '../../src/server/node.ts';

test('in jsdom a real server is reached with the sockets of ws', async () => {
  const said: string[] = [];
  const server = createServer(contract, {
    handlers: {
      send: ({ input }) => void said.push(input),
      room: { authorize: () => true, snapshot: () => said },
    },
  });
  const listener = await listen(server);
  const connection = connect(listener.url, { WebSocket });
  await createClient(contract, connection).send('hello');
  expect(said).toEqual(['hello']);
  await connection.close();
  await listener.close();
});

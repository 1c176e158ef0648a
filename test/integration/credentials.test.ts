import { expect, test } from 'vitest';
import WebSocket from 'ws';
import { z } from 'zod';
import { connect, createClient, defineContract, query, type AuthOption, type Connection } from '../../src/index.ts';
import { createServer } from '../../src/server/index.ts';
import { listen } from '../../src/server/node.ts';

const contract = defineContract({ token: query({ output: z.string() }) });

/** Tokens are `user.number`. */
async function world(auth: AuthOption) {
  const server = createServer(contract, {
    authenticate: ({ token = 'nobody.0' }: { readonly token?: string | undefined }) => ({
      identity: token.split('.')[0]!,
      context: { token },
    }),
    handlers: { token: ({ context }) => (context as { readonly token: string }).token },
  });
  const listener = await listen(server, { port: 0 });
  const connection = connect(listener.url, { WebSocket, auth, random: () => 0 });
  return {
    connection,
    client: createClient(contract, connection),
    async [Symbol.asyncDispose]() {
      await connection.close();
      await listener.close();
      await server.close();
    },
  };
}

/** Resolves when it has noted a step of its credentials, or the loss of its socket. */
function happened(connection: Connection, matches: (text: string) => boolean): Promise<void> {
  return new Promise((resolve) => {
    connection.on('happening', ({ what, details }) => {
      if (matches(`${what} ${String(details.step ?? details.code)}`)) resolve();
    });
  });
}

test('a token is refreshed on a real socket: the handlers see the new one', async () => {
  let n = 0;
  await using context = await world(() => ({ token: `ann.${String(++n)}`, expiresAt: Date.now() + 1_000 }));
  const { client, connection } = context;
  const refreshed = happened(connection, (text) => text === 'auth refreshed');
  expect(await client.token()).toBe('ann.1');
  await refreshed;
  expect(await client.token()).toBe('ann.2');
  expect(connection.stats().reconnects).toBe(0);
});

test('a refresh that proves another identity ends the socket with 4410; the connection comes back as that one', async () => {
  const tokens = ['ann.1', 'bob.1'];
  await using context = await world(() => ({ token: tokens.shift() ?? 'bob.2', expiresAt: Date.now() + 1_000 }));
  const { client, connection } = context;
  const lost = happened(connection, (text) => text === 'lost 4410');
  expect(await client.token()).toBe('ann.1');
  await lost;
  expect(await client.token()).toBe('bob.2');
});

test('a logout reaches the server as nobody, a login as somebody else', async () => {
  await using context = await world(() => 'ann.1');
  const { client, connection } = context;
  expect(await client.token()).toBe('ann.1');
  connection.setAuth(null);
  expect(await client.token()).toBe('nobody.0');
  connection.setAuth(() => 'bob.1');
  expect(await client.token()).toBe('bob.1');
});

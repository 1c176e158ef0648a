/** One server of several, in a process of its own: see start.ts. */
import { createClient } from '@redis/client';
import { createServer } from 'tautline/server';
import { listen } from 'tautline/server/node';
import { redisBroker, redisCallStore } from 'tautline/server/redis';
import { work } from './contract.ts';

const commands = createClient({ socket: { path: process.env.REDIS_SOCKET!, tls: false } });
const subscriber = commands.duplicate();
for (const client of [commands, subscriber]) {
  client.on('error', () => undefined); // the server says so, too, and waits for it
  await client.connect();
}

const callStore = redisCallStore({ commands, subscriber });
const server = createServer(work, {
  broker: redisBroker({ commands, subscriber }),
  callStore,
  handlers: {
    tick: async ({ input }) => {
      await server.topic('ticks').publish(input);
    },
    ticks: { authorize: () => true },
  },
});
const listener = await listen(server);
process.send?.({ port: listener.port });
const telling = setInterval(() => process.send?.({ clients: server.stats().peers }), 500);

/** Its clients are asked to go, and what runs is answered; then it ends. */
process.once('SIGTERM', () => {
  void listener.close({ withinMs: 5_000 }).then(async () => {
    clearInterval(telling);
    await callStore.close();
    process.exit();
  });
});
process.once('disconnect', () => process.exit());

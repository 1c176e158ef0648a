import { connect, createClient, defineContract, mutation, topic } from 'tautline';
import { createServer } from 'tautline/server';
import { listen } from 'tautline/server/node';
import { z } from 'zod';

const contract = defineContract({
  add: mutation({ input: z.number(), output: z.number(), errors: { LIMIT: z.object({ max: z.number() }) } }),
  counter: topic('counter', { event: z.number() }),
});

let count = 0;
const server = createServer(contract, {
  handlers: {
    add: async ({ input, fail }) => {
      if (count + input > 100) fail('LIMIT', { max: 100 });
      await server.topic('counter').publish((count += input));
      return count;
    },
    counter: { authorize: () => true },
  },
});
const listener = await listen(server);

const connection = connect(listener.url); // in a page: connect('/ws')
const client = createClient(contract, connection);
await client.counter().subscribe((event) => console.log('counter is', event)).ready;
console.log('answered', await client.add(40)); // waits for the socket, survives a lost one, never runs twice
const { error } = await client.add(70).safe();
if (error?.code === 'LIMIT') console.log('refused, the limit is', error.data.max);

await connection.close();
await listener.close();

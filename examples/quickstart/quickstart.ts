import { connect, createClient, defineContract, mutation, topic } from 'tautline';
import { createServer } from 'tautline/server';
import { listen } from 'tautline/server/node';
import { z } from 'zod';

const contract = defineContract({
  add: mutation({ input: z.object({ by: z.int() }), output: z.int(), errors: { LIMIT: z.object({ max: z.int() }) } }),
  counter: topic('counter', { event: z.int() }),
});

let count = 0;
const server = createServer(contract, {
  handlers: {
    add: async ({ input, fail }) => {
      if (count + input.by > 100) fail('LIMIT', { max: 100 });
      await server.topic('counter').publish((count += input.by));
      return count;
    },
    counter: { authorize: () => true },
  },
});
const listener = await listen(server);

const connection = connect(listener.url); // in a page: connect('/ws')
const client = createClient(contract, connection);
await client.counter().subscribe((event) => console.log('counter is', event)).ready;
console.log('answered', await client.add({ by: 40 })); // waits for the socket, survives a lost one, never runs twice
const { error } = await client.add({ by: 70 }).safe();
if (error?.code === 'LIMIT') console.log('refused, the limit is', error.data.max);

await connection.close();
await listener.close();

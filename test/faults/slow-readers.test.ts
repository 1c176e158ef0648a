import { expect, test } from 'vitest';
import WebSocket from 'ws';
import { z } from 'zod';
import { connect, createClient, defineContract, topic, type Gap, type Subscription } from '../../src/index.ts';
import { createServer, memoryBroker, type Server, type ServerSocket } from '../../src/server/index.ts';
import { listen } from '../../src/server/node.ts';
import { faultProxy } from '../../src/testing/faults.ts';

const contract = defineContract({ log: topic('log', { event: z.object({ n: z.number(), text: z.string() }) }) });

const MIB = 1024 * 1024;
const EVENTS = 2_000;
const EVENT_BYTES = 50_000;
/** The line carries 100 MB in some seconds, and is far slower than who publishes. */
const BYTES_PER_SECOND = 100_000_000;

/**
 * A server and a client of it behind a slow line. `peakBytes` is the most that the server's socket ever held,
 * `caughtUp` how many events came from the history.
 */
async function world() {
  const sockets: ServerSocket[] = [];
  let peakBytes = 0;
  let caughtUp = 0;
  const server = createServer(contract, {
    handlers: { log: { authorize: () => true } },
    broker: memoryBroker({ history: { size: EVENTS, bytes: 2 * EVENTS * EVENT_BYTES } }),
    observe: (happening) => {
      if (happening.type === 'events' && happening.count > 1) caughtUp += happening.count;
      if (happening.type === 'sent')
        peakBytes = Math.max(peakBytes, ...sockets.map(({ bufferedAmount = 0 }) => bufferedAmount));
    },
  });
  const watched: Pick<Server, 'accept' | 'limits' | 'close'> = {
    ...server,
    accept: (socket, request) => {
      sockets.push(socket);
      return server.accept(socket, request);
    },
  };
  const listener = await listen(watched);
  const proxy = await faultProxy({ to: listener.port });
  proxy.slow(BYTES_PER_SECOND);
  const connection = connect(`ws://127.0.0.1:${String(proxy.port)}/ws`, { WebSocket });
  return {
    server,
    connection,
    client: createClient(contract, connection),
    peakBytes: () => peakBytes,
    caughtUp: () => caughtUp,
    async [Symbol.asyncDispose]() {
      await connection.close();
      await proxy.close();
      await listener.close();
    },
  };
}

test('a reader far slower than the publisher gets 2000 events of 50 kB through less than 2 MiB of the server', async () => {
  await using context = await world();
  const gaps: Gap[] = [];
  const received: number[] = [];
  let subscription: Subscription | undefined;
  const all = new Promise<void>((resolve, reject) => {
    context.connection.on('status', ({ state }) => {
      if (state === 'waiting') reject(new Error('the connection was lost'));
    });
    subscription = context.client.log().subscribe({
      event: ({ n, text }) => {
        received.push(text.length === EVENT_BYTES ? n : -1);
        if (received.length === EVENTS) resolve();
      },
      gap: (gap) => gaps.push(gap),
    });
  });
  await subscription?.ready;
  const text = 'x'.repeat(EVENT_BYTES);
  for (let n = 0; n < EVENTS; n++) {
    await context.server.topic('log').publish({ n, text });
    // Some at once, some while the line is at work.
    if (n % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await all;
  expect(received).toEqual(Array.from({ length: EVENTS }, (_, n) => n));
  expect(gaps).toEqual([]);
  expect(context.caughtUp()).toBeGreaterThan(0);
  expect(context.peakBytes()).toBeLessThan(2 * MIB);
}, 60_000);

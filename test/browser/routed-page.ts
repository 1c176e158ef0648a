import { z } from 'zod';
import { connect, createClient, defineContract, mutation, topic } from '../../src/index.ts';

/* An app that connects by itself, and shows what it sees. */

export const routedContract = defineContract({
  send: mutation({ input: z.string(), output: z.number(), errors: { ROOM_FULL: z.object({ capacity: z.number() }) } }),
  room: topic('room', { event: z.string(), snapshot: z.array(z.string()), apply: (all, one) => [...all, one] }),
});

/** What the page shows to the test. */
export interface RoutedPage {
  readonly state: string;
  readonly codes: readonly number[];
  readonly answers: readonly unknown[];
  readonly room: readonly string[];
}

function start(): void {
  const connection = connect('/ws', { reconnect: { firstMs: 10, sharedFirstMs: 10, capMs: 10, stableAfterMs: 1 } });
  const client = createClient(routedContract, connection);
  const codes: number[] = [];
  const answers: unknown[] = [];
  let room: readonly string[] = [];
  connection.on('status', (status) => status.state === 'waiting' && codes.push(status.cause.code));
  client.room().view.subscribe(({ data }) => (room = data ?? []));
  Object.assign(globalThis, {
    send: (text: string): void => {
      void client
        .send(text)
        .safe()
        .then((result) => answers.push(result.ok ? result.data : result.error.code));
    },
    wake: () => connection.wake(),
    seen: (): RoutedPage => ({ state: connection.status.state, codes, answers, room }),
  });
}

if (typeof document !== 'undefined') start();

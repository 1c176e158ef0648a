import { setupWorker } from 'msw/browser';
import { z } from 'zod';
import { connect, createClient, defineContract, mutation, query, stream, topic } from '../../src/index.ts';
import { mockServer } from '../../src/testing/msw.ts';

const contract = defineContract({
  double: query({ input: z.number(), output: z.number() }),
  add: mutation({ input: z.number(), output: z.number(), errors: { LIMIT: z.object({ max: z.number() }) } }),
  count: stream({ input: z.number(), output: z.number() }),
  echo: query({ input: z.string(), output: z.string() }),
  news: topic('news', { event: z.string() }),
});

/** What happened in a page whose app connects to a mock: what it shows to the test. */
export interface MockedPage {
  readonly started: string;
  readonly doubled: number;
  /** What a refused call was told. */
  readonly limit: unknown;
  /** How many items of a stream came, in order. */
  readonly counted: number;
  /** Length of a text that went there and back. */
  readonly echoed: number;
  readonly heard: readonly string[];
  readonly afterCut: number;
  readonly fetched: string;
}

/** The app connects before or after the worker has started: `worker-first`, `connect-first`, or `lazy-first`, which opens no socket before a call. */
async function run(order: string): Promise<MockedPage> {
  const mock = mockServer(contract, {
    handlers: {
      double: ({ input }) => input * 2,
      add: ({ fail }) => fail('LIMIT', { max: 10 }),
      async *count({ input }) {
        for (let n = 0; n < input; n++) yield await Promise.resolve(n);
      },
      echo: ({ input }) => input,
      news: { authorize: () => true },
    },
  });
  const worker = setupWorker(...mock.handlers);
  const start = () =>
    worker.start({ quiet: true, onUnhandledFrame: 'bypass' }).then(
      () => 'started',
      () => 'failed',
    );
  const app = () => connect('/ws', { ...mock.fast, lazy: order === 'lazy-first' });
  const early = order === 'worker-first' ? undefined : app();
  const started = await start();
  const connection = early ?? app();
  const client = createClient(contract, connection);
  const doubled = await client.double(21);
  const { error } = await client.add(11).safe();
  let counted = 0;
  for await (const item of client.count(200)) if (item === counted) counted++;
  const { length: echoed } = await client.echo('x'.repeat(500_000));
  const heard: string[] = [];
  let heardAll!: () => void;
  const all = new Promise<void>((done) => (heardAll = done));
  await client.news().subscribe((event) => heard.push(event) === 2 && heardAll()).ready;
  await mock.topic('news').publish('hello');
  await client.double(0);
  mock.cut();
  await mock.topic('news').publish('missed');
  const afterCut = await client.double(4);
  await all;
  const fetched = await fetch('/plain').then((response) => response.text());
  await connection.close();
  // After a start that failed it never settles, and the page is closed next.
  void worker.stop();
  const limit = error?.code === 'LIMIT' ? error.data : undefined;
  return { started, doubled, limit, counted, echoed, heard, afterCut, fetched };
}

(globalThis as { run?: typeof run }).run = run;

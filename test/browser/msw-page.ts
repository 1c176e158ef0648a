import { setupWorker } from 'msw/browser';
import { z } from 'zod';
import { connect, createClient, defineContract, query, topic } from '../../src/index.ts';
import { mockServer } from '../../src/testing/msw.ts';

const contract = defineContract({
  double: query({ input: z.number(), output: z.number() }),
  news: topic('news', { event: z.string() }),
});

/** What happened in a page whose app connects to a mock: what it shows to the test. */
export interface MockedPage {
  readonly started: string;
  readonly doubled: number;
  readonly heard: readonly string[];
  readonly afterCut: number;
  readonly fetched: string;
}

/** The app connects before or after the worker has started. */
async function run(order: string): Promise<MockedPage> {
  const mock = mockServer(contract, {
    handlers: { double: ({ input }) => input * 2, news: { authorize: () => true } },
  });
  const worker = setupWorker(...mock.handlers);
  const start = () =>
    worker.start({ quiet: true, onUnhandledFrame: 'bypass' }).then(
      () => 'started',
      () => 'failed',
    );
  const app = () => connect('/ws', mock.fast);
  const early = order === 'connect-first' ? app() : undefined;
  const started = await start();
  const connection = early ?? app();
  const client = createClient(contract, connection);
  const doubled = await client.double(21);
  const heard: string[] = [];
  await client.news().subscribe((event) => heard.push(event)).ready;
  await mock.topic('news').publish('hello');
  await client.double(0);
  mock.cut();
  const afterCut = await client.double(4);
  const fetched = await fetch('/plain').then((response) => response.text());
  await connection.close();
  // After a start that failed it never settles, and the page is closed next.
  void worker.stop();
  return { started, doubled, heard, afterCut, fetched };
}

(globalThis as { run?: typeof run }).run = run;

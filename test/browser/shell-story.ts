import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { oneFile } from '../../.ci/one-file.ts';
import { servePage } from './transport-page-server.ts';

/** Longest time that a page may take: reached only when a test fails. */
const PATIENCE = { timeout: 45_000 };

/** A page without a bundler, in the webview of an app. */
const PAGE = `
const any = { '~standard': { version: 1, vendor: 'page', validate: (value) => ({ value }) } };
const contract = Tautline.defineContract({ run: Tautline.mutation({ input: any, output: any }) });
const connection = Tautline.connect('/ws', {
  lifecycle: Tautline.shellLifecycle(),
  suspendAfterHiddenMs: 10,
  reconnect: { firstMs: 10, sharedFirstMs: 10, capMs: 50 },
});
const client = Tautline.createClient(contract, connection);
const seen = { states: [], answers: [], errors: [] };
connection.on('status', ({ state }) => seen.states.push(state));
globalThis.page = {
  seen,
  call: (key) => void client.run({ key }).then((value) => seen.answers.push(value), (error) => seen.errors.push(String(error))),
};
`;

/** What drives a page: an engine, or playwright. */
export interface Driver {
  go(url: string): Promise<unknown>;
  run<T>(expression: string): Promise<T>;
}

interface SeenByPage {
  readonly states: readonly string[];
  readonly answers: readonly string[];
  readonly errors: readonly string[];
}

/** The app leaves the screen and comes back; then its network is another one, and its line is dead. */
export async function shellStory({ go, run }: Driver): Promise<void> {
  const file = await oneFile(fileURLToPath(new URL('../../src', import.meta.url)), 'ts', 'iife', true);
  await using server = await servePage(file + PAGE);
  const states = async (): Promise<string> => (await run<SeenByPage>('page.seen')).states.join(' ');
  const reaches = (all: string): Promise<void> => expect.poll(states, PATIENCE).toBe(all);
  await go(server.url());
  await reaches('connected');

  await run('tautlineShell.sleep()');
  await reaches('connected suspended');
  await run('page.call("asleep")');
  await run('tautlineShell.wake()');
  await reaches('connected suspended connecting connected');

  server.freeze();
  await run('page.call("frozen")');
  await run('postMessage("tautline:online", "*")');
  await reaches('connected suspended connecting connected waiting connecting connected');
  await expect.poll(() => run('page.seen'), PATIENCE).toMatchObject({ answers: ['asleep', 'frozen'], errors: [] });
  expect([...server.ran]).toEqual([
    ['asleep', 1],
    ['frozen', 1],
  ]);
}

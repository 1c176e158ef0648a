import { execFile } from 'node:child_process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { root } from './support/source.ts';

interface Import {
  /** Packages and builtins of Node that were loaded, each once. */
  readonly packages: readonly string[];
  /** Globals of the host that were read. */
  readonly touched: readonly string[];
  readonly error?: string;
  /** Kinds of timers, sockets and their like that are left open. */
  readonly opened: readonly string[];
}

const script = fileURLToPath(new URL('support/import-untouched.ts', import.meta.url));

/** Imports a module in a process of its own; see test/support/import-untouched.ts. */
async function importAlone(url: string, ...args: readonly string[]): Promise<Import> {
  const { stdout } = await promisify(execFile)(process.execPath, [script, url, ...args]);
  const { loaded, ...rest } = JSON.parse(stdout) as Omit<Import, 'packages'> & { readonly loaded: readonly string[] };
  const packages = loaded.flatMap((module) => {
    const name = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(module)?.[1];
    if (name !== undefined) return [name];
    return module.startsWith('node:') ? [module] : [];
  });
  return { packages: [...new Set(packages)].sort(), ...rest };
}

const fileUrl = (path: string) => pathToFileURL(`${root}${path}`).href;
const codeUrl = (code: string) => `data:text/javascript,${encodeURIComponent(code)}`;

test.each([
  ['src/index.ts', ['nanoevents']],
  ['src/superjson.ts', ['copy-anything', 'superjson']],
  ['src/server/index.ts', ['nanoevents']],
  ['src/testing/broker.ts', []],
  ['src/webview.ts', []],
  ['src/server/redis.ts', ['nanoevents']],
  ['src/server/postgres.ts', ['nanoevents']],
])('importing %s touches no global, opens nothing and loads at most %j', async (path, allowed) => {
  const { packages, ...rest } = await importAlone(fileUrl(path));
  expect(rest).toEqual({ touched: [], opened: [] });
  expect(packages.filter((name) => !allowed.includes(name))).toEqual([]);
});

test('importing src/websocket.ts opens nothing and loads no package', async () => {
  // Its class extends EventTarget and keeps the native WebSocket, in whose place it may be put: two globals are read.
  expect(await importAlone(fileUrl('src/websocket.ts'), 'keep')).toEqual({ packages: [], touched: [], opened: [] });
});

test.each([
  ['src/testing/index.ts', ['nanoevents']],
  ['src/testing/playwright.ts', []],
])('importing %s opens nothing and loads %j alone', async (path, packages) => {
  // It keeps the timer and the clock that are real, before a test puts others in their place: two globals are read.
  expect(await importAlone(fileUrl(path), 'keep')).toEqual({ packages, touched: [], opened: [] });
});

test('importing src/testing/faults.ts opens nothing and loads what is of Node alone', async () => {
  const { packages, ...rest } = await importAlone(fileUrl('src/testing/faults.ts'), 'keep');
  expect(rest).toEqual({ touched: [], opened: [] });
  expect(packages).toEqual(['node:net']);
});

test('importing src/server/node.ts opens nothing and loads no package: ws is loaded when a server listens', async () => {
  const { packages, ...rest } = await importAlone(fileUrl('src/server/node.ts'), 'keep');
  expect(rest).toEqual({ touched: [], opened: [] });
  expect(packages.filter((name) => !name.startsWith('node:') && name !== 'nanoevents')).toEqual([]);
});

test.each([
  ['a timer', 'setTimeout(() => {}, 1000)', 'setTimeout'],
  ['a global that is only looked for', 'typeof WebSocket', 'WebSocket'],
  ['a global that a page has and Node has not', 'globalThis.document', 'document'],
  ['randomness', 'Math.random()', 'random'],
  ['the clock', 'Date.now()', 'now'],
  ['a global, caught', 'try { fetch } catch {}', 'fetch'],
])('the check sees %s', async (_title, code, name) => {
  expect((await importAlone(codeUrl(code))).touched).toEqual([name]);
});

test('the check sees what is left open, and what is loaded', async () => {
  const code = `import 'node:fs'; import ${JSON.stringify(fileUrl('node_modules/superjson/dist/index.js'))}; setTimeout(() => {}, 1000)`;
  const { opened, packages } = await importAlone(codeUrl(code), 'keep');
  expect(opened).toEqual(['Timeout']);
  expect(packages).toEqual(['copy-anything', 'node:fs', 'superjson']);
});

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

/* What `listen` says of the package `ws` that the app has. */

const root = fileURLToPath(new URL('../', import.meta.url));

const script = `
import { defineContract, query } from 'tautline';
import { createServer } from 'tautline/server';
import { listen } from 'tautline/server/node';
const server = createServer(defineContract({ ping: query() }), { handlers: { ping: () => {} } });
const listener = await listen(server).catch((error) => console.log(error.message));
if (listener) console.log('it listens');
await listener?.close();
await server.close();
`;

/** In the place of `ws` stands what these hooks make of it. */
async function listenWith(hooks: string): Promise<{ stdout: string; stderr: string }> {
  const text = `import { registerHooks } from 'node:module';\n${hooks}`;
  const args = [
    '--import',
    `data:text/javascript,${encodeURIComponent(text)}`,
    '--input-type=module',
    '--eval',
    script,
  ];
  return promisify(execFile)(process.execPath, args, { cwd: root });
}

/** The version that its package.json tells. */
const ofVersion = (version: string): string => `registerHooks({
  load: (url, context, next) => url.endsWith('/ws/package.json')
    ? { format: 'json', shortCircuit: true, source: '{ "version": "${version}" }' }
    : next(url, context),
});`;

test('where there is none, what to install', async () => {
  const missing = `registerHooks({
    resolve: (name, context, next) => {
      if (name === 'ws') throw Object.assign(new Error('not found'), { code: 'ERR_MODULE_NOT_FOUND' });
      return next(name, context);
    },
  });`;
  const { stdout } = await listenWith(missing);
  expect(stdout).toBe('listen needs the package ws, which could not be loaded: npm install ws\n');
});

test('where it is too old to work, which one is needed', async () => {
  const { stdout } = await listenWith(ofVersion('7.5.14'));
  expect(stdout).toBe('listen needs ws 8.18 or later, and found 7.5.14: npm install ws@latest\n');
});

test('where it does not bound what a peer sends, a warning, and it listens', async () => {
  const { stdout, stderr } = await listenWith(ofVersion('8.22.2'));
  expect(stdout).toBe('it listens\n');
  expect(stderr).toContain('TautlineWarning: ws 8.22.2 bounds neither the pongs nor the fragments of a peer: use 8.23');
});

test('where it is as it should be, nothing', async () => {
  const { stdout, stderr } = await listenWith('');
  expect([stdout, stderr]).toEqual(['it listens\n', '']);
});

test('beside any zod, and any ws, npm installs it: it asks for no zod, for ws as wide as may be, and for nothing of need', () => {
  const { dependencies, peerDependencies, peerDependenciesMeta } = JSON.parse(
    readFileSync(`${root}package.json`, 'utf8'),
  ) as Record<'dependencies' | 'peerDependencies' | 'peerDependenciesMeta', Readonly<Record<string, unknown>>>;
  expect(Object.keys({ ...dependencies, ...peerDependencies })).not.toContain('zod');
  expect(peerDependencies.ws).toBe('>=7');
  const optional = Object.keys(peerDependencies).map((name) => [name, { optional: true }]);
  expect(peerDependenciesMeta).toEqual(Object.fromEntries(optional));
});

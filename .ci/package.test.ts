import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createContext, runInContext } from 'node:vm';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';

/* What the two builds promise; the package finds itself by its name, as an app does. */

const root = fileURLToPath(new URL('../', import.meta.url));

const script = `
import { topic, defineContract, TautlineError } from 'tautline';
import { superjson } from 'tautline/superjson';
import { createServer } from 'tautline/server';
import { z } from 'zod';
const contract = defineContract({ room: topic('room', { event: z.string() }) });
const server = createServer(contract, { handlers: { room: { authorize: () => true } } });
const published = await server.topic('room').publish(1).catch((error) => error);
let encoded;
try { superjson.encode(() => 1); } catch (error) { encoded = error; }
await server.close();
console.log(JSON.stringify([published, encoded].map((error) => [error instanceof TautlineError, error.code, error.message])));
`;

async function errorsOf(...options: readonly string[]): Promise<readonly [boolean, string, string][]> {
  const args = [...options, '--input-type=module', '--eval', script];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });
  return JSON.parse(stdout) as [boolean, string, string][];
}

describe('in each build all entries share the class of errors', () => {
  test('and the one without a condition names the page', async () => {
    const [published, encoded] = await errorsOf();
    expect(published?.slice(0, 2)).toEqual([true, 'BAD_INPUT']);
    expect(encoded).toEqual([true, 'BAD_PAYLOAD', 'BAD_PAYLOAD: tautline, see tautline/dist/errors.md#bad_payload']);
    expect(readFileSync(`${root}dist/errors.md`, 'utf8')).toContain('## BAD_PAYLOAD\n');
  });

  test('and the one for development says what is wrong', async () => {
    const [published, encoded] = await errorsOf('--conditions=development');
    expect(published?.slice(0, 2)).toEqual([true, 'BAD_INPUT']);
    expect(encoded?.slice(0, 2)).toEqual([true, 'BAD_PAYLOAD']);
    expect(encoded?.[2]).toContain("$ is a function, which the codec can't carry");
  });
});

test('nothing in it has a static block, which the tools of React Native 0.76 do not take; they look for `main`', () => {
  const files = readdirSync(`${root}dist`, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.js'),
  );
  expect(files).toContain('index.js');
  expect(files.filter((file) => /\bstatic \{/.test(readFileSync(`${root}dist/${file}`, 'utf8')))).toEqual([]);
  const { main } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { main: string };
  expect(existsSync(join(root, main))).toBe(true);
});

test('a program on a Node without a WebSocket is told what to pass, in production too', async () => {
  const program = `
    delete globalThis.WebSocket;
    const { connect, createClient, defineContract, query } = await import('tautline');
    const client = createClient(defineContract({ get: query({}) }), connect('ws://127.0.0.1:1'));
    const { error } = await client.get().safe();
    console.log(error.message, error.cause.message);
  `;
  for (const options of [[], ['--conditions=development']]) {
    const args = [...options, '--input-type=module', '--eval', program];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });
    expect(stdout).toMatch(/WebSocket.*pass .*option `?WebSocket/);
  }
});

test('both builds look at what others have by the names that it has there', async () => {
  const program = `
    Object.defineProperty(Symbol, 'observable', { value: Symbol('observable') });
    const { connect } = await import('tautline');
    const connection = connect('ws://127.0.0.1:1', { reconnect: false });
    console.log(connection.status.state, Symbol.observable in connection.state);
  `;
  for (const options of [[], ['--conditions=development']]) {
    const args = [...options, '--input-type=module', '--eval', program];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });
    expect(stdout).toBe('idle true\n'); // By `process.versions` it knows a server, where it waits until it is needed.
  }
});

test('nothing of development is left in the build for production', () => {
  const files = readdirSync(`${root}dist`, { recursive: true, withFileTypes: true }).filter(
    ({ name, parentPath }) =>
      name.endsWith('.js') && name !== 'tautline.global.js' && !parentPath.includes('development'),
  );
  expect(files.length).toBeGreaterThan(50);
  const texts = files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'utf8'));
  expect(texts.filter((text) => text.includes('DEVELOPMENT'))).toEqual([]);
  expect(existsSync(`${root}dist/codec/explain.js`)).toBe(false);
  expect(existsSync(`${root}dist/development/codec/explain.js`)).toBe(true);
});

test('a page in production loads no check of definitions, which a server makes', async () => {
  const stdin = { contents: "export * from 'tautline'; export * from 'tautline/core';", resolveDir: root };
  const loaded = async (conditions: string[]): Promise<boolean> => {
    const { metafile } = await build({
      stdin,
      conditions,
      bundle: true,
      write: false,
      metafile: true,
      tsconfigRaw: '{}',
    });
    return Object.keys(metafile.inputs).some((file) => /check-(definition|template)/u.test(file));
  };
  expect([await loaded([]), await loaded(['development'])]).toEqual([false, true]);
});

test.each([[[]], [['development']]])('a bundler has nothing to warn of, with the conditions %j', async (conditions) => {
  const contents =
    "export * from 'tautline'; export * from 'tautline/superjson'; export * from 'tautline/websocket'; export * from 'tautline/react'; export * from 'tautline/react/suspense'; export * from 'tautline/tanstack-query';";
  const stdin = { contents, resolveDir: root };
  const options = { bundle: true, write: false, format: 'esm', logLevel: 'silent', tsconfigRaw: '{}' } as const;
  const { warnings } = await build({ stdin, conditions, external: ['react'], ...options });
  expect(warnings).toEqual([]);
});

test('the hooks begin as what runs in a client, in both builds', () => {
  for (const file of ['react/index.js', 'react/suspense.js']) {
    for (const build of ['dist', 'dist/development']) {
      expect(readFileSync(`${root}${build}/${file}`, 'utf8')).toMatch(/^\s*"use client";\n/u);
    }
  }
});

test('its declarations need no types but those of what it depends on, and of Node, its peers and tools of tests', () => {
  const known =
    /^(?:\.|node:|react$|msw(?:\/|$)|@tanstack\/query-core$|vitest$|playwright$|superjson$|nanoevents$|@standard-schema\/spec$)/;
  const files = readdirSync(`${root}dist`, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.d.ts'),
  );
  expect(files).toContain(join('server', 'node.d.ts'));
  const foreign = files.flatMap((file) =>
    [...readFileSync(`${root}dist/${file}`, 'utf8').matchAll(/(?:from|import\() ?["']([^"']+)["']/g)]
      .map(([, name]) => name!)
      .filter((name) => !known.test(name))
      .map((name) => `${file}: ${name}`),
  );
  expect(foreign).toEqual([]);
});

test.each(['tautline.global.js', 'tautline.global.min.js'])('%s is a script that makes Tautline', (file) => {
  const page = createContext({});
  runInContext(readFileSync(`${root}dist/${file}`, 'utf8'), page);
  const { Tautline } = page as unknown as { Tautline: Record<string, unknown> };
  const functions = [
    'connect',
    'createClient',
    'defineContract',
    'mutation',
    'query',
    'shellLifecycle',
    'stream',
    'topic',
  ];
  expect(functions.filter((name) => typeof Tautline[name] !== 'function')).toEqual([]);
});

test('tautline.esm.min.js is a module that needs no other', async () => {
  const file = `${root}dist/tautline.esm.min.js`;
  expect(readFileSync(file, 'utf8')).not.toMatch(/\bfrom ?"|\bimport ?"/);
  expect(Object.keys((await import(file)) as object)).toEqual(expect.arrayContaining(['connect', 'shellLifecycle']));
});

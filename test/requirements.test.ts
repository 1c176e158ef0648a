import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findChromium } from './support/chromium.ts';
import { hasFirefox, hasWebKit } from './support/engines.ts';
import { findHaProxy } from './support/find-haproxy.ts';
import { findPostgres } from './support/find-postgres.ts';
import { findRedis } from './support/find-redis.ts';
import { requirements } from './support/requirements.ts';

function folders() {
  const base = mkdtempSync(join(tmpdir(), 'tautline-'));
  onTestFinished(() => rmSync(base, { recursive: true }));
  const [empty, full] = [join(base, 'empty'), join(base, 'full')];
  for (const folder of [empty, full]) mkdirSync(folder);
  const chromium = program(full, 'chromium-browser');
  // Of the right name, but no program.
  writeFileSync(join(full, 'chromium'), '');
  return { PATH: [empty, full].join(delimiter), empty, full, chromium };
}

function program(folder: string, name: string): string {
  const path = join(folder, name);
  writeFileSync(path, '');
  chmodSync(path, 0o755);
  return path;
}

test('Chromium is found in PATH', () => {
  const { PATH, chromium } = folders();
  expect(findChromium({ PATH })).toBe(chromium);
});

test('CHROMIUM_PATH comes first, and nothing takes its place when it is wrong', () => {
  const { PATH, empty } = folders();
  expect(findChromium({ PATH, CHROMIUM_PATH: process.execPath })).toBe(process.execPath);
  expect(findChromium({ PATH, CHROMIUM_PATH: join(empty, 'chromium') })).toBeUndefined();
});

test('no Chromium is found where there is none', () => {
  expect(findChromium({ PATH: folders().empty })).toBeUndefined();
  expect(findChromium({})).toBeUndefined();
});

test('Firefox is there with all that it takes, or it is not', () => {
  const { PATH, full } = folders();
  program(full, 'firefox-esr');
  expect(hasFirefox({ PATH })).toBe(false);
  program(full, 'setpriv');
  expect(hasFirefox({ PATH })).toBe(true);
});

test('WebKitGTK is not there without the screen that it draws on', () => {
  const { PATH, full } = folders();
  for (const name of ['WebKitWebDriver', 'setpriv']) program(full, name);
  expect(hasWebKit({ PATH })).toBe(false);
});

test('Redis is found, or Valkey in its place', () => {
  const { PATH, full } = folders();
  expect(findRedis({ PATH })).toBeUndefined();
  const valkey = program(full, 'valkey-server');
  expect(findRedis({ PATH })).toBe(valkey);
});

test('HAProxy is found where PATH does not reach', () => {
  const { full, empty } = folders();
  expect(findHaProxy({ PATH: empty }, full)).toBeUndefined();
  const haProxy = program(full, 'haproxy');
  expect(findHaProxy({ PATH: empty }, full)).toBe(haProxy);
  expect(findHaProxy({ PATH: full }, empty)).toBe(haProxy);
});

test('PostgreSQL is found with all that it takes to make a database', () => {
  const { PATH, full } = folders();
  const initdb = program(full, 'initdb');
  expect(findPostgres({ PATH }, '/nowhere')).toBeUndefined();
  program(full, 'postgres');
  expect(findPostgres({ PATH }, '/nowhere')).toBe(dirname(initdb));
});

test('each project of tests that needs a program can be left out on its own', () => {
  expect(requirements.map(({ project }) => project)).toEqual([
    'browser',
    'firefox',
    'webkit',
    'redis',
    'postgres',
    'haproxy',
  ]);
});

import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { CONNECT_DEFAULTS, TOPIC_EVENTS_DEFAULTS } from '../src/index.ts';
import { DEFAULT_LIMITS, DEFAULT_TIMES, MEMORY_BROKER_DEFAULTS } from '../src/server/index.ts';
import { root } from './support/source.ts';

const example = 'examples/quickstart/quickstart.ts';

test('the example of the README is the one that is compiled with the examples', () => {
  const readme = readFileSync(`${root}README.md`, 'utf8');
  expect(/```ts\n([^]*?)```/.exec(readme)?.[1]).toBe(readFileSync(root + example, 'utf8'));
});

test('the README has at most 200 lines', () => {
  expect(readFileSync(`${root}README.md`, 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(200);
});

test('the tables of the README and of its pages fit 100 columns', () => {
  const pages = readdirSync(`${root}examples/docs`).map((name) => `examples/docs/${name}`);
  const wide = ['README.md', ...pages].flatMap((page) =>
    readFileSync(root + page, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('|') && line.length > 100),
  );
  expect(wide).toEqual([]);
});

test('the sizes that are told are the limits of the build, rounded up', () => {
  const limits = JSON.parse(readFileSync(`${root}.size-limit.json`, 'utf8')) as Record<string, number>;
  const [, answer] = /## How large is it\?\n([^]*?)\n## /.exec(
    readFileSync(`${root}examples/docs/questions.md`, 'utf8'),
  )!;
  const told = [...answer!.matchAll(/\| (\d+) kB/g)].map(([, kB]) => Number(kB));
  const bundles = ['calls', 'calls-topics', 'everything', 'everything-superjson', 'one-file', 'web-socket'];
  expect(told).toEqual(bundles.map((bundle) => Math.ceil(limits[bundle]! / 1000)));
});

test('the example of the README runs, and ends by itself', async () => {
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--import', './examples/from-source.ts', example],
    { cwd: root },
  );
  expect(stdout.split('\n').sort()).toEqual(['', 'answered 40', 'counter is 40', 'refused, the limit is 100']);
  expect(stderr).toBe('');
});

test('the windows of its guarantees are the defaults of the code', () => {
  const defaults: Readonly<Record<string, unknown>> = {
    ...CONNECT_DEFAULTS,
    ...TOPIC_EVENTS_DEFAULTS,
    ...DEFAULT_LIMITS,
    ...DEFAULT_TIMES,
    ...MEMORY_BROKER_DEFAULTS,
  };
  const units: Readonly<Record<string, number>> = { s: 1_000, MiB: 1024 * 1024 };
  const readme = readFileSync(`${root}README.md`, 'utf8');
  const [, table] = /## What you may rely on\n([^]*?)\n\n-/.exec(readme)!;
  const named = [...table!.matchAll(/`(\w+)` (\d+) ?(s|MiB)?/g)];
  for (const [text, name, value, unit] of named) {
    expect([text, Number(value) * (unit === undefined ? 1 : units[unit]!)]).toEqual([text, defaults[name!]]);
  }
  const notes = table!.split(/\n(?=\d\. )/).slice(1);
  expect(notes.map((note) => /`\w+` \d/.test(note))).toEqual([true, true, true, true, true]);
  expect(new Set(named.map(([, name]) => name)).size).toBe(9);
});

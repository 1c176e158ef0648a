import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { root } from './support/source.ts';

const example = 'examples/quickstart/quickstart.ts';

test('the example of the README is the one that is compiled with the examples', () => {
  const readme = readFileSync(`${root}README.md`, 'utf8');
  expect(/```ts\n([^]*?)```/.exec(readme)?.[1]).toBe(readFileSync(root + example, 'utf8'));
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

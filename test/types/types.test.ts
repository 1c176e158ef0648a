import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { root } from '../support/source.ts';

/*
 * The types are tested by the compiler: a `*.test-d.ts` says what must be inferred, and by `@ts-expect-error` what
 * must be refused. A test here for each of those files.
 */

const compiler = fileURLToPath(new URL('bin/tsc', import.meta.resolve('@typescript/native/package.json')));

/** What the compiler finds in the type tests. An error may go on over indented lines. */
function compile(): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const args = [compiler, '-p', 'test/types', '--pretty', 'false'];
    execFile(process.execPath, args, { cwd: root }, (error, stdout, stderr) => {
      const errors = stdout.split(/\n(?! )/).filter((text) => text !== '');
      if (error !== null && errors.length === 0) reject(new Error(`The compiler did not run: ${stderr}`));
      else resolve(errors);
    });
  });
}

describe('types', () => {
  const compiled = compile();
  const files = readdirSync(new URL('.', import.meta.url)).filter((name) => name.endsWith('.test-d.ts'));

  test.each(files)('%s holds', async (file) => {
    expect((await compiled).filter((text) => text.startsWith(`test/types/${file}`))).toEqual([]);
  });

  test('nothing that the type tests import is at fault', async () => {
    expect((await compiled).filter((text) => !text.startsWith('test/types/'))).toEqual([]);
  });
});

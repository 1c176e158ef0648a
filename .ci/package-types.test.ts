import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

/*
 * The types of the package that was built, in the compilers and modes of those who use it: without a `lib` to add, with
 * the declarations of libraries checked too, and with what must be refused refused.
 */

const root = fileURLToPath(new URL('../', import.meta.url));

/** The lowest that is supported, the last of the 5s, and those of today. */
const COMPILERS: readonly (readonly [name: string, file: string, ...options: string[]])[] = [
  ['TypeScript 5.6', 'typescript-5-6/bin/tsc'],
  ['TypeScript 5.9', 'typescript-5-9/bin/tsc'],
  ['TypeScript 6', 'typescript/bin/tsc6', '--ignoreConfig'],
  ['TypeScript 7', '@typescript/native/bin/tsc', '--ignoreConfig'],
];
const MODULES = [
  ['nodenext', 'nodenext'],
  ['esnext', 'bundler'],
] as const;

/** A page needs no types of Node: where its types would lie, there are none. */
const FILES = [
  ['page', '--typeRoots', '.ci/consumer'],
  ['server', '--types', 'node'],
] as const;

const cases = COMPILERS.flatMap((compiler) =>
  ['true', 'false'].flatMap((strict) =>
    FILES.flatMap((file, at) => [{ compiler, strict, file, module: MODULES[(at + Number(strict === 'true')) % 2]! }]),
  ),
);

test.each(cases)(
  'are sound in $compiler.0, strict: $strict, for a $file.0',
  { timeout: 180_000 },
  async ({ compiler: [, compiler, ...options], strict, file: [file, ...types], module: [module, resolution] }) => {
    const args = [`node_modules/${compiler}`, ...options, `.ci/consumer/${file}.ts`, '--noEmit', '--pretty', 'false'];
    args.push('--strict', strict, '--skipLibCheck', 'false', '--target', 'es2022', ...types);
    args.push('--module', module, '--moduleResolution', resolution);
    const printed = await new Promise((resolve) => {
      execFile(process.execPath, args, { cwd: root }, (error, stdout, stderr) =>
        resolve(error === null ? stdout + stderr : `${error.message}\n${stdout}`),
      );
    });
    expect(printed).toBe('');
  },
);

import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';

/* The recipes for jest run as the page has them, with the package as it is installed. */

const root = fileURLToPath(new URL('../', import.meta.url));
const recipes = `${root}examples/recipes/testing`;
const page = readFileSync(`${root}examples/docs/testing-recipes.md`, 'utf8');

/** An app in a folder of its own. Other packages are found further up. */
function appWith(heading: string, type: string): string {
  mkdirSync(`${root}.reports`, { recursive: true });
  const app = mkdtempSync(`${root}.reports/jest-`);
  onTestFinished(() => rmSync(app, { recursive: true }));
  for (const part of ['dist', 'package.json'])
    cpSync(join(root, part), join(app, 'node_modules/tautline', part), { recursive: true });
  cpSync(recipes, app, { recursive: true });
  asForJest(join(app, 'pair.test.ts'));
  asForJest(join(app, 'room.test.tsx')); // The test of the stories is vitest's.
  writeFileSync(join(app, 'package.json'), JSON.stringify({ private: true, type }));
  const [, config] = new RegExp(`\n### ${heading}\n[^]*?\`\`\`js\n([^]*?)\`\`\``).exec(page)!;
  writeFileSync(join(app, 'jest.config.js'), config!);
  return app;
}

/** What the page says of the tests that it shows. */
function asForJest(file: string): void {
  const text = readFileSync(file, 'utf8')
    .replace(" from 'vitest';", " from '@jest/globals';")
    // In parts, or it would be said of this file.
    .replace(/^\/\/ @vitest-environment .*/, '/** @jest' + '-environment jest-fixed-jsdom */');
  writeFileSync(file, text);
}

/** How many tests passed of those in the files that `pattern` finds. */
async function passedIn(app: string, options: readonly string[], pattern: string): Promise<number> {
  const jest = `${root}node_modules/jest/bin/jest.js`;
  const args = [...options, jest, '--runInBand', '--json', '--cacheDirectory', join(app, 'cache'), pattern];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: app });
  return (JSON.parse(stdout) as { numPassedTests: number }).numPassedTests;
}

/** It ends what hangs: a busy machine takes long to transform them all. */
const timeout = 300_000;
const VM_MODULES = ['--experimental-vm-modules'];

test.each([
  ['CommonJS, Node 24.9 or later', 'commonjs', VM_MODULES, '(pair|room).test', 2],
  ['ES modules', 'module', VM_MODULES, '(pair|room).test', 2],
  ['CommonJS, an older Node', 'commonjs', [], 'pair', 1],
] as const)('jest runs the recipes: %s', { timeout }, async (heading, type, options, pattern, count) => {
  expect(await passedIn(appWith(heading, type), options, pattern)).toBe(count);
});

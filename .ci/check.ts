/*
 * `npm run check`: everything that can be said about the code without running it, and the built package: its size, its
 * speed, and the tests that are run against it.
 * `node .ci/check.ts types lint` runs some of the steps. All steps run, also after one that failed.
 * A step counts as one passed or one failed; .reports/check.json holds the sums for .ci/run.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));

/** Name and command; several commands may share a name. */
const steps: readonly (readonly [name: string, command: string])[] = [
  ['types', 'tsc -p .'],
  ['types', 'tsc -p test/portable'],
  ['types', 'tsc -p test'],
  ['types', 'tsc -p examples'],
  ['lint', 'eslint . --max-warnings 0'],
  ['format', 'prettier --check .'],
  ['unused', 'knip'],
  ['instantiations', 'node .ci/instantiations.ts'],
  // Looks at the package with publint and attw, too: see tsdown.config.ts.
  ['build', 'tsdown'],
  ['production', 'vitest run --config .ci/vitest.production.ts'],
  // Fails for what no noise explains. `npm run bench` says more.
  ['bench', 'node test/bench/main.ts --short --peers none'],
  ['size', 'node .ci/size.ts'],
  ['docs', 'typedoc'],
];

const names = new Set(steps.map(([name]) => name));
const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !names.has(name));
if (unknown.length > 0) {
  console.error(`No such step: ${unknown.join(', ')}. There are: ${[...names].join(', ')}.`);
  process.exit(2);
}

const failed: string[] = [];
const commands = steps.filter(([name]) => chosen.length === 0 || chosen.includes(name));
for (const [, command] of commands) {
  console.log(`\n> ${command}`);
  // npm put node_modules/.bin first in PATH; where this is started without npm, do the same.
  const PATH = `${root}node_modules/.bin:${process.env.PATH ?? ''}`;
  const { status } = spawnSync(command, { shell: true, cwd: root, stdio: 'inherit', env: { ...process.env, PATH } });
  if (status !== 0) failed.push(command);
}

for (const command of failed) console.log(`✗ ${command}`);
console.log(`\nChecks: ${commands.length - failed.length} passed, ${failed.length} failed`);
mkdirSync(`${root}.reports`, { recursive: true });
writeFileSync(
  `${root}.reports/check.json`,
  JSON.stringify({ passed: commands.length - failed.length, failed: failed.length, names: failed }),
);
process.exitCode = failed.length === 0 ? 0 : 1;

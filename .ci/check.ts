/*
 * `npm run check`: everything that can be said about the code without running it, and the built package: its size, its
 * speed, and the tests that are run against it.
 * `node .ci/check.ts types lint` runs some of the steps. All steps run, also after one that failed.
 * A step counts as one passed or one failed; .reports/check.json holds the sums for .ci/run.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));

type Step = readonly [name: string, command: string];

/** Name and command of what only reads the sources; several commands may share a name. Two at a time, the longest first. */
const readers: readonly Step[] = [
  ['lint', 'eslint . --max-warnings 0'],
  ['types', 'tsc -p .'],
  ['types', 'tsc -p test/portable'],
  ['types', 'tsc -p test'],
  ['types', 'tsc -p examples'],
  ['docs', 'typedoc'],
  ['instantiations', 'node .ci/instantiations.ts'],
  ['format', 'prettier --check .'],
  ['unused', 'knip'],
];
/** What makes the package, stands on it, or measures: one after another. */
const builders: readonly Step[] = [
  // Looks at the package with publint and attw, too: see tsdown.config.ts.
  ['build', 'tsdown'],
  ['production', 'vitest run --config .ci/vitest.production.ts'],
  // Fails for what no noise explains. `npm run bench` says more.
  ['bench', 'node test/bench/main.ts --short --peers none'],
  ['size', 'node .ci/size.ts'],
];
const steps = [...readers, ...builders];

const names = new Set(steps.map(([name]) => name));
const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !names.has(name));
if (unknown.length > 0) {
  console.error(`No such step: ${unknown.join(', ')}. There are: ${[...names].join(', ')}.`);
  process.exit(2);
}

const failed: string[] = [];
const isChosen = ([name]: Step): boolean => chosen.length === 0 || chosen.includes(name);
const commands = steps.filter(isChosen);
const waiting = readers.filter(isChosen);
await Promise.all([runAll(waiting), runAll(waiting)]);
await runAll(builders.filter(isChosen));

/** Runs what is in the list until it is empty. */
async function runAll(list: Step[]): Promise<void> {
  for (let step = list.shift(); step !== undefined; step = list.shift()) await run(step[1]);
}

/** Shows what it has said when it has ended: another one may run beside it. */
async function run(command: string): Promise<void> {
  // npm put node_modules/.bin first in PATH; where this is started without npm, do the same.
  const PATH = `${root}node_modules/.bin:${process.env.PATH ?? ''}`;
  const child = spawn(`${command} 2>&1`, {
    shell: true,
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, PATH },
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  const [code] = (await once(child, 'close')) as [number | null];
  console.log(`\n> ${command}\n${said}`);
  if (code !== 0) failed.push(command);
}

for (const command of failed) console.log(`✗ ${command}`);
console.log(`\nChecks: ${commands.length - failed.length} passed, ${failed.length} failed`);
mkdirSync(`${root}.reports`, { recursive: true });
writeFileSync(
  `${root}.reports/check.json`,
  JSON.stringify({ passed: commands.length - failed.length, failed: failed.length, names: failed }),
);
process.exitCode = failed.length === 0 ? 0 : 1;

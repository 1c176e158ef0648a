/*
 * Takes one rule of the protocol after the other out of a copy of the code, and looks whether the simulation finds it:
 *   node test/simulation/run-mutations.ts [part of a name]…
 * Takes minutes: a mutation that survives has lived through all worlds.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MUTATIONS } from './mutations.ts';
import type { Mutation } from './mutation.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const WORLDS = '180';
/** A mutation that makes the code run for ever is found, too. */
const LONGEST_MS = 10 * 60_000;

const wanted = process.argv.slice(2);
const chosen = MUTATIONS.filter(({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)));
const copy = mkdtempSync(join(tmpdir(), 'tautline-mutations-'));
let survived = 0;
try {
  for (const name of ['src', 'test', 'package.json', 'tsconfig.json', 'vitest.config.ts']) {
    cpSync(join(root, name), join(copy, name), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  for (const mutation of chosen) {
    const found = withMutation(mutation, () => simulate(mutation));
    if (found === undefined) survived++;
    console.log(
      `${found === undefined ? 'SURVIVED' : 'killed  '} ${mutation.name}${found === undefined ? '' : `: ${found}`}`,
    );
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
console.log(`${String(chosen.length - survived)} of ${String(chosen.length)} killed`);
process.exitCode = survived === 0 ? 0 : 1;

function withMutation<Result>(mutation: Mutation, run: () => Result): Result {
  const edits = [mutation, ...(mutation.and === undefined ? [] : [mutation.and])].map(({ file, find, replace }) => {
    const path = join(copy, file);
    const before = readFileSync(path, 'utf8');
    writeFileSync(
      path,
      before.replace(find, () => replace),
    );
    return { path, before };
  });
  try {
    return run();
  } finally {
    for (const { path, before } of edits) writeFileSync(path, before);
  }
}

/** How the simulation fails, or nothing where it does not. */
function simulate({ foundBy = 'simulation.test.ts' }: Mutation): string | undefined {
  const file = posix.join('test/simulation', foundBy);
  const vitest = join(copy, 'node_modules/vitest/vitest.mjs');
  const { status, stdout, stderr, signal } = spawnSync(
    process.execPath,
    [vitest, 'run', '--project', 'node', '--bail', '1', file],
    {
      cwd: copy,
      encoding: 'utf8',
      timeout: LONGEST_MS,
      env: { ...process.env, SIMULATION_WORLDS: WORLDS, NO_COLOR: '1' },
    },
  );
  if (signal !== null) return 'it never ends';
  if (status === 0) return undefined;
  const said = stdout + stderr;
  if (!stdout.includes(file)) throw new Error(`the simulation did not run: ${said}`);
  return /^\d+ ms: .*$/m.exec(said)?.[0] ?? /^\w*Error: .*$/m.exec(said)?.[0] ?? 'it fails';
}

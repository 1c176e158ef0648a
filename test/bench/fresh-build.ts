import { spawnSync } from 'node:child_process';
import { existsSync, globSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Builds the package where its build is not there, or older than a source: the figures would be those of other code. */
export function buildWhereStale(): void {
  const built = `${root}dist/index.js`;
  if (existsSync(built)) {
    const builtAt = statSync(built).mtimeMs;
    if (globSync(`${root}src/**/*.ts`).every((file) => statSync(file).mtimeMs <= builtAt)) return;
  }
  const tsdown = fileURLToPath(new URL('dist/run.mjs', import.meta.resolve('tsdown/package.json')));
  console.log('Building the package.');
  const { status, stdout, stderr } = spawnSync(process.execPath, [tsdown], { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`the build failed:\n${stdout}${stderr}`);
}

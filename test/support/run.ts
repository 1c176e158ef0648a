/*
 * `npm test`: runs all tests (or those that the arguments choose, as with vitest) and says at the end what it left
 * out, because this machine lacks something, and how to get it. With CI=true leaving something out is a failure.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { requirements } from './requirements.ts';
import { summarise } from './summary.ts';
import type { VitestReport } from './summary.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const reports = `${root}.reports/`;
const ci = process.env.CI !== undefined && process.env.CI !== '' && process.env.CI !== 'false';

mkdirSync(reports, { recursive: true });
rmSync(`${reports}vitest.json`, { force: true });
rmSync(`${reports}tests.json`, { force: true });

const leftOut = requirements.filter((requirement) => !requirement.isMet());
const exitCode = await runVitest(leftOut.map(({ project }) => `--project=!${project}`));
const { lines, passed, failed } = summarise({ exitCode, report: readReport(), leftOut, ci });
console.log(`\n${lines.join('\n')}`);
writeFileSync(`${reports}tests.json`, JSON.stringify({ passed, failed }));
process.exitCode = failed === 0 ? 0 : 1;

function runVitest(choice: readonly string[]): Promise<number> {
  const vitest = fileURLToPath(new URL('vitest.mjs', import.meta.resolve('vitest/package.json')));
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reports}vitest.json`];
  const args = [vitest, 'run', ...reporters, ...choice, ...process.argv.slice(2)];
  const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });
  // Ctrl-C reaches vitest, too: wait for it to clean up, then sum up.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}

function readReport(): VitestReport | undefined {
  try {
    return JSON.parse(readFileSync(`${reports}vitest.json`, 'utf8')) as VitestReport;
  } catch {
    return undefined;
  }
}

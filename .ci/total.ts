/* The last line of .ci/run: sums up the reports of .ci/check.ts and test/support/run.ts. */
import { readFileSync } from 'node:fs';

interface Sums {
  readonly passed: number;
  readonly failed: number;
  /** Of what failed. */
  readonly names?: readonly string[];
}

function read(report: string): Sums {
  try {
    return JSON.parse(readFileSync(new URL(`../.reports/${report}`, import.meta.url), 'utf8')) as Sums;
  } catch {
    console.log(`No .reports/${report}: its step died.`);
    return { passed: 0, failed: 1 };
  }
}

const sums = [read('check.json'), read('tests.json')];
const passed = sums.reduce((sum, report) => sum + report.passed, 0);
const failed = sums.reduce((sum, report) => sum + report.failed, 0);
// Each said so where it failed, which may be far above.
for (const name of sums.flatMap(({ names = [] }) => names)) console.log(`✗ ${name}`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

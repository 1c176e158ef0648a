import { describe, expect, test } from 'vitest';
import { requirements } from './support/requirements.ts';
import { summarise } from './support/summary.ts';
import type { RunOutcome, VitestReport } from './support/summary.ts';

type FileResult = VitestReport['testResults'][number];

const file = (name: string, statuses: readonly string[], status = 'passed'): FileResult => ({
  name,
  status,
  assertionResults: statuses.map((each, index) => ({ fullName: `${name} ${index}`, status: each })),
});

const run = (files: readonly FileResult[], more: Partial<RunOutcome> = {}) =>
  summarise({ exitCode: 0, report: { testResults: files }, leftOut: [], ci: false, ...more });

describe('the summary of a run', () => {
  test('counts what passed', () => {
    expect(run([file('a', ['passed', 'passed']), file('b', ['passed'])])).toEqual({
      lines: ['Tests: 3 passed, 0 failed'],
      passed: 3,
      failed: 0,
    });
  });

  test('counts what failed', () => {
    const summary = run([file('a', ['passed', 'failed'], 'failed')], { exitCode: 1 });
    expect(summary).toEqual({ lines: ['Tests: 1 passed, 1 failed'], passed: 1, failed: 1 });
  });

  test('counts a file that failed outside of its tests as a failure', () => {
    const summary = run([file('a', [], 'failed'), file('b', ['passed'])], { exitCode: 1 });
    expect(summary).toEqual({
      lines: ['✗ failed outside of a test: a', 'Tests: 1 passed, 1 failed'],
      passed: 1,
      failed: 1,
    });
  });

  test('is a failure when no test ran', () => {
    expect(run([])).toMatchObject({ lines: ['✗ no test ran', 'Tests: 0 passed, 1 failed'], failed: 1 });
  });

  test('is a failure when vitest wrote no report', () => {
    expect(run([], { report: undefined, exitCode: 1 })).toMatchObject({ passed: 0, failed: 1 });
  });

  test('is a failure when all tests passed and vitest did not end well', () => {
    const summary = run([file('a', ['passed'])], { exitCode: 1 });
    expect(summary).toMatchObject({ lines: ['✗ vitest ended with exit code 1', 'Tests: 1 passed, 1 failed'] });
  });

  test('names the tests that did not run; in CI they failed', () => {
    const files = [file('a', ['passed', 'skipped', 'todo'])];
    expect(run(files)).toEqual({
      lines: ['Did not run: a 1', 'Did not run: a 2', 'Tests: 1 passed, 0 failed, 2 did not run'],
      passed: 1,
      failed: 0,
    });
    expect(run(files, { ci: true })).toEqual({
      lines: ['✗ did not run: a 1', '✗ did not run: a 2', 'Tests: 1 passed, 2 failed, 2 did not run'],
      passed: 1,
      failed: 2,
    });
  });

  test('says what was left out and how to get it; in CI that is a failure', () => {
    const files = [file('a', ['passed'])];
    const [chromium] = requirements;
    expect(chromium).toMatchObject({ name: 'Chromium', project: 'browser' });
    const { lines, failed } = run(files, { leftOut: requirements.slice(0, 1) });
    expect(failed).toBe(0);
    expect(lines.join('\n')).toContain('Left out: the browser tests, they need Chromium. To get it:\n');
    expect(lines.join('\n')).toContain('apt-get install chromium');
    expect(lines.at(-1)).toBe('Tests: 1 passed, 0 failed, browser tests left out');
    const all = run(files, { leftOut: requirements }).lines;
    expect(all.join('\n')).toMatch(
      /they need Firefox[^]*install firefox-esr[^]*they need WebKitGTK[^]*install webkit2gtk/,
    );
    expect(all.at(-1)).toMatch(
      /failed, browser tests left out, firefox tests left out, webkit tests left out, redis tests left out, postgres tests left out, haproxy tests left out$/,
    );
    expect(run(files, { leftOut: requirements, ci: true })).toMatchObject({ passed: 1, failed: requirements.length });
  });

  test('lists the first of many', () => {
    const { lines } = run([file('a', ['passed', ...Array<string>(30).fill('skipped')])]);
    expect(lines).toHaveLength(22);
    expect(lines.at(-2)).toBe('… and 10 more');
  });
});

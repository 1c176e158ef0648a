import type { Requirement } from './requirements.ts';

/** What is read of the report that vitest's JSON reporter writes. */
export interface VitestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

/** How a run of the tests ended. */
export interface RunOutcome {
  /** Of the vitest process. */
  readonly exitCode: number;
  /** Missing where vitest ended before it wrote one. */
  readonly report: VitestReport | undefined;
  readonly leftOut: readonly Requirement[];
  /** Nobody reads along: whatever did not run is a failure. */
  readonly ci: boolean;
}

/** The closing words of a run, and its verdict. `passed` and `failed` count tests, and one for each further fault. */
export interface Summary {
  readonly lines: readonly string[];
  readonly passed: number;
  readonly failed: number;
}

const LISTED = 20;

/** Sums up a run. Nothing is left out in silence: each fault that no test stands for counts as one failure. */
export function summarise({ exitCode, report, leftOut, ci }: RunOutcome): Summary {
  const files = report?.testResults ?? [];
  const tests = files.flatMap((file) => file.assertionResults);
  const passed = tests.filter(({ status }) => status === 'passed').length;
  const failedTests = tests.filter(({ status }) => status === 'failed').length;
  const notRun = tests.filter(({ status }) => status !== 'passed' && status !== 'failed');
  // A file that throws while it is imported, or in a hook, fails without a test that says so.
  const brokenFiles = files.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some(({ status }) => status === 'failed'),
  );

  const faults = brokenFiles.map((file) => `failed outside of a test: ${file.name}`);
  if (report === undefined) faults.push('vitest ended without a report');
  else if (passed + failedTests === 0) faults.push('no test ran');
  if (ci) faults.push(...notRun.map(({ fullName }) => `did not run: ${fullName}`));
  if (ci) faults.push(...leftOut.map(({ name }) => `left out, needs ${name}`));
  if (exitCode !== 0 && failedTests + faults.length === 0) faults.push(`vitest ended with exit code ${exitCode}`);

  const failed = failedTests + faults.length;
  const lines = [
    ...limited(faults.map((fault) => `✗ ${fault}`)),
    ...(ci ? [] : limited(notRun.map(({ fullName }) => `Did not run: ${fullName}`))),
    ...leftOut.flatMap(({ name, project, howToGet }) => [
      `Left out: the ${project} tests, they need ${name}. To get it:`,
      ...howToGet.map((way) => `  ${way}`),
    ]),
    [
      `Tests: ${passed} passed, ${failed} failed`,
      ...(notRun.length > 0 ? [`${notRun.length} did not run`] : []),
      ...leftOut.map(({ project }) => `${project} tests left out`),
    ].join(', '),
  ];
  return { lines, passed, failed };
}

function limited(lines: readonly string[]): readonly string[] {
  return lines.length <= LISTED ? lines : [...lines.slice(0, LISTED), `… and ${lines.length - LISTED} more`];
}

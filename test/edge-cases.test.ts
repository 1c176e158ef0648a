import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const here = new URL('./', import.meta.url);

/** What stands in a row: tests, or why there is none. */
interface Row {
  readonly text: string;
  readonly tests: ReadonlyArray<{ readonly file: string; readonly title: string }>;
  readonly reasons: readonly string[];
}

/** Rows of all tables of a page, without the heads. */
function rowsOf(page: string): Row[] {
  const lines = page.split('\n').filter((line) => line.startsWith('|') && !/^\| (case|---) \|/.test(line));
  return lines.map((text) => {
    const parts = text.split(' | ')[1]?.replace(/ \|$/, '').split(' <br> ') ?? [];
    const tests = parts.flatMap((part) => {
      const { file, title } = /^`(?<file>[\w./-]+)`: (?<title>.+)$/.exec(part)?.groups ?? {};
      return file !== undefined && title !== undefined ? [{ file: `${file}.test.ts`, title }] : [];
    });
    const reasons = parts.filter((part) => /^(not ours|open): .{10}/.test(part));
    return { text, tests, reasons: tests.length + reasons.length === parts.length ? reasons : [] };
  });
}

/** Titles of tests, and of what groups them, as they are written. */
function titlesOf(source: string): string[] {
  // After `test(`, or after the end of the table of a `test.each([…])`.
  const call =
    /(?:\b(?:test|describe)(?:\.(?:each|for)\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))?|^ *\]\))\(\s*(['"`])(?<title>.*?)\1,/gms;
  return [...source.matchAll(call)].map(({ groups }) => groups!.title!);
}

/** What is wrong with a row. */
function faultsOf({ text, tests, reasons }: Row): string[] {
  if (tests.length + reasons.length === 0) return [`neither a test nor a reason: ${text}`];
  return tests.flatMap(({ file, title }) => {
    const path = new URL(file, here);
    if (!existsSync(path)) return [`no such file: ${file}`];
    const found = titlesOf(readFileSync(path, 'utf8')).some((each) => each.includes(title));
    return found ? [] : [`no test in ${file} has in its title: ${title}`];
  });
}

describe('the table of edge cases', () => {
  test('names tests that exist, or a reason, in every row', () => {
    const rows = rowsOf(readFileSync(new URL('edge-cases.md', here), 'utf8'));
    expect(rows.length).toBeGreaterThan(100);
    expect(rows.flatMap(faultsOf)).toEqual([]);
  });

  test('is read as it is written: what is not there is found', () => {
    const page = [
      '| case | test |',
      '| --- | --- |',
      '| good | `edge-cases`: what is not there is found <br> `edge-cases`: the table of edge cases |',
      '| reasoned | not ours: for a reason of some length |',
      '| no file | `nowhere`: anything |',
      '| no title | `edge-cases`: what nobody %s ever wrote as a title |',
      '| nothing |  |',
      '| malformed | `edge-cases` is read |',
    ].join('\n');
    expect(rowsOf(page).map(faultsOf)).toEqual([
      [],
      [],
      ['no such file: nowhere.test.ts'],
      ['no test in edge-cases.test.ts has in its title: what nobody %s ever wrote as a title'],
      [expect.stringMatching(/^neither/)],
      [expect.stringMatching(/^neither/)],
    ]);
  });
});

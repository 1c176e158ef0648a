import { expect, test } from 'vitest';
import { describeIssues, portableIssues } from '../../src/contract/issues.ts';
import type { Issue } from '../../src/errors.ts';

test('issues become plain JSON: a path is made of keys and indexes, whatever a library puts into it', () => {
  const path = ['a', { key: 1 }, Symbol('s'), { key: Object.create(null) }, { key: null }, NaN] as never;
  const issues: Issue[] = [{ message: 'wrong', path }, { message: 'alone' }, { message: 'root', path: [] }];
  expect(portableIssues(issues)).toEqual([
    { message: 'wrong', path: ['a', 1, 'Symbol(s)', '(object)', '(object)', 'NaN'] },
    { message: 'alone' },
    { message: 'root' },
  ]);
});

test('they are bounded in number, in length each, and in length together', () => {
  const many = Array.from({ length: 100_000 }, (_, index) => ({ message: 'm', path: [index] }));
  expect(portableIssues(many)).toEqual(many.slice(0, 16));
  expect(describeIssues(many)).toMatch(/^\[0\]: m; .*\[15\]: m; and 99984 more$/);
  const [long] = portableIssues([
    { message: 'x'.repeat(1_000), path: ['y'.repeat(1_000), ...Array.from({ length: 50 }, () => 1)] },
  ]);
  expect(long).toEqual({ message: `${'x'.repeat(255)}…`, path: [`${'y'.repeat(127)}…`, ...Array(15).fill(1)] });
  const wide = Array.from({ length: 16 }, () => ({ message: 'x'.repeat(256), path: Array(16).fill('y'.repeat(128)) }));
  expect(JSON.stringify(portableIssues(wide)).length).toBeLessThan(5_000);
});

test('a cut never leaves half a character', () => {
  const [issue] = portableIssues([{ message: `${'x'.repeat(254)}😀😀` }]);
  expect(issue).toEqual({ message: `${'x'.repeat(254)}…` });
});

test('lists of a class of the library’s own are read and not made more of', () => {
  class Listed extends Array<never> {
    constructor(owner: object) {
      if (typeof owner !== 'object') throw new Error('made by slice or map');
      super();
    }
  }
  const listed = (...items: unknown[]) => {
    const list = new Listed({});
    list.push(...(items as never[]));
    return list;
  };
  const issues = listed({ message: 'wrong', path: listed('a', 1) });
  expect(portableIssues(issues)).toEqual([{ message: 'wrong', path: ['a', 1] }]);
});

test('for people, paths are written as in code', () => {
  expect(
    describeIssues([
      { message: 'too long', path: ['tags', 2, 'name'] },
      { message: 'odd', path: [0] },
    ]),
  ).toBe('tags[2].name: too long; [0]: odd');
});

import { expect, test } from 'vitest';
import { HEADER, isReached, line, percentile } from './figures.ts';

test('the median is what has to reach the must; no figure does not', () => {
  const title = 'p50, ms';
  expect(isReached({ title, rounds: [0.2, 1, 9], must: 1 })).toBe(true);
  expect(isReached({ title, rounds: [0.2, 1.1, 1.2], must: 1 })).toBe(false);
  expect(isReached({ title, rounds: [1, 1.2], must: 1 })).toBe(false);
  expect(isReached({ title, rounds: [], must: 1 })).toBe(false);
  expect(isReached({ title, rounds: [NaN], must: 1 })).toBe(false);
  expect(isReached({ title, rounds: [9_000] })).toBe(true);
});

test('a line shows the median, the least and the most of the rounds, and whether it will do', () => {
  const cells = (text: string): readonly string[] =>
    text
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
  expect(cells(line({ title: 'CPU', rounds: [1.2, 1.034, 0.99], must: 1.1 }))).toEqual([
    'CPU',
    '≤ 1.1',
    '1.03 (0.99–1.2)',
    '✓',
  ]);
  expect(cells(line({ title: 'lost', rounds: [3, 1], must: 0 }))).toEqual(['lost', '≤ 0', '2 (1–3)', '✗']);
  expect(cells(line({ title: 'p99', rounds: [12.5] }))).toEqual(['p99', '', '12.5 (12.5–12.5)', '']);
});

test('lines are as wide as their header, and fit a page', () => {
  const [width = 0] = HEADER.split('\n').map((text) => text.length);
  expect(line({ title: 'CPU', rounds: [1.2, 1.03, 0.99], must: 1.1 })).toHaveLength(width);
  expect(width).toBeLessThanOrEqual(100);
});

test('a percentile of what has no order', () => {
  const values = Array.from({ length: 100 }, (_, index) => (index * 37) % 100);
  expect([0, 0.5, 0.99, 1].map((part) => percentile(values, part))).toEqual([0, 50, 99, 99]);
});

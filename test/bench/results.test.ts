import { expect, test } from 'vitest';
import { readOptions } from './options.ts';
import { judge, spreadOf, type Round, type Turn } from './results.ts';
import type { Row } from './workload.ts';

const rate: Row = {
  title: 'calls',
  figure: 'rate',
  shows: 'ratio',
  better: 'more',
  rawUnit: '/s',
  must: 2,
  aim: 3,
  floor: 1,
};
const size: Row = { ...rate, shows: 'figure', better: 'less', must: 200, aim: 100, floor: 400 };

const turn = (raw: number, tautline: number): Turn =>
  new Map([
    ['raw', { rate: raw }],
    ['tautline', { rate: tautline }],
  ]);

const rounds: readonly Round[] = [
  [turn(10, 20), turn(100, 300), turn(1, 40)],
  [turn(10, 10)],
  [turn(5, 25), turn(5, 35)],
];

test('ratios are taken within a turn, medians within a round', () => {
  expect(spreadOf(rate, 'tautline', rounds)).toEqual({ median: 3, min: 1, max: 6 });
  expect(spreadOf(size, 'tautline', rounds)).toEqual({ median: 30, min: 10, max: 40 });
});

test('a peer that failed in a turn has the others, and none where it failed in all', () => {
  const half: Round = [turn(1, 2), new Map([['raw', { rate: 1 }]])];
  expect(spreadOf(rate, 'tautline', [half])).toEqual({ median: 2, min: 2, max: 2 });
  expect(spreadOf(rate, 'trpc', [half])).toBeUndefined();
});

test.each([
  [rate, [3, 2, 1.9, 1, 0.9]],
  [size, [100, 200, 201, 400, 401]],
])('a figure reaches the aim, the must, neither, or is below the floor', (row, values) => {
  expect(values.map((value) => judge(row, value))).toEqual(['aim', 'must', 'missed', 'missed', 'failed']);
});

test('a row of which nothing is wanted is not judged', () => {
  expect(judge({ title: 'wall', figure: 'wall', shows: 'ratio', better: 'more', rawUnit: '/s' }, 0)).toBe('none');
});

test('options have defaults, and what makes no sense is named', () => {
  const read = (...args: string[]) => readOptions(args, ['calls', 'events']);
  expect(read()).toMatchObject({ rows: [], rounds: 5, isShort: false, source: 'dist', peers: ['socket.io', 'trpc'] });
  expect(read('--short', '--peers', 'none')).toMatchObject({ rounds: 3, isShort: true, peers: [] });
  expect(read('--rows', 'events', '--from', 'src')).toMatchObject({ rows: ['events'], source: 'src' });
  expect(() => read('--rows', 'calls,evens')).toThrow('--rows: no such thing as evens: give calls,events');
  expect(() => read('--rounds', '0')).toThrow('--rounds is 0');
  expect(() => read('--from', 'lib')).toThrow('--from is lib');
});

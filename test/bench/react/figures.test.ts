import { expect, test } from 'vitest';
import { EVENTS, HEADER, HOOK_NAMES, missed, row, type Figures } from './figures.ts';

const owed: Figures = { shown: EVENTS, renders: 105, frames: 100, errors: 0, ms: 3_000 };
const [everyChange, perFrame, ...others] = HOOK_NAMES;

test('a lost event and an error are missed by both ways of useTopic, renders by that of a frame alone', () => {
  const lost = { ...owed, shown: EVENTS - 1, errors: 2 };
  for (const name of [everyChange, perFrame] as const) {
    expect(missed(name, owed)).toEqual([]);
    expect(missed(name, lost)).toEqual([`${name}: 5999 of 6000 events are shown`, `${name}: 2 errors`]);
  }
  const often = { ...owed, renders: 106 };
  expect(missed(everyChange, often)).toEqual([]);
  expect(missed(perFrame, often)).toEqual([`${perFrame}: 106 renders in 100 frames`]);
});

test('nothing is owed by what it is compared with', () => {
  for (const name of others) expect(missed(name, { ...owed, shown: 1, errors: 9, renders: 9_000 })).toEqual([]);
});

test('rows are as wide as their header', () => {
  const [width] = HEADER.split('\n').map((line) => line.length);
  for (const name of HOOK_NAMES) expect(row(name, { ...owed, ms: 41_900 })).toHaveLength(width!);
});

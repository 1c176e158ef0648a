import { describe, expect, test } from 'vitest';
import { isReached, line } from './availability/figures.ts';
import { ROWS } from './availability/rows.ts';

describe('how long users are away, on a clock that does not wait', () => {
  test.each(ROWS)('$title', { timeout: 60_000 }, async ({ title, measure }) => {
    const figures = await measure();
    expect(figures.filter((figure) => !isReached(figure)).map((figure) => line(title, figure))).toEqual([]);
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as CloseCode from '../../src/protocol/close-code.ts';
import { closeReaction, parseRetryAfter, truncateReason } from '../../src/protocol/close-reaction.ts';
import type { CloseReaction } from '../../src/protocol/close-reaction.ts';
import { anyText } from './text.arbitrary.ts';

const table: Readonly<Record<CloseReaction, readonly number[]>> = {
  stop: [1000, 1008, 1010, 3003, 4403, 4406, 3500, 3999, 4500, 4999],
  retry: [0, 1004, 1005, 1006, 3001, 3008, 3499, 4000, 4404, 4408, 4499, 2999, 5000, -1, NaN],
  'retry-shared': [1001, 1011, 1014, 1015],
  'retry-once': [1002, 1003, 1007, 4400],
  restart: [1012],
  overload: [1013, 4429],
  credentials: [3000, 4401],
  'taken-over': [4409],
  'other-identity': [4410],
  'too-large': [1009],
};

describe('closeReaction', () => {
  const rows = Object.entries(table).flatMap(([reaction, codes]) => codes.map((code) => ({ code, reaction })));

  test.each(rows)('answers $code with $reaction.', ({ code, reaction }) => {
    expect(closeReaction(code)).toBe(reaction);
  });

  test('has a row in this test for every named code.', () => {
    const tested = new Set(rows.map(({ code }) => code));
    expect(Object.values({ ...CloseCode }).filter((code) => !tested.has(code))).toEqual([]);
  });
});

describe('truncateReason', () => {
  const bytes = (text: string): number => new TextEncoder().encode(text).length;

  test('leaves a reason of 123 bytes as it is and cuts the 124th.', () => {
    expect(truncateReason('a'.repeat(123))).toBe('a'.repeat(123));
    expect(truncateReason('a'.repeat(124))).toBe('a'.repeat(123));
  });

  test('never cuts within a character.', () => {
    expect(truncateReason(`${'a'.repeat(122)}é`)).toBe('a'.repeat(122));
    expect(truncateReason(`${'a'.repeat(121)}世`)).toBe('a'.repeat(121));
    expect(truncateReason(`${'a'.repeat(120)}🌍`)).toBe('a'.repeat(120));
    expect(truncateReason(`${'a'.repeat(119)}🌍`)).toBe(`${'a'.repeat(119)}🌍`);
  });

  test('gives the longest beginning that fits, for any text.', () => {
    fc.assert(
      fc.property(anyText(0, 200), (reason) => {
        const cut = truncateReason(reason);
        expect(reason.startsWith(cut)).toBe(true);
        expect(bytes(cut)).toBeLessThanOrEqual(123);
        const [following] = reason.slice(cut.length);
        if (following !== undefined) expect(bytes(cut + following)).toBeGreaterThan(123);
      }),
    );
  });

  test('counts a lone surrogate as the three bytes that are sent for it.', () => {
    expect(truncateReason('\ud800'.repeat(42))).toBe('\ud800'.repeat(41));
  });
});

describe('parseRetryAfter', () => {
  test.each([
    ['retry-after=4200', 4200],
    ['retry-after=0', 0],
    ['retry-after=4200; overloaded', 4200],
    ['retry-after=86400001', 86_400_000],
    [`retry-after=${'9'.repeat(100)}`, 86_400_000],
    ['', undefined],
    ['retry-after=', undefined],
    ['retry-after=-1', undefined],
    ['retry-after=soon', undefined],
    ['Retry-After=4200', undefined],
    ['please: retry-after=4200', undefined],
  ])('reads %j as %j.', (reason, delayMs) => {
    expect(parseRetryAfter(reason)).toBe(delayMs);
  });
});

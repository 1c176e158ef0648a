import { expect, test } from 'vitest';
import { keyOf } from '../../src/react/key-of.ts';

test('inputs that say the same have one key', () => {
  const date = () => new Date(5);
  for (const [one, other] of [
    [
      { a: 1, b: { d: 2, c: 3 } },
      { b: { c: 3, d: 2 }, a: 1 },
    ],
    [{ a: 1, b: undefined }, { a: 1 }],
    [{ at: date() }, { at: date() }],
    [new Set(['a']), new Set(['a'])],
    [new Map([['a', { b: 1, c: 2 }]]), new Map([['a', { c: 2, b: 1 }]])],
    [NaN, NaN],
    [new URL('http://a.test/'), new URL('http://a.test')],
  ]) {
    expect(keyOf(one)).toBe(keyOf(other));
  }
});

test('inputs that say something else have each their own', () => {
  const inputs = [
    ...[undefined, null, NaN, Infinity, -Infinity, 0, false, '', 'null', 'NaN', '1n', 1n, 1, '1'],
    ...[[], {}, new Set(), new Map(), [null], [undefined], [NaN], [[]], ['a', 'b'], ['a,b'], ['a","b']],
    ...[
      [['a', 1]],
      new Set([['a', 1]]),
      new Map([['a', 1]]),
      new Set(['a', 'b']),
      'Set["a","b"]',
      { a: 1 },
      { a: '1' },
    ],
    ...[new Date(5), new Date(6), 'Date(5)', new Date(5).toISOString(), new Date(NaN), /a/, /a/i, { Set: [] }],
  ];
  expect(new Set(inputs.map(keyOf)).size).toBe(inputs.length);
});

import fc from 'fast-check';

/**
 * Keys that have broken a serialiser before: dots and backslashes in paths, names of prototypes, numbers. No other
 * keys that JSON escapes: next to one with a backslash, V8 itself reads them wrongly (nodejs/node issue 63785).
 */
const key = fc.oneof(
  fc.string({ maxLength: 6 }).filter((text) => text !== '__proto__' && JSON.stringify(text) === `"${text}"`),
  fc.constantFrom(
    'constructor',
    'prototype',
    '~constructor',
    '~~prototype',
    'a.b',
    'a\\.b',
    '\\',
    '.',
    '',
    '0',
    'toString',
  ),
);

const leaf = fc.oneof(
  fc.constantFrom(null, undefined, true, false, NaN, Infinity, -Infinity, -0, 0),
  fc.double(),
  fc.string(),
  fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
  fc.date({ noInvalidDate: true }),
  fc.webUrl().map((url) => new URL(url)),
  fc.uint8Array({ maxLength: 4 }),
  fc.int32Array({ maxLength: 4 }),
);

/** Whatever the superjson codec promises to carry. */
export const richValue: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 5 }, leaf, tie('array'), tie('object'), tie('map'), tie('set')),
  array: fc.array(tie('value'), { maxLength: 4 }),
  object: fc.array(fc.tuple(key, tie('value')), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
  map: fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 3 }).map((entries) => new Map(entries)),
  set: fc.array(tie('value'), { maxLength: 3 }).map((items) => new Set(items)),
})).value;

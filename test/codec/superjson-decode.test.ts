import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { json } from '../../src/codec/json.ts';
import { superjson } from '../../src/codec/superjson.ts';
import { DEVELOPMENT } from '../../src/development.ts';
import { isTautlineError } from '../../src/errors.ts';
import { richValue } from './rich-values.arbitrary.ts';
import { saying } from '../helpers/saying.ts';

const prototypes = [
  Object.prototype,
  Array.prototype,
  Map.prototype,
  Set.prototype,
  Date.prototype,
  Function.prototype,
];
const pristine = prototypes.map((prototype) => Reflect.ownKeys(prototype).length);

afterEach(() => {
  expect(prototypes.map((prototype) => Reflect.ownKeys(prototype).length)).toStrictEqual(pristine);
  expect(Object.getPrototypeOf(Object.prototype)).toBeNull();
});

/** The value, or the message of the one error that may be thrown. */
function outcome(value: unknown, meta: unknown): unknown {
  try {
    return superjson.decode(value, meta);
  } catch (error) {
    if (!isTautlineError(error, 'BAD_PAYLOAD')) throw error;
    expect(error.outcome).toBe('unknown');
    expect(error.message.length).toBeLessThan(500);
    return error.message;
  }
}

const iso = '2026-01-02T03:04:05.678Z';

describe('What a peer may annotate', () => {
  test.each<[string, unknown, unknown, unknown]>([
    ['a Date with milliseconds', iso, ['Date'], new Date(iso)],
    ['a Date of another language', '2026-01-02T03:04:05+01:00', ['Date'], new Date('2026-01-02T02:04:05.000Z')],
    ['a bigint', ['-12'], { '0': ['bigint'] }, [-12n]],
    ['undefined', { a: null }, { a: ['undefined'] }, { a: undefined }],
    ['a number', ['NaN', '-0'], { '0': ['number'], '1': ['number'] }, [NaN, -0]],
    ['a Map', [['1', 2]], ['map', { '0.0': ['bigint'] }], new Map([[1n, 2]])],
    ['a typed array', [1, 2], [['typed-array', 'Uint8Array']], Uint8Array.of(1, 2)],
    ['nothing', { a: 1 }, {}, { a: 1 }],
  ])('is %s.', (_, value, values, expected) => {
    expect(outcome(value, { values, v: 1 })).toStrictEqual(expected);
  });

  test.each<[string, unknown, unknown]>([
    ['no object', 1, 'meta'],
    ['an array', 1, []],
    ['references', [{}, {}], { values: {}, v: 1, referentialEqualities: { '0': ['1'] } }],
    ['only references', [{}, {}], { v: 1, referentialEqualities: { '0': ['1'] } }],
    ['another version', iso, { values: ['Date'], v: 0 }],
    ['no version', iso, { values: ['Date'] }],
    ['no annotations', iso, { v: 1 }],
    ['annotations that are text', iso, { values: 'Date', v: 1 }],
    ['an annotation that is text', [iso], { values: { '0': 'Date' }, v: 1 }],
    ['an empty annotation', iso, { values: [], v: 1 }],
    ['an annotation of three parts', iso, { values: ['Date', {}, {}], v: 1 }],
    ['children that are an array', [iso], { values: ['set', [['Date']]], v: 1 }],
    ['children that are null', [iso], { values: ['set', null], v: 1 }],
  ])('is refused with meta that has %s.', (_, value, meta) => {
    expect(outcome(value, meta)).toEqual(
      saying(/^BAD_PAYLOAD: the payload that arrived is refused: .*(meta|annotation)/),
    );
  });

  test.each<[string, unknown, unknown]>([
    ['a RegExp', '/(a+)+$/', ['regexp']],
    ['an Error', { name: 'E', message: 'm', stack: 's' }, ['Error']],
    ['a type with a long name', 1, ['x'.repeat(1000)]],
    ['a class', {}, [['class', 'Point']]],
    ['a symbol', 's', [['symbol', 's']]],
    ['a custom type', 1, [['custom', 'c']]],
    ['a type of Object.prototype', 1, ['toString']],
    ['__proto__', {}, ['__proto__']],
    ['null', 1, [null]],
    ['an unknown typed array', [1], [['typed-array', 'Float64Array']]],
    ['a typed array of text', ['1'], [['typed-array', 'Uint8Array']]],
    ['a typed array that is a number', 1e9, [['typed-array', 'Uint8Array']]],
    ['a typed array with too much', [1], [['typed-array', 'Uint8Array', 1]]],
    ['a Date on a number', 1e15, ['Date']],
    ['a Date on other text', 'tomorrow', ['Date']],
    ['a Date that only some engines read', '1 Jan 2026', ['Date']],
    ['a Date without a time', '2026-01-02', ['Date']],
    ['a Date that is none', '2026-13-45T00:00:00.000Z', ['Date']],
    ['a bigint of 1001 digits', '1'.repeat(1001), ['bigint']],
    ['a bigint in hexadecimal', '0xff', ['bigint']],
    ['a bigint on a number', 12, ['bigint']],
    ['a bigint on an empty string', '', ['bigint']],
    ['a number on other text', '12', ['number']],
    ['undefined on a value', 1, ['undefined']],
    ['a Set on text', 'abc', ['set']],
    ['a Map on an object', { a: 1 }, ['map']],
    ['a Map without pairs', [1, 2], ['map']],
    ['a Map with a pair of three', [[1, 2, 3]], ['map']],
    ['a Map with a pair that is a Set', [[1, 2]], ['map', { '0': ['set'] }]],
    ['a URL on an object', { href: 'https://example.com' }, ['URL']],
  ])('is not %s.', (_, value, values) => {
    expect(outcome({ a: value }, { values: { a: values }, v: 1 })).toEqual(saying(/not taken/));
    expect(outcome(value, { values, v: 1 })).toEqual(saying(/not taken/));
  });

  test.each<[string, unknown, unknown]>([
    ['to what is inherited', {}, { toString: ['undefined'] }],
    ['to a prototype', {}, { '__proto__.x': ['undefined'] }],
    [
      'through a constructor',
      { constructor: { prototype: { x: null } } },
      { 'constructor.prototype.x': ['undefined'] },
    ],
    ['to the length of an array', [1], { length: ['undefined'] }],
    ['beyond an array', [1], { '1': ['undefined'] }],
    ['to an index that is written oddly', [null], { '00': ['undefined'] }],
    ['to an index that is no number', [null], { '': ['undefined'] }],
    ['into text', ['abc'], { '0.0': ['undefined'] }],
    ['into null', [null], { '0.0': ['undefined'] }],
    ['with a stray backslash', { ab: null }, { 'a\\b': ['undefined'] }],
    ['through what is already a Map', { a: [[null, 1]] }, { a: ['map'], 'a.0.0': ['undefined'] }],
    ['twice to one Set', { a: [[]] }, { 'a.0': ['set'], a: ['set', { '0': ['set'] }] }],
  ])('is not reached by a path that leads %s.', (_, value, values) => {
    expect(outcome(value, { values, v: 1 })).toEqual(saying(/leads nowhere|can not be read|about the same value/));
  });

  test('is not reached by a long path, in any longer than it takes to read it.', () => {
    for (const path of ['\\'.repeat(1e6), '.'.repeat(1e6), '\\.'.repeat(5e5), `${'\\'.repeat(1e6)}.`]) {
      expect(outcome({}, { values: { [path]: ['undefined'] }, v: 1 })).toEqual(saying('leads nowhere'));
    }
  });

  test('is no URL that can not be parsed.', () => {
    expect(outcome('nowhere', { values: ['URL'], v: 1 })).toEqual(saying('its annotations can not be read'));
  });

  test('are at most 10 000 values.', () => {
    const value = Array<string>(10_001).fill('1');
    const values = Object.fromEntries(value.map((_, index) => [index, ['bigint']]));
    expect(outcome(value, { values, v: 1 })).toEqual(saying('more than 10000 annotations'));
  });

  test('does not nest without an end.', () => {
    let values: unknown = ['set'];
    for (let level = 0; level < 50_000; level++) values = ['set', { '0': values }];
    const deep: unknown = JSON.parse('['.repeat(50_000) + ']'.repeat(50_000));
    expect(outcome(deep, { values, v: 1 })).toEqual(saying('deeper than 60 levels'));
    expect(outcome([], { values, v: 1 })).toEqual(saying('leads nowhere'));
  });
});

describe('A key __proto__', () => {
  const polluting: unknown = JSON.parse('{"a":[{"__proto__":{"admin":true}}]}');

  test.each([json, superjson])('is refused by the codec $name.', (codec) => {
    expect(() => codec.decode(polluting)).toThrow(
      DEVELOPMENT ? '$.a[0].__proto__ is a property named __proto__' : 'BAD_PAYLOAD',
    );
  });

  test('is refused next to annotations, too, and is not made by taking an escape away.', () => {
    expect(outcome(polluting, { values: {}, v: 1 })).toEqual(saying('__proto__'));
    expect(Object.keys(superjson.decode({ '~__proto__': 1 }, { values: {}, v: 1 }) as object)).toStrictEqual([
      '~__proto__',
    ]);
  });
});

const hostileKey = fc.constantFrom('a', '0', '1', '', '0.0', 'a.0', '__proto__', 'constructor', 'prototype', '~constructor', 'length', 'a\\', '0.1', 'toString'); // prettier-ignore
const hostileJson = fc.letrec((tie) => ({
  node: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, 0, 1, 'NaN', '12', iso, '', 'https://example.com', '/a/', '-0'),
    fc.array(tie('node'), { maxLength: 3 }),
    fc
      .array(fc.tuple(hostileKey, tie('node')), { maxLength: 3 })
      .map(
        (entries) =>
          JSON.parse(
            `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${JSON.stringify(item)}`).join()}}`,
          ) as unknown,
      ),
  ),
})).node;
const hostileType = fc.oneof(
  fc.constantFrom('undefined', 'number', 'bigint', 'Date', 'map', 'set', 'URL', 'regexp', 'Error', 'nothing'),
  fc.constantFrom(['typed-array', 'Uint8Array'], ['class', 'Map'], ['symbol', 'a'], ['custom', 'a'], null, {}, 1),
);
const hostileValues = fc.letrec((tie) => ({
  annotation: fc.oneof(fc.tuple(hostileType), fc.tuple(hostileType, tie('children')), hostileJson),
  children: fc.oneof(
    { maxDepth: 3 },
    fc.constant({}),
    fc.array(fc.tuple(hostileKey, tie('annotation')), { maxLength: 3 }).map((entries) => Object.fromEntries(entries)),
  ),
}));

describe('Whatever arrives', () => {
  test('becomes a value or BAD_PAYLOAD, and never pollutes a prototype.', () => {
    const values = fc.oneof(hostileValues.annotation, hostileValues.children);
    const meta = fc.oneof(
      values.map((tree) => ({ values: tree, v: 1 })),
      hostileJson,
    );
    fc.assert(
      fc.property(hostileJson, meta, (value, annotations) => {
        outcome(value, annotations);
        expect(({} as { x?: unknown }).x).toBeUndefined();
      }),
      { numRuns: 3000 },
    );
  });

  test('becomes a value or BAD_PAYLOAD, when the annotations are those of another value.', () => {
    fc.assert(
      fc.property(richValue, richValue, (one, other) => {
        const [value] = JSON.parse(`[${superjson.encode(one)}]`) as [unknown];
        const [, meta] = JSON.parse(`[${superjson.encode(other)}]`) as [unknown, unknown];
        outcome(value, meta);
      }),
      { numRuns: 1000 },
    );
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { json } from '../../src/codec/json.ts';
import { DEVELOPMENT } from '../../src/development.ts';
import { isTautlineError, type TautlineError } from '../../src/errors.ts';
import { saying } from '../helpers/saying.ts';

/** Deepest nesting of a value. */
const MAX_DEPTH = 60;

function refusal(run: () => unknown): TautlineError {
  try {
    run();
  } catch (error) {
    if (isTautlineError(error, 'BAD_PAYLOAD')) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

/** Without backslashes: next to a key with one, V8 itself reads other escaped keys wrongly (nodejs/node issue 63785). */
const plainJson = fc
  .jsonValue({ maxDepth: 6 })
  .map((value) => JSON.stringify(value))
  .filter((text) => !text.includes('\\\\') && !text.includes('__proto__'))
  .map((text) => JSON.parse(text) as unknown);

describe('encode', () => {
  test('What goes in comes out, for any plain JSON.', () => {
    fc.assert(
      fc.property(plainJson, (value) => {
        const text = json.encode(value);
        expect(text).toBe(JSON.stringify(value));
        expect(json.decode(JSON.parse(text))).toEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  test('Nothing at all is an absent slot.', () => {
    expect(json.encode(undefined)).toBe('');
    expect(json.decode(undefined)).toBeUndefined();
  });

  test('A property that is undefined is left off, and minus zero arrives as zero.', () => {
    expect(json.encode({ a: undefined, b: -0 })).toBe('{"b":0}');
  });

  test('A lone surrogate survives.', () => {
    expect(json.decode(JSON.parse(json.encode({ '\ud800': 'a\udfff' })))).toStrictEqual({ '\ud800': 'a\udfff' });
  });

  test('What one value holds twice is sent twice.', () => {
    const shared = { a: [1] };
    expect(json.encode([shared, shared, { shared }])).toBe('[{"a":[1]},{"a":[1]},{"shared":{"a":[1]}}]');
  });

  test('Keys that mean something to objects are plain keys.', () => {
    const value = { constructor: 1, prototype: { toString: 2 }, hasOwnProperty: 3, toJSON: 'text', then: null };
    expect(json.decode(JSON.parse(json.encode(value)))).toStrictEqual(value);
  });

  test('An object without a prototype and one of another realm are plain.', () => {
    const foreignPrototype: object = Object.create(null, { constructor: { value: class Object {} } }) as object;
    const foreign = Object.assign(Object.create(foreignPrototype) as object, { a: 1 });
    expect(json.encode([Object.assign(Object.create(null) as object, { a: 1 }), foreign])).toBe('[{"a":1},{"a":1}]');
  });

  test('What is inherited is no part of a value.', () => {
    const value: unknown = Object.create(Object.create(null, { a: { value: 1n, enumerable: true } }) as object);
    expect(json.encode([value])).toBe('[{}]');
  });

  test('Symbol keys, hidden properties and named properties of arrays are no part of a value.', () => {
    const value = Object.defineProperty({ a: 1, [Symbol('b')]: new Date() }, 'c', { value: new Date() });
    expect(json.encode([value, Object.assign([1], { named: new Date() })])).toBe('[{"a":1},[1]]');
  });

  class Point {
    x = 1;
  }
  const cyclic: { items: unknown[] } = { items: [1] };
  cyclic.items.push({ back: cyclic });

  test.each<[string, unknown, string]>([
    ['undefined in an array', { items: [1, undefined] }, '$.items[1] is undefined'],
    ['a sparse array', [1, , 3], '$[1] is undefined'], // eslint-disable-line no-sparse-arrays
    ['NaN', { a: NaN }, '$.a is NaN'],
    ['infinity', [-Infinity], '$[0] is -Infinity'],
    ['a bigint', { a: { b: 1n } }, '$.a.b is a bigint'],
    ['a symbol', [Symbol('s')], '$[0] is a symbol'],
    ['a function', { run: () => 1 }, '$.run is a function'],
    ['a Date', { items: [0, 1, 2, { at: new Date() }] }, '$.items[3].at is an instance of Date'],
    ['a Map', new Map(), '$ is an instance of Map'],
    ['a Set', [new Set()], '$[0] is an instance of Set'],
    ['a RegExp', [/a/], '$[0] is an instance of RegExp'],
    ['a typed array', { bytes: new Uint8Array(2) }, '$.bytes is an instance of Uint8Array'],
    ['an instance of a class', { p: new Point() }, '$.p is an instance of Point'],
    ['an Error', { e: new TypeError('x') }, '$.e is an instance of TypeError'],
    ['a boxed number', [Object(1)], '$[0] is an instance of Number'],
    ['a nameless class', [new (class {})()], '$[0] is an instance of a class'],
    ['a hidden toJSON', [Object.defineProperty({}, 'toJSON', { value: () => 1 })], 'a toJSON method'],
    ['a toJSON of an array', { a: Object.assign([], { toJSON: () => 1 }) }, '$.a is an object with a toJSON method'],
    ['an own key __proto__', JSON.parse('{"a":{"__proto__":1}}'), '$.a.__proto__ is a property named __proto__'],
    ['a cycle', cyclic, '$.items[1].back is part of a cycle'],
    ['a value that is too deep', nested(MAX_DEPTH + 1), 'is deeper than 60 levels'],
    ['an odd key', { 'a b': [1n] }, '$["a b"][0] is a bigint'],
    ['a very long key', { ['k'.repeat(1000)]: 1n }, `$["${'k'.repeat(64)}…"] is a bigint`],
    ['a getter that throws', { a: { get b() { throw new Error('no'); } } }, '$.a.b is a property that threw'], // prettier-ignore
  ])('Refuses %s with its path and what to do.', (_, value, message) => {
    const error = refusal(() => json.encode(value));
    expect(error.message).toEqual(saying(message));
    expect(error.outcome).toBe('not-sent');
    if (DEVELOPMENT) expect(error.remedy).toMatch(/superjson .* a text, a number/);
  });

  test('Takes the deepest value that it promises.', () => {
    expect(json.encode(nested(MAX_DEPTH))).toBe(JSON.stringify(nested(MAX_DEPTH)));
  });

  test('A value that changes while it is read is refused.', () => {
    let reads = 0;
    const value = { get a() { return reads++ === 0 ? 1 : 1n; } }; // prettier-ignore
    expect(refusal(() => json.encode(value)).outcome).toBe('not-sent');
  });

  test('A proxy that throws is refused.', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(refusal(() => json.encode({ a: proxy })).message).toEqual(saying('$.a is'));
  });
});

describe('decode', () => {
  test('Refuses meta, which plain JSON has not.', () => {
    const error = refusal(() => json.decode('2020-01-01T00:00:00.000Z', { values: ['Date'], v: 1 }));
    expect(error.message).toEqual(saying('no meta'));
    expect(error.outcome).toBe('unknown');
    expect(json.decode(1, null)).toBe(1);
  });

  test('Refuses an own key __proto__, at any depth.', () => {
    expect(refusal(() => json.decode(JSON.parse('[{"a":{"__proto__":{"admin":true}}}]'))).message).toEqual(
      saying('$[0].a.__proto__'),
    );
  });

  test('Refuses a value that is deeper than what encode writes.', () => {
    expect(json.decode(nested(MAX_DEPTH))).toEqual(nested(MAX_DEPTH));
    expect(refusal(() => json.decode(JSON.parse('['.repeat(50_000) + ']'.repeat(50_000)))).message).toEqual(
      saying('deeper'),
    );
  });
});

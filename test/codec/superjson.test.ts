import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { json } from '../../src/codec/json.ts';
import { DEVELOPMENT } from '../../src/development.ts';
import { superjson } from '../../src/superjson.ts';
import { isTautlineError, type TautlineError } from '../../src/errors.ts';
import { richValue } from './rich-values.arbitrary.ts';
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

/** The slots as a frame's reader hands them over. */
function slots(text: string): [json?: unknown, meta?: unknown] {
  return JSON.parse(`[${text}]`) as [unknown, unknown];
}

function roundTrip(value: unknown): unknown {
  const [value_, meta] = slots(superjson.encode(value));
  return superjson.decode(value_, meta);
}

/** `toStrictEqual` of vitest stumbles over a field called constructor. */
function expectSame(actual: unknown, expected: unknown): void {
  expect(isDeepStrictEqual(actual, expected) ? expected : actual).toBe(expected);
}

/** How deep arrays and objects nest in a text. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const char of text.replace(/"(?:[^"\\]|\\.)*"/g, '')) {
    if (char === '[' || char === '{') deepest = Math.max(deepest, ++depth);
    if (char === ']' || char === '}') depth--;
  }
  return deepest;
}

describe('What goes in comes out', () => {
  test('for any value that the codec promises to carry.', () => {
    fc.assert(
      fc.property(richValue, (value) => {
        expectSame(roundTrip(value), value);
      }),
      { numRuns: 1000 },
    );
  });

  test('for plain values in the very bytes of JSON.stringify.', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const plain = JSON.parse(JSON.stringify(value), (key, item: unknown) =>
          key === '__proto__' ? undefined : item,
        ) as unknown;
        expect(superjson.encode(plain)).toBe(JSON.stringify(plain));
        expect(superjson.encode(plain)).toBe(json.encode(plain));
      }),
      { numRuns: 300 },
    );
  });

  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['a Date', new Date(0)],
    ['a Date before the year 0', new Date(-1e14)],
    ['a property that is undefined', { a: undefined, b: 1 }],
    ['an array with undefined', [1, undefined]],
    ['minus zero', { a: [-0] }],
    ['a bigint of 1000 digits', [10n ** 999n, -(10n ** 999n)]],
    ['a Map whose keys are objects', new Map([[{ at: new Date(1) }, new Set([1n])]])],
    ['a Set of Sets', new Set([new Set([undefined, NaN])])],
    ['typed arrays', [Uint8Array.of(1, 255), Int16Array.of(-1), Uint8ClampedArray.of(3)]],
    ['a field called constructor', { constructor: 'Ferrari', founded: new Date(2) }],
    ['a Date in a field called constructor', { constructor: { prototype: new Date(3), '~constructor': 1n } }],
    ['a constructor within a key of a Map', new Map([[{ constructor: 1 }, [{ prototype: undefined }]]])],
    ['keys with dots and backslashes', { 'a.b': { '\\': new Date(4), '\\.': 1n, '': undefined } }],
    ['keys of objects', { toString: 1n, hasOwnProperty: new Date(5), then: undefined }],
  ])('for %s.', (_, value) => {
    expectSame(roundTrip(value), value);
  });

  test('Paths of keys with dots and backslashes are never mistaken for one another, whatever was read before.', () => {
    for (const value of [{ a: { p: 1n, '\\': 1n } }, { a: { p: 1n, '.': 1n } }, { 'a.': 1n }, { 'a\\': 1n }]) {
      expectSame(roundTrip(new Set([value])), new Set([value]));
    }
  });

  test('The order of keys is kept, also around one that is escaped.', () => {
    expect(Object.keys(roundTrip({ a: 1, constructor: 2, b: 3n }) as object)).toStrictEqual(['a', 'constructor', 'b']);
  });

  test('A value with and one without annotations look as the package writes them.', () => {
    expect(superjson.encode({ at: new Date(0), n: 1 })).toBe(
      '{"at":"1970-01-01T00:00:00.000Z","n":1},{"values":{"at":["Date"]},"v":1}',
    );
    expect(superjson.encode({ constructor: 1 })).toBe('{"constructor":1}');
  });

  test('What is shared arrives as copies, and no references are sent.', () => {
    const shared = { at: new Date(0), id: 7n };
    const text = superjson.encode([shared, shared, 7n]);
    expect(text).not.toContain('referentialEqualities');
    const [first, second, id] = roundTrip([shared, shared, 7n]) as [object, object, bigint];
    expect([first, second, id]).toStrictEqual([shared, shared, 7n]);
    expect(first).not.toBe(second);
  });

  test('Subclasses of what is carried arrive as what they extend; a Buffer as a Uint8Array.', () => {
    class Stamp extends Date {}
    class Table extends Map<string, number> {}
    const value = [new Stamp(1), new Table([['a', 1]]), Buffer.from('ab')];
    expect(roundTrip(value)).toStrictEqual([new Date(1), new Map([['a', 1]]), Uint8Array.of(97, 98)]);
  });

  test('The deepest value fits a frame of 64 levels, annotations included.', () => {
    const wraps: ((value: unknown) => unknown)[] = [
      (value) => [value],
      (value) => ({ a: value }),
      (value) => new Set([value]),
      (value) => new Map([[1, value]]),
      (value) => new Map([[value, 1]]),
    ];
    fc.assert(
      fc.property(fc.array(fc.nat(wraps.length - 1), { maxLength: 70 }), (picks) => {
        const value = picks.reduce<unknown>((inner, pick) => wraps[pick]!(inner), Uint8Array.of(1));
        let text;
        try {
          text = superjson.encode(value);
        } catch (error) {
          expect(isTautlineError(error, 'BAD_PAYLOAD')).toBe(true);
          return;
        }
        expect(depthOf(`[["reply",1,${text}]]`)).toBeLessThanOrEqual(64);
        expectSame(roundTrip(value), value);
      }),
      { numRuns: 500 },
    );
  });

  test.each<[string, unknown]>([
    ['arrays', [[[1n]]]],
    ['Sets', new Set([new Set([[1n]])])],
    ['Maps', new Map([[1, new Map([[1, [1n]]])]])],
    ['a Map of primitives', new Map([[1, 2]])],
  ])('%s at every depth are either refused by encode or read by decode.', (_, inner) => {
    const isSent = Array.from({ length: MAX_DEPTH + 3 }, (_, arrays) => {
      let value = inner;
      for (let level = 0; level < arrays; level++) value = [value];
      try {
        superjson.encode(value);
      } catch (error) {
        expect((error as Error).message).toEqual(saying('deeper than 60 levels'));
        return false;
      }
      expectSame(roundTrip(value), value);
      return true;
    });
    expect(isSent.indexOf(false)).toBeGreaterThan(50);
    expect(isSent.lastIndexOf(true)).toBe(isSent.indexOf(false) - 1);
  });

  test('Sets in Sets fit a frame at every depth that is sent.', () => {
    let sets: unknown = 1n;
    for (let level = 0; level < MAX_DEPTH / 2; level++) sets = new Set([sets]);
    expect(depthOf(`[["reply",1,${superjson.encode(sets)}]]`)).toBeLessThanOrEqual(64);
    expectSame(roundTrip(sets), sets);
    expect(refusal(() => superjson.encode(new Set([sets]))).message).toEqual(saying('deeper than'));
  });
});

class Point {
  x = 1;
}
const cyclic: { at: Date; items: Map<string, unknown> } = { at: new Date(0), items: new Map() };
cyclic.items.set('self', [cyclic]);

describe('encode', () => {
  test.each<[string, unknown, string]>([
    ['an instance of a class', [new Date(0), { p: new Point() }], '$[1].p is an instance of Point'],
    ['a function in a Map', new Map([['a', { run: () => 1 }]]), '$[0].value.run is a function'],
    ['a symbol in a Set', new Set([1, Symbol('s')]), '$[1] is a symbol'],
    ['a RegExp as key of a Map', new Map([[/a/, 1]]), '$[0].key is an instance of RegExp'],
    ['an Error', { e: new RangeError('x') }, '$.e is an instance of RangeError'],
    ['an invalid Date', { at: new Date(NaN) }, '$.at is an invalid Date'],
    ['an object that pretends to be a Date', [Object.create(Date.prototype)], '$[0] is a property that threw'],
    ['a Blob', { file: new Blob() }, '$.file is an instance of Blob'],
    ['a typed array of floats', [Float64Array.of(NaN)], '$[0] is an instance of Float64Array'],
    ['a typed array of bigints', [BigInt64Array.of(1n)], '$[0] is an instance of BigInt64Array'],
    ['a DataView', [new DataView(new ArrayBuffer(1))], '$[0] is an instance of DataView'],
    ['a bigint of 1001 digits', { n: -(10n ** 1000n) }, '$.n is a bigint of more than 1000 digits'],
    ['an empty slot', [1n, , 1], '$[1] is an empty slot'], // eslint-disable-line no-sparse-arrays
    ['a cycle', cyclic, '$.items[0].value[0] is part of a cycle'],
    ['a cycle of plain values', ((a: unknown[]) => (a.push(a), a))([]), '$[0] is part of a cycle'],
    ['a toJSON method', { a: 1n, b: { toJSON: 1 }, c: Object.defineProperty({}, 'toJSON', { value: () => 1 }) }, '$.c is an object with a toJSON'], // prettier-ignore
    ['an own key __proto__ in a plain value', JSON.parse('{"__proto__":1}'), '$.__proto__ is a property named'],
    [
      'an own key __proto__ in a rich value',
      { a: 1n, b: JSON.parse('{"__proto__":1}') },
      '$.b.__proto__ is a property',
    ],
    ['more than 10 000 rich values', Array(10_001).fill(1n), '$[10000] is one of more than 10000'],
    ['a getter that throws', { a: 1n, get b() { throw new Error('no'); } }, '$.b is a property that threw'], // prettier-ignore
  ])('Refuses %s with its path and what to do.', (_, value, message) => {
    const error = refusal(() => superjson.encode(value));
    expect(error.message).toEqual(saying(message));
    expect(error.outcome).toBe('not-sent');
    if (DEVELOPMENT) expect(error.remedy).toMatch(/plain/);
  });

  test('Takes as many rich values as its reader.', () => {
    const value = [...Array<unknown>(10_000).fill(1n), ...Array<unknown>(50_000).fill(undefined)];
    expectSame(roundTrip(value), value);
  });
});

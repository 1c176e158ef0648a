import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { z } from 'zod';
import { describe, expect, test } from 'vitest';
import { defineContract, mutation } from '../../src/index.ts';
import { superjson } from '../../src/superjson.ts';
import { connectedPair } from '../../src/testing/index.ts';
import { saying } from '../helpers/saying.ts';

interface Case {
  readonly name: string;
  readonly means: unknown;
  readonly payload: string;
  readonly reads?: boolean;
}

const { cases } = JSON.parse(readFileSync(new URL('../vectors/values/superjson.json', import.meta.url), 'utf8')) as {
  readonly cases: readonly Case[];
};

const TYPES: Readonly<Record<string, (of: any) => unknown>> = {
  Date: (of: string) => new Date(of),
  Uint8Array: (of: number[]) => Uint8Array.from(of),
  Int8Array: (of: number[]) => Int8Array.from(of),
  Int16Array: (of: number[]) => Int16Array.from(of),
  Map: (of: [unknown, unknown][]) => new Map(of.map(([key, value]) => [key, meaning(value)])),
  bigint: (of: string) => BigInt(of),
  undefined: () => undefined,
};

/** The value that a vector describes. */
function meaning(described: unknown): unknown {
  if (Array.isArray(described)) return described.map(meaning);
  if (typeof described !== 'object' || described === null) return described;
  if ('$' in described) return TYPES[String(described.$)]!((described as { of?: unknown }).of);
  return Object.fromEntries(Object.entries(described).map(([key, value]) => [key, meaning(value)]));
}

const read = (payload: string): unknown => {
  const [json, meta] = JSON.parse(`[${payload}]`) as [unknown, unknown];
  return superjson.decode(json, meta);
};

describe('the vectors of values', () => {
  test.each(cases)('$name', ({ means, payload, reads }) => {
    const value = meaning(means);
    expect(isDeepStrictEqual(read(payload), value)).toBe(true);
    if (reads !== true) expect(superjson.encode(value)).toBe(payload);
  });
});

describe('base64', () => {
  test('is that of everybody, for any bytes and any length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40_000 }), (bytes) => {
        const payload = superjson.encode(bytes);
        expect(payload.split(',')[0]).toBe(JSON.stringify(Buffer.from(bytes).toString('base64')));
        expect(Buffer.compare(read(payload) as Uint8Array, bytes)).toBe(0);
      }),
      { numRuns: 50 },
    );
  });
});

describe('bytes', () => {
  test('of a part of a buffer, and of a Buffer, are those that it shows', () => {
    const whole = Uint8Array.of(9, 1, 2, 9);
    expect(read(superjson.encode(whole.subarray(1, 3)))).toStrictEqual(Uint8Array.of(1, 2));
    expect(read(superjson.encode({ file: Buffer.from('hi') }))).toStrictEqual({ file: Uint8Array.of(104, 105) });
  });

  test('are as they were at the call, and stay so when others come', () => {
    const buffer = Uint8Array.of(1, 2);
    const first = superjson.encode(buffer);
    buffer.fill(9);
    const second = superjson.encode(buffer);
    const [one, other] = [read(first), read(second)] as [Uint8Array, Uint8Array];
    expect(one.buffer).not.toBe(other.buffer);
    other.fill(7);
    expect(one).toStrictEqual(Uint8Array.of(1, 2));
  });

  test.each([
    ['cut', 'AAAAA'],
    ['other letters', 'A*A='],
    ['the letters of URLs', 'A-_='],
    ['padding in the middle', 'A=AA'],
    ['a number', 5],
    ['an array', [1]],
  ])('are refused when the text is %s', (_title, json) => {
    const decode = () => superjson.decode(json, { values: [['custom', 'Uint8Array']], v: 1 });
    expect(decode).toThrow(expect.objectContaining({ code: 'BAD_PAYLOAD' }));
  });

  test.each(['Int8Array', 'Array', 'toString', null])('are of no type %s', (name) => {
    const decode = () => superjson.decode('AA==', { values: [['custom', name]], v: 1 });
    expect(decode).toThrow(expect.objectContaining({ message: saying('is not taken') }));
  });

  test('of a megabyte pass with the default limits, and take a third more than they are', async () => {
    const bytes = z.instanceof(Uint8Array);
    const contract = defineContract({ put: mutation({ input: bytes, output: bytes }) }, { codec: superjson });
    await using pair = connectedPair(contract, { put: ({ input }) => input });
    const sent = Uint8Array.from({ length: 1024 * 1024 }, (_, index) => (index * 31) % 256);
    const got = await pair.client.put(sent);
    expect(Buffer.compare(got, sent)).toBe(0);
    expect(superjson.encode(sent).length / sent.length).toBeLessThan(1.34);
  });
});

describe('undefined', () => {
  test('in many fields is no hindrance: it does not count among the values that JSON lacks', () => {
    const rows = Array.from({ length: 10_000 }, (_, id) => ({ id, note: undefined, at: new Date(id) }));
    expect(isDeepStrictEqual(read(superjson.encode(rows)), rows)).toBe(true);
  });

  test('has a bound of its own, the same on both sides', () => {
    const value = Array<null>(50_001).fill(null);
    expect(() => superjson.encode(value.map(() => undefined))).toThrow(
      expect.objectContaining({ code: 'BAD_PAYLOAD', outcome: 'not-sent', message: saying('more than 50000 values') }),
    );
    const values = Object.fromEntries(value.map((_, index) => [index, ['undefined']]));
    expect(() => superjson.decode(value, { values, v: 1 })).toThrow(
      expect.objectContaining({ message: saying('more than 50000 annotations') }),
    );
  });
});

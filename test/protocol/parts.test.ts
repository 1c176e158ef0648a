import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { decodeClientFrame } from '../../src/protocol/client-messages.ts';
import { FrameParts, PartReader } from '../../src/protocol/parts.ts';
import { utf8Length } from '../../src/protocol/utf8.ts';

interface Vector {
  readonly name: string;
  readonly most: number;
  readonly unfinished: number;
  readonly takes: ReadonlyArray<{ readonly text: string; readonly gives: string | null }>;
}

const { cases } = JSON.parse(readFileSync(new URL('../vectors/parts/parts.json', import.meta.url), 'utf8')) as {
  cases: readonly Vector[];
};

describe('the vectors of parts', () => {
  test.each(cases)('$name', ({ most, unfinished, takes }) => {
    const reader = new PartReader(most, unfinished);
    for (const { text, gives } of takes) {
      const frame = reader.take(text);
      const isFault = gives === 'fault' || gives === 'too large';
      expect(frame).toBe(isFault ? text : (gives ?? undefined));
      expect(reader.isTooLarge).toBe(gives === 'too large');
      // What is given back is refused as a frame.
      if (isFault) expect(decodeClientFrame(text)).toMatchObject({ messages: [], error: expect.anything() as unknown });
    }
  });
});

const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 6_000 });

test('any frame, cut and put together, is what it was; no part is cut inside a pair, and none but the last is short', () => {
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 4 }), fc.integer({ min: 1024, max: 4096 }), (texts, size) => {
      const frame = JSON.stringify(texts);
      const parts = new FrameParts(7, frame, utf8Length(frame), size);
      const reader = new PartReader(frame.length, 1);
      let whole: string | undefined;
      while (parts.left > 0) {
        expect(whole).toBeUndefined();
        const part = parts.next();
        expect(part.isWellFormed()).toBe(true);
        if (parts.left > 0) expect(part.length).toBeGreaterThan(128 + '+7,0,'.length);
        whole = reader.take(part);
      }
      expect(whole).toBe(frame);
    }),
  );
});

test('parts of a text whose characters have several bytes are no larger for that', () => {
  const frame = JSON.stringify('語'.repeat(50_000));
  const parts = new FrameParts(1, frame, utf8Length(frame), 16_384);
  let most = 0;
  while (parts.left > 0) most = Math.max(most, utf8Length(parts.next()));
  expect(most).toBeLessThan(16_384 / 2);
});

test('whatever comes, a reader holds no more than so many frames of so many units, and never throws', () => {
  const part = fc
    .record({
      s: fc.integer({ min: 0, max: 6 }),
      left: fc.oneof(fc.integer({ min: 0, max: 3_000 }), fc.constantFrom(0, 1e14)),
      units: fc.oneof(fc.integer({ min: 0, max: 1_500 }), fc.constantFrom(0, 128, 300)),
      follows: fc.boolean(),
    })
    .map((given) => given);
  fc.assert(
    fc.property(fc.array(part, { maxLength: 60 }), (parts) => {
      const reader = new PartReader(2_000, 3);
      /** What a reader must hold, by frame. */
      const open = new Map<number, { left: number; units: number }>();
      for (const { s, left: anyLeft, units, follows } of parts) {
        const before = open.get(s);
        const left = follows && before !== undefined ? Math.max(0, before.left - units) : anyLeft;
        const given = reader.take(`+${String(s)},${String(left)},${'x'.repeat(units)}`);
        if (given?.startsWith('+') === true) continue;
        if (given !== undefined) expect(given).toBe('x'.repeat(given.length));
        if (left === 0) open.delete(s);
        else open.set(s, { left, units: (before?.units ?? 0) + units });
        expect(open.size).toBeLessThanOrEqual(3);
        for (const one of open.values()) expect(one.units + one.left).toBeLessThanOrEqual(2_000);
      }
    }),
  );
});

test('as many parts as a frame can have are joined in a time that grows with their number', () => {
  const units = 128;
  const most = 16 * 1024 * 1024;
  const reader = new PartReader(most, 1);
  const part = 'x'.repeat(units);
  let whole: string | undefined;
  for (let left = most - units; left >= 0; left -= units) whole = reader.take(`+1,${String(left)},${part}`);
  expect(whole?.length).toBe(most);
});

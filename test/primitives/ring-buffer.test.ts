import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RingBuffer } from '../../src/primitives/ring-buffer.ts';

type Step = 'push' | 'shift' | 'clear';

describe('A ring buffer', () => {
  test('does what a plain array does, over any steps.', () => {
    const steps = fc.array(
      fc.oneof(
        { weight: 5, arbitrary: fc.constant<Step>('push') },
        { weight: 3, arbitrary: fc.constant<Step>('shift') },
        { weight: 1, arbitrary: fc.constant<Step>('clear') },
      ),
      { maxLength: 80 },
    );
    fc.assert(
      fc.property(fc.nat({ max: 6 }), steps, (capacity, list) => {
        const ring = new RingBuffer<number>(capacity);
        let model: number[] = [];
        list.forEach((step, value) => {
          if (step === 'push') {
            model.push(value);
            expect(ring.push(value)).toBe(model.length > capacity ? model.shift() : undefined);
          } else if (step === 'shift') {
            expect(ring.shift()).toBe(model.shift());
          } else {
            ring.clear();
            model = [];
          }
          expect(ring.size).toBe(model.length);
          expect([...ring]).toEqual(model);
          for (let index = -8; index < 8; index++) expect(ring.at(index)).toBe(model.at(index));
        });
      }),
      { numRuns: 300 },
    );
  });

  test('tells what the newest value pushed out.', () => {
    const ring = new RingBuffer<string>(2);
    expect([ring.push('a'), ring.push('b'), ring.push('c')]).toEqual([undefined, undefined, 'a']);
    expect([...ring]).toEqual(['b', 'c']);
  });

  test('of capacity 0 keeps nothing: what comes in falls out.', () => {
    const ring = new RingBuffer<string>(0);
    expect(ring.push('a')).toBe('a');
    expect([ring.size, ring.at(0), ring.shift()]).toEqual([0, undefined, undefined]);
  });

  test.each([-1, 1.5, NaN, Infinity])('refuses the capacity %d.', (capacity) => {
    expect(() => new RingBuffer(capacity)).toThrow(RangeError);
    expect(() => new RingBuffer(capacity)).toThrow(`the capacity is ${capacity}`);
  });
});

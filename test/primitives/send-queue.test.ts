import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SendQueue } from '../../src/primitives/send-queue.ts';
import type { Lane, PushResult } from '../../src/primitives/send-queue.ts';

interface Entry {
  readonly name: number;
  readonly bytes: number;
}

interface Bounds {
  readonly maxMessages: number;
  readonly maxBytes: number;
}

const lanes: readonly Lane[] = ['control', 'ordered', 'lossy'];

/** The same queue, written to be read: one sorted array. */
class Model {
  readonly bounds: Bounds;
  entries: Array<{ lane: Lane; entry: Entry }> = [];

  constructor(bounds: Bounds) {
    this.bounds = bounds;
  }

  of(lane: Lane): Entry[] {
    return this.entries.filter((one) => one.lane === lane).map(({ entry }) => entry);
  }

  all(): Entry[] {
    return lanes.flatMap((lane) => this.of(lane));
  }

  boundFor(entry: Entry, others: readonly Entry[]): 'messages' | 'bytes' | undefined {
    if (others.length + 1 > this.bounds.maxMessages) return 'messages';
    return others.reduce((sum, { bytes }) => sum + bytes, entry.bytes) > this.bounds.maxBytes ? 'bytes' : undefined;
  }

  push(lane: Lane, entry: Entry): PushResult<Entry> {
    const lossy = this.of('lossy');
    const evicted: Entry[] = [];
    if (lane !== 'control') {
      const bound = this.boundFor(entry, this.of('ordered'));
      if (bound !== undefined) return { accepted: false, bound };
      while (this.boundFor(entry, [...this.of('ordered'), ...lossy]) !== undefined) evicted.push(lossy.shift()!);
    }
    this.entries = this.entries.filter((one) => !evicted.includes(one.entry));
    this.entries.push({ lane, entry });
    return { accepted: true, evicted };
  }

  replace(entry: Entry, by: Entry): boolean {
    const place = this.entries.find((one) => one.entry === entry);
    const bounded = [...this.of('ordered'), ...this.of('lossy')].reduce((sum, { bytes }) => sum + bytes, 0);
    if (place === undefined || (by.bytes > entry.bytes && bounded + by.bytes - entry.bytes > this.bounds.maxBytes)) {
      return false;
    }
    place.entry = by;
    return true;
  }

  remove(entry: Entry): boolean {
    const before = this.entries.length;
    this.entries = this.entries.filter((one) => one.entry !== entry);
    return this.entries.length < before;
  }
}

type Step =
  | { do: 'push'; lane: Lane; bytes: number }
  | { do: 'take' }
  | { do: 'remove'; which: number }
  | { do: 'replace'; which: number; bytes: number }
  | { do: 'clear' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('push' as const),
      lane: fc.constantFrom(...lanes),
      bytes: fc.nat({ max: 40 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('take' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), which: fc.nat({ max: 60 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('replace' as const),
      which: fc.nat({ max: 20 }),
      bytes: fc.nat({ max: 40 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const) }) },
);

function expectSame(queue: SendQueue<Entry>, model: Model): void {
  const all = model.all();
  expect(queue.messages).toBe(all.length);
  expect(queue.bytes).toBe(all.reduce((sum, { bytes }) => sum + bytes, 0));
  expect(queue.next()).toBe(all[0]);
  for (const lane of lanes) expect(queue.peek(lane)).toBe(model.of(lane)[0]);
}

describe('A send queue', () => {
  test('does what a plain sorted array does, over any steps.', () => {
    const bounds = fc.record({
      maxMessages: fc.integer({ min: 1, max: 8 }),
      maxBytes: fc.integer({ min: 1, max: 120 }),
    });
    fc.assert(
      fc.property(bounds, fc.array(step, { maxLength: 60 }), (limits, steps) => {
        const queue = new SendQueue<Entry>(limits);
        const model = new Model(limits);
        const known: Entry[] = [];
        for (const one of steps) {
          if (one.do === 'push') {
            const entry = { name: known.length, bytes: one.bytes };
            known.push(entry);
            expect(queue.push(one.lane, entry)).toEqual(model.push(one.lane, entry));
          } else if (one.do === 'take') {
            const [first] = model.all();
            expect(queue.take()).toBe(first);
            if (first !== undefined) model.remove(first);
          } else if (one.do === 'remove') {
            const entry = known[one.which] ?? { name: -1, bytes: 1 };
            expect(queue.remove(entry)).toBe(model.remove(entry));
          } else if (one.do === 'replace') {
            const entry = known[one.which] ?? { name: -1, bytes: 1 };
            const by = { name: known.length, bytes: one.bytes };
            known.push(by);
            expect(queue.replace(entry, by)).toBe(model.replace(entry, by));
          } else {
            expect(queue.clear()).toEqual(model.all());
            model.entries = [];
          }
          expectSame(queue, model);
        }
        expect(queue.clear()).toEqual(model.all());
      }),
      { numRuns: 500 },
    );
  });

  test('lets control go before ordered, and ordered before lossy, each in the order of entering.', () => {
    const queue = new SendQueue<Entry>({ maxMessages: 10, maxBytes: 100 });
    const pushed: ReadonlyArray<[Lane, number]> = [
      ['lossy', 1],
      ['ordered', 2],
      ['control', 3],
      ['lossy', 4],
      ['ordered', 5],
      ['control', 6],
    ];
    for (const [lane, name] of pushed) queue.push(lane, { name, bytes: 1 });
    const taken = Array.from({ length: 7 }, () => queue.take()?.name);
    expect(taken).toEqual([3, 6, 2, 5, 1, 4, undefined]);
  });

  test('drops the oldest lossy entries, and no more of them than needed.', () => {
    const queue = new SendQueue<Entry>({ maxMessages: 10, maxBytes: 10 });
    const lossy = [1, 2, 3].map((name) => ({ name, bytes: 3 }));
    for (const entry of lossy) queue.push('lossy', entry);
    expect(queue.push('ordered', { name: 4, bytes: 5 })).toEqual({ accepted: true, evicted: lossy.slice(0, 2) });
    expect(queue.messages).toBe(2);
  });

  test('drops nothing for an entry that it refuses all the same.', () => {
    const queue = new SendQueue<Entry>({ maxMessages: 10, maxBytes: 10 });
    queue.push('lossy', { name: 1, bytes: 3 });
    expect(queue.push('ordered', { name: 2, bytes: 11 })).toEqual({ accepted: false, bound: 'bytes' });
    expect(queue.messages).toBe(1);
  });

  test('takes control in when it is full, and does not count it against its bounds.', () => {
    const queue = new SendQueue<Entry>({ maxMessages: 1, maxBytes: 1 });
    queue.push('ordered', { name: 1, bytes: 1 });
    expect(queue.push('control', { name: 2, bytes: 50 }).accepted).toBe(true);
    expect(queue.push('ordered', { name: 3, bytes: 0 })).toEqual({ accepted: false, bound: 'messages' });
    expect([queue.messages, queue.bytes]).toEqual([2, 51]);
  });

  test('refuses an entry that waits in it already.', () => {
    const queue = new SendQueue<Entry>({ maxMessages: 2, maxBytes: 2 });
    const entry = { name: 1, bytes: 1 };
    queue.push('ordered', entry);
    expect(() => queue.push('lossy', entry)).toThrow('in the queue already');
    queue.take();
    expect(queue.push('lossy', entry).accepted).toBe(true);
  });

  test.each([
    [{ maxMessages: 0, maxBytes: 1 }, 'maxMessages is 0'],
    [{ maxMessages: 1, maxBytes: -5 }, 'maxBytes is -5'],
    [{ maxMessages: NaN, maxBytes: 1 }, 'maxMessages is NaN'],
  ])('refuses the bounds %j.', (bounds, message) => {
    expect(() => new SendQueue(bounds)).toThrow(RangeError);
    expect(() => new SendQueue(bounds)).toThrow(message);
  });

  test('has no bound where the bound is Infinity.', () => {
    const queue = new SendQueue<Entry>({ maxMessages: Infinity, maxBytes: Infinity });
    expect(queue.push('ordered', { name: 1, bytes: Number.MAX_SAFE_INTEGER }).accepted).toBe(true);
  });
});

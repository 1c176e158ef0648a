import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { Deadlines } from '../../src/primitives/deadlines.ts';
import { RingBuffer } from '../../src/primitives/ring-buffer.ts';
import { SendQueue } from '../../src/primitives/send-queue.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** How many of the objects are still held by something. A WeakRef holds its object until the current job ends. */
async function held(references: ReadonlyArray<WeakRef<object>>): Promise<number> {
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  return references.filter((reference) => reference.deref() !== undefined).length;
}

test('A ring buffer holds nothing that fell out, was shifted out or cleared.', async () => {
  const ring = new RingBuffer<object>(4);
  const references = Array.from({ length: 6 }, () => {
    const value = {};
    ring.push(value);
    return new WeakRef(value);
  });
  expect(await held(references)).toBe(4);
  ring.shift();
  expect(await held(references)).toBe(3);
  ring.clear();
  expect(await held(references)).toBe(0);
});

test('A ring buffer that ran empty gives its room back.', async () => {
  const rings = Array.from({ length: 100 }, () => new RingBuffer<number>(10_000));
  await held([]);
  const before = process.memoryUsage().heapUsed;
  for (const ring of rings) {
    for (let value = 0; value < 10_000; value++) ring.push(value);
    while (ring.size > 0) ring.shift();
  }
  await held([]);
  // Kept, the room of 100 times 10 000 values would take 4 to 8 MB.
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(2_000_000);
  expect(rings.every(({ size }) => size === 0)).toBe(true);
});

test('A send queue holds nothing that was taken, removed, evicted or cleared.', async () => {
  const queue = new SendQueue<{ bytes: number }>({ maxMessages: 5, maxBytes: 100 });
  const references = (['ordered', 'lossy', 'lossy', 'ordered', 'ordered', 'ordered'] as const).map((lane) => {
    const entry = { bytes: 1 };
    queue.push(lane, entry);
    return new WeakRef(entry);
  });
  expect(await held(references)).toBe(5);
  queue.take();
  expect(await held(references)).toBe(4);
  (() => {
    const last = references[5]?.deref();
    if (last !== undefined) queue.remove(last);
  })();
  expect(await held(references)).toBe(3);
  queue.clear();
  expect(await held(references)).toBe(0);
});

test('Deadlines hold no callback of one that was removed or has expired.', async () => {
  const clock = { nowMs: 0 };
  const deadlines = new Deadlines({ now: () => clock.nowMs });
  const references: Array<WeakRef<object>> = [];
  const add = (atMs: number) => {
    const callback = () => undefined;
    references.push(new WeakRef(callback));
    return deadlines.add(atMs, callback);
  };
  add(3_600_000);
  add(0);
  (() => {
    deadlines.remove(add(1_000_000));
  })();
  await new Promise((resolve) => setTimeout(resolve, 0));
  expect(deadlines.size).toBe(1);
  expect(await held(references)).toBe(1);
  deadlines.close();
  expect(await held(references)).toBe(0);
});

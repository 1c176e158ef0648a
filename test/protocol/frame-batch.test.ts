import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodePing } from '../../src/protocol/encode.ts';
import { FrameBatch } from '../../src/protocol/frame-batch.ts';
import { utf8Length } from '../../src/protocol/utf8.ts';
import { anyText } from './text.arbitrary.ts';

const encoder = new TextEncoder();
const bytesOf = (text: string): number => encoder.encode(text).length;

/** A message of this many bytes. */
const message = (bytes: number): string => `["${'x'.repeat(bytes - 4)}"]`;

function batchOf(frameBytes: number): { batch: FrameBatch; frames: string[] } {
  const frames: string[] = [];
  return { batch: new FrameBatch((frame) => frames.push(frame), frameBytes), frames };
}

describe('A batch', () => {
  test('writes every message that it takes once, in order, in frames that the peer accepts.', () => {
    const kind = fc.constantFrom('call' as const, 'bulk' as const);
    const content = fc.oneof(anyText(), fc.constant('世'.repeat(200)));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(content, kind), { maxLength: 30 }),
        fc.integer({ min: 20, max: 6000 }),
        (list, frameBytes) => {
          const { batch, frames } = batchOf(frameBytes);
          const taken: unknown[] = [];
          for (const [text, sort] of list) {
            const written = JSON.stringify([text]);
            const fits = bytesOf(written) + 2 <= frameBytes;
            expect(batch.add(written, sort)).toBe(fits);
            if (fits) taken.push([text]);
          }
          batch.flush();
          expect(frames.flatMap((frame) => JSON.parse(frame) as unknown[])).toEqual(taken);
          for (const frame of frames) expect(bytesOf(frame)).toBeLessThanOrEqual(frameBytes);
        },
      ),
    );
  });

  test('fills a frame to the last byte that the peer accepts.', () => {
    const { batch, frames } = batchOf(101);
    batch.add(message(49), 'bulk');
    batch.add(message(49), 'bulk');
    expect(frames).toEqual([]);
    batch.flush();
    expect(frames.map(bytesOf)).toEqual([101]);
    batch.add(message(49), 'bulk');
    batch.add(message(50), 'bulk');
    batch.flush();
    expect(frames.map(bytesOf).slice(1)).toEqual([51, 52]);
    expect(batch.add(message(99), 'bulk')).toBe(true);
    expect(batch.add(message(100), 'bulk')).toBe(false);
  });

  test('of calls goes out when it holds 32, or before it grows above 8 KiB.', () => {
    const { batch, frames } = batchOf(1_000_000);
    for (let n = 0; n < 32; n++) batch.add(encodePing(n), 'call');
    expect(frames).toHaveLength(1);
    for (let n = 0; n < 9; n++) batch.add(message(1000), 'call');
    expect(frames.map(bytesOf).slice(1)).toEqual([8009]);
  });

  test('of other messages goes out before it grows above 64 KiB, and by no number of them.', () => {
    const { batch, frames } = batchOf(1_000_000);
    for (let n = 0; n < 66; n++) batch.add(message(1000), 'bulk');
    expect(frames.map(bytesOf)).toEqual([65_066]);
  });

  test('that is large already goes out before a call joins it.', () => {
    const { batch, frames } = batchOf(1_000_000);
    for (let n = 0; n < 10; n++) batch.add(message(1000), 'bulk');
    batch.add(message(1000), 'call');
    expect(frames.map(bytesOf)).toEqual([10_011]);
    batch.flush();
    expect(frames.map(bytesOf)).toEqual([10_011, 1002]);
  });

  test('with a call in it stays small, whatever joins it; the next one is of its own kind.', () => {
    const { batch, frames } = batchOf(1_000_000);
    batch.add(message(1000), 'call');
    for (let n = 0; n < 8; n++) batch.add(message(1000), 'bulk');
    expect(frames.map(bytesOf)).toEqual([8009]);
    for (let n = 0; n < 20; n++) batch.add(message(1000), 'bulk');
    expect(frames).toHaveLength(1);
  });

  test('of one message that is larger than a batch goes out alone.', () => {
    const { batch, frames } = batchOf(1_000_000);
    batch.add(encodePing(1), 'call');
    batch.add(message(100_000), 'call');
    batch.add(encodePing(2), 'call');
    batch.flush();
    expect(frames.map(bytesOf)).toEqual([12, 100_002, 12]);
  });

  test('that is empty writes nothing.', () => {
    const { batch, frames } = batchOf(100);
    batch.flush();
    batch.add(encodePing(1), 'bulk');
    batch.flush();
    batch.flush();
    expect(frames).toEqual(['[["ping",1]]']);
  });
});

test('The length of a text in bytes is that of its UTF-8, whatever is in it.', () => {
  fc.assert(
    fc.property(anyText(0, 200), (text) => {
      expect(utf8Length(text)).toBe(bytesOf(text));
    }),
    { numRuns: 300 },
  );
  for (const text of ['\ud83c', '\udf0d\udf0d', '\ud83c\ud83c\udf0d', '🌍\udf0d'])
    expect(utf8Length(text)).toBe(bytesOf(text));
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FlowControl } from '../../src/primitives/flow-control.ts';

const MARKS = { highWaterMark: 1_000, lowWaterMark: 250 };

/** Writes as much as it lets pass, in pieces; answers with the pings that were due, by number and in order. */
function fill(flow: FlowControl, pieces: number[], buffered?: number): { written: number; pings: number[] } {
  const pings: number[] = [];
  let written = 0;
  for (const bytes of pieces) {
    if (!flow.admits(bytes, 0, buffered)) break;
    flow.wrote(bytes);
    written += bytes;
    if (flow.barrierDue) flow.pinged(pings.push(pings.length + 1) && pings.length);
  }
  if (flow.barrierDue) flow.pinged(pings.push(pings.length + 1) && pings.length);
  return { written, pings };
}

const hundreds = (count: number) => Array.from({ length: count }, () => 100);

describe('The window of a flow control', () => {
  test.each([undefined, 0])(
    'stops at the high mark where the engine says %s, and goes on below the low one',
    (says) => {
      const flow = new FlowControl(MARKS);
      const { written, pings } = fill(flow, hundreds(20), says);
      expect(written).toBe(1_000);
      expect(flow.unanswered).toBe(1_000);
      // A ping after 125 bytes and more.
      expect(pings).toEqual([1, 2, 3, 4, 5]);
      flow.ponged(3, says);
      expect(flow.unanswered).toBe(400);
      expect(flow.admits(100, 0, says)).toBe(false);
      flow.ponged(4, says);
      expect(flow.unanswered).toBe(200);
      expect(flow.admits(100, 0, says)).toBe(true);
    },
  );

  test('counts what is gathered for a frame', () => {
    const flow = new FlowControl(MARKS);
    expect(flow.admits(600, 400, undefined)).toBe(true);
    expect(flow.admits(601, 400, undefined)).toBe(false);
  });

  test('lets pass what alone is above the high mark, when nothing else is under way', () => {
    const flow = new FlowControl(MARKS);
    expect(flow.admits(5_000, 1, undefined)).toBe(false);
    expect(flow.admits(5_000, 0, undefined)).toBe(true);
    flow.wrote(5_000);
    expect(flow.admits(1, 0, undefined)).toBe(false);
  });

  test('asks for a ping for the rest that none covers when writing is held up, and for none when it is not', () => {
    const flow = new FlowControl(MARKS);
    flow.wrote(50);
    expect(flow.barrierDue).toBe(false);
    expect(flow.admits(999, 0, undefined)).toBe(false);
    expect(flow.barrierDue).toBe(true);
    flow.pinged(7);
    expect(flow.barrierDue).toBe(false);
    flow.ponged(7, undefined);
    expect(flow.admits(999, 0, undefined)).toBe(true);
  });

  test('takes an answer for all that was written before its ping, and for nothing after it', () => {
    const flow = new FlowControl(MARKS);
    for (const n of [3, 5, 8]) {
      flow.wrote(100);
      flow.pinged(n);
    }
    flow.wrote(10);
    flow.ponged(2, undefined);
    expect(flow.unanswered).toBe(310);
    flow.ponged(6, undefined);
    expect(flow.unanswered).toBe(110);
    flow.ponged(3, undefined);
    expect(flow.unanswered).toBe(110);
    flow.ponged(8, undefined);
    expect(flow.unanswered).toBe(10);
  });

  test('keeps nothing of pings that cover no more than the one before, however many are never answered', () => {
    const control = new FlowControl({ highWaterMark: 1_000, lowWaterMark: 200 });
    control.wrote(100);
    control.pinged(1);
    for (let n = 2; n < 50; n++) control.pinged(n);
    control.ponged(1, undefined);
    expect(control.unanswered).toBe(0);
    // Nothing was written since: there is nothing that a ping could cover.
    expect(control.barrierDue).toBe(false);
  });

  test('is never exceeded, and never holds writing up for good, whatever the engine says of its buffer', () => {
    const says = fc.oneof(fc.constant(undefined), fc.constant(0), fc.constant(1e9), fc.nat({ max: 3_000 }));
    const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 700 }), fc.boolean(), says), { maxLength: 80 });
    fc.assert(
      fc.property(steps, (taken) => {
        const flow = new FlowControl(MARKS);
        let sent = 0;
        const ping = () => {
          if (flow.barrierDue) flow.pinged(++sent);
        };
        for (const [bytes, answered, buffered] of taken) {
          if (flow.admits(bytes, 0, buffered)) flow.wrote(bytes);
          ping();
          expect(flow.unanswered).toBeLessThanOrEqual(1_000);
          if (answered) flow.ponged(sent, buffered);
        }
        // All pings are answered: the next is let pass, at the latest after the ping that being held up asks for.
        for (const buffered of [1e9, 1e9]) {
          flow.admits(700, 0, buffered);
          ping();
          flow.ponged(sent, buffered);
        }
        expect(flow.admits(700, 0, 1e9)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe('The brake of a flow control', () => {
  test('stops at the high mark of the buffer, and goes on below the low one, before any answer', () => {
    const flow = new FlowControl(MARKS);
    flow.wrote(10);
    expect(flow.admits(100, 0, 901)).toBe(false);
    expect(flow.admits(100, 0, 250)).toBe(false);
    expect(flow.admits(100, 0, 249)).toBe(true);
  });

  test('has the buffer looked at less and less often, and anew from the next time', () => {
    const flow = new FlowControl(MARKS);
    flow.wrote(10);
    expect(flow.nextLookMs(5_000)).toBeUndefined();
    for (let round = 0; round < 2; round++) {
      expect(flow.admits(100, 0, 5_000)).toBe(false);
      expect(Array.from({ length: 7 }, () => flow.nextLookMs(5_000))).toEqual([16, 32, 64, 128, 256, 500, 500]);
      expect(flow.admits(100, 0, 0)).toBe(true);
    }
  });

  test('needs no look where the answer to a ping will tell', () => {
    const flow = new FlowControl(MARKS);
    fill(flow, hundreds(20), 0);
    expect(flow.admits(100, 0, 1_000)).toBe(false);
    expect(flow.nextLookMs(1_000)).toBeUndefined();
  });

  test('is not believed any more when an answer covered all that was written and the figure stayed', () => {
    const flow = new FlowControl(MARKS);
    flow.wrote(300);
    flow.pinged(1);
    expect(flow.admits(100, 0, 1_000_000)).toBe(false);
    flow.ponged(1, 1_000_000);
    expect(flow.admits(100, 0, 1_000_000)).toBe(true);
    flow.wrote(100);
    expect(flow.admits(100, 0, 1_000_000)).toBe(true);
  });
});

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PingedParts } from '../../src/server/outbound/pinged-parts.ts';
import { LargeFrame } from '../../src/server/outbound/written-frame.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** A large frame whose parts are written as far as there is room, and answers to pings. */
function sender() {
  const pings: number[] = [];
  const pinging = {
    get nextPing() {
      return pings.length + 1;
    },
    ping: () => {
      pings.push(pings.length + 1);
    },
  };
  const parts = new PingedParts(pinging);
  const text = 'x'.repeat(10_000_000);
  const frame = new LargeFrame({ text, bytes: text.length, answers: 1, hasBulk: false }, 16_384);
  let written = 0;
  let answered = 0;
  return {
    pings,
    get most() {
      return parts.most;
    },
    write(most = Infinity) {
      for (let n = 0; n < most && parts.hasRoom; n++, written++) {
        frame.next(() => 1);
        parts.sent(frame);
      }
      return written;
    },
    /** Answers the next ping that is not answered; `false` where there is none. */
    pong(): boolean {
      if (answered === pings.length) return false;
      parts.covered(++answered, performance.now(), () => frame.taken++);
      return true;
    },
    get taken() {
      return frame.taken;
    },
  };
}

test('each part is pinged behind while three are on their way, and some of many', () => {
  const one = sender();
  expect([one.write(), one.pings.length]).toEqual([3, 1]);
  while (one.taken < 200) {
    one.write();
    expect(one.pong()).toBe(true);
  }
  expect(one.write() - one.taken).toBeGreaterThan(16);
  expect(one.pings.length).toBeLessThan(60);
});

test('a window that has shrunk below the parts that no ping asks for has one written', () => {
  const one = sender();
  while (one.most < 10) {
    one.write();
    one.pong();
  }
  while (one.pong());
  // The ping is behind half of a window; three more are on their way.
  const before = one.pings.length;
  one.write(Math.ceil(one.most / 2) + 3);
  expect(one.pings.length).toBe(before + 1);
  vi.advanceTimersByTime(1_500);
  one.pong();
  expect([one.most, one.pings.length]).toEqual([3, before + 2]);
});

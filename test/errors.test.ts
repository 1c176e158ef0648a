import { readFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { SYSTEM_CODES, TautlineError } from '../src/errors.ts';
import { root } from './support/source.ts';

const page = readFileSync(`${root}examples/docs/errors.md`, 'utf8');

test('the page of errors has a heading for each code, in their order', () => {
  expect([...page.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading)).toEqual([...SYSTEM_CODES]);
});

test('an error without a text names its path, and the place on the page', () => {
  const { message } = new TautlineError('QUEUE_FULL', false, { outcome: 'not-sent', path: 'messages.send' });
  expect(message).toBe('QUEUE_FULL: messages.send, see tautline/dist/errors.md#queue_full');
  expect(new TautlineError('TIMEOUT', false, { outcome: 'unknown' }).message).toBe(
    'TIMEOUT: tautline, see tautline/dist/errors.md#timeout',
  );
});

test('a remedy follows the text; one that is false is none', () => {
  const error = new TautlineError('OFFLINE', 'no line.', { outcome: 'not-sent', remedy: 'Wait.' });
  expect([error.message, error.remedy]).toEqual(['OFFLINE: no line. Wait.', 'Wait.']);
  const bare = new TautlineError('OFFLINE', 'no line.', { outcome: 'not-sent', remedy: false });
  expect([bare.message, bare.remedy]).toEqual(['OFFLINE: no line.', undefined]);
});

test('of many errors in a second a hundred have a stack, the others only say what failed; then some have one again', () => {
  vi.useFakeTimers();
  try {
    // Whatever other errors were made just now.
    vi.advanceTimersByTime(3_600_000);
    const frames = () =>
      new TautlineError('QUEUE_FULL', 'full.', { outcome: 'not-sent' }).stack!.split('\n    at ').length - 1;
    const { stackTraceLimit } = Error;
    const depths = Array.from({ length: 1_000 }, frames);
    expect(depths.filter((depth) => depth > 0)).toHaveLength(100);
    expect(depths.slice(0, 100)).not.toContain(0);
    expect(Error.stackTraceLimit).toBe(stackTraceLimit);
    expect(new TautlineError('QUEUE_FULL', 'full.', { outcome: 'not-sent' }).stack).toMatch(/QUEUE_FULL: full\.$/);
    vi.advanceTimersByTime(1_000);
    expect(frames()).toBeGreaterThan(0);
  } finally {
    vi.useRealTimers();
  }
});

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
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

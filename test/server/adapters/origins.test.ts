import { expect, test } from 'vitest';
import { DEFAULT_ORIGINS, refusalOf } from '../../../src/server/adapters/origins.ts';

const headers = (origin: string | undefined, host: string | undefined) => ({ origin, host, protocols: 'tautline.v1' });

test.each([
  ['null', undefined],
  ['', undefined],
  ['no origin at all', undefined],
  ['https://example.com', undefined],
  ['null', ''],
  ['null', 'null'],
])('a page of origin %j is not of the same host as a request whose Host is %j', (origin, host) => {
  expect(refusalOf(DEFAULT_ORIGINS, headers(origin, host), {})).toBe(403);
});

test('a request without the header is no page, with or without a Host', () => {
  for (const host of [undefined, 'example.com']) {
    expect(refusalOf(DEFAULT_ORIGINS, headers(undefined, host), {})).toBeUndefined();
  }
});

import { afterEach, describe, expect, test, vi } from 'vitest';
import { resolveSocketUrl } from '../../src/transport/socket-url.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('resolveSocketUrl', () => {
  test.each([
    ['ws://a.test/line', 'ws://a.test/line'],
    ['wss://a.test/line?x=1', 'wss://a.test/line?x=1'],
    ['http://a.test', 'ws://a.test/'],
    ['HTTPS://a.test/https', 'wss://a.test/https'],
    ['wss://a.test/line?x=1#top', 'wss://a.test/line?x=1'],
    ['wss://a.test/line#', 'wss://a.test/line'],
    ['wss://bücher.test/ü', 'wss://xn--bcher-kva.test/%C3%BC'],
  ])('%s becomes %s', (url, resolved) => {
    expect(resolveSocketUrl(url)).toBe(resolved);
  });

  test('takes a URL object', () => {
    expect(resolveSocketUrl(new URL('https://a.test/line'))).toBe('wss://a.test/line');
  });

  test.each([
    ['/line', 'wss://page.test/line'],
    ['line', 'wss://page.test/app/line'],
    ['?x', 'wss://page.test/app/?x'],
    ['//b.test', 'wss://b.test/'],
  ])('%s resolves against the page to %s', (url, resolved) => {
    vi.stubGlobal('location', { href: 'https://page.test/app/#here' });
    expect(resolveSocketUrl(url)).toBe(resolved);
  });

  test('an absolute URL does not need a page that others could resolve against', () => {
    vi.stubGlobal('location', { href: 'about:blank' });
    expect(resolveSocketUrl('wss://a.test')).toBe('wss://a.test/');
  });

  test.each([
    ['wss://a.test/line', 'wss://a.test/line'],
    ['https://a.test:80/line', 'wss://a.test:80/line'],
    ['wss://a.test/line?x=1', 'wss://a.test/line?x=1'],
    ['wss://a.test?x=1', 'wss://a.test?x=1'],
    ['wss://a.test', 'wss://a.test/'],
    ['wss://a.test/', 'wss://a.test/'],
  ])('where the URL of the host adds a slash to everything, as React Native, %s becomes %s', (url, resolved) => {
    vi.stubGlobal(
      'URL',
      class {
        readonly href: string;
        constructor(given: string) {
          this.href = given.endsWith('/') ? given : `${given}/`;
        }
      },
    );
    expect(resolveSocketUrl(url)).toBe(resolved);
  });

  test.each(['ftp://a.test', 'wsx://a.test', 'javascript:0', 'blob:https://a.test/1'])('%s is refused', (url) => {
    expect(() => resolveSocketUrl(url)).toThrow(TypeError);
  });

  test('without a page the message says what to do, and keeps the query to itself', () => {
    const resolve = () => resolveSocketUrl('/line?ticket=secret');
    expect(resolve).toThrow(
      'url can\'t be read: "/line". There is no page to resolve it against: pass an absolute URL.',
    );
  });

  test('what is no URL at all is refused by its type', () => {
    expect(() => resolveSocketUrl(undefined as never)).toThrow('not a value of type undefined');
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Engine } from './engines/engine.ts';
import { bundlePage, servePage } from './transport-page-server.ts';
import type { Seen } from './transport-page.ts';

/** Longest time that a page may take: reached only when a test fails. */
const PATIENCE = { timeout: 45_000 };
/** Attempts follow soon, for tests that are not about delays. */
const BRISK = { reconnect: { firstMs: 10, sharedFirstMs: 10, capMs: 50 } };

/** In what an engine differs. */
export interface Expected {
  /** A page that is left is kept as it is, its socket is not. Else the return loads it anew. */
  readonly keepsPages: boolean;
  /** What is told of a URL that the page's policy blocks. */
  readonly blocked: RegExp;
  /** An insecure URL on a secure page is an error. Else the socket fails without a word, as with a server that is gone. */
  readonly saysInsecure: boolean;
}

/**
 * What the page does in every engine: a test for each.
 *
 * @param own - Further tests of this engine.
 */
export function transportStories<E extends Engine>(
  start: () => Promise<E>,
  expected: Expected,
  own: (page: Stories<E>) => void = () => undefined,
): void {
  let engine: E | undefined;
  let script: string;
  beforeAll(async () => {
    script = await bundlePage();
    engine = await start();
  });
  afterAll(() => engine?.[Symbol.asyncDispose]());
  const stories = new Stories(
    () => engine!,
    () => script,
  );
  describe('A page', () => {
    comesBack(stories);
    isBlocked(stories, expected);
    isLeft(stories, expected);
    own(stories);
    asksNobody(stories);
  });
}

/** The page in its browser. */
class Stories<E extends Engine> {
  readonly #engine: () => E;
  readonly #script: () => string;

  constructor(engine: () => E, script: () => string) {
    this.#engine = engine;
    this.#script = script;
  }

  get engine(): E {
    return this.#engine();
  }

  serve(scheme?: 'https'): ReturnType<typeof servePage> {
    return servePage(this.#script(), scheme);
  }

  seen(): Promise<Seen> {
    return this.engine.run('transport.seen');
  }

  async states(): Promise<string> {
    return statesOf(await this.seen());
  }

  async reaches(states: string): Promise<void> {
    await expect.poll(() => this.states(), PATIENCE).toBe(states);
  }

  call(key: string): Promise<void> {
    return this.engine.run(`transport.call(${JSON.stringify(key)})`);
  }

  async answered(...keys: readonly string[]): Promise<void> {
    await expect.poll(async () => (await this.seen()).answers, PATIENCE).toEqual(keys);
  }
}

function comesBack(page: Stories<Engine>): void {
  test('whose line is cut comes back', async () => {
    await using server = await page.serve();
    await page.engine.go(server.url({ options: BRISK }));
    await page.reaches('connecting connected');
    server.cut();
    await page.call('asked');
    await page.answered('asked');
    expect(await page.states()).toBe('connecting connected waiting connecting connected');
  });

  test('whose server is gone tries until it is back, and what was asked meanwhile runs once', async () => {
    await using server = await page.serve();
    await page.engine.go(server.url({ options: BRISK }));
    await page.reaches('connecting connected');
    server.leave(true);
    await page.call('asked');
    await expect.poll(() => page.states(), PATIENCE).toMatch(/connected( waiting connecting){2}/);
    server.leave(false);
    await page.answered('asked');
    expect(await page.states()).toMatch(/^connecting connected( waiting connecting){2,} connected$/);
    expect(server.ran.get('asked')).toBe(1);
  });

  test('whose line is dead finds it by the probe when it is woken', async () => {
    await using server = await page.serve();
    await page.engine.go(server.url({ options: BRISK }));
    await page.reaches('connecting connected');
    server.freeze();
    await page.call('asked');
    await page.engine.run('void dispatchEvent(new Event("online"))');
    await page.answered('asked');
    expect((await page.seen()).statuses[2]).toMatchObject({ state: 'waiting', cause: { by: 'probe' } });
    expect(server.ran.get('asked')).toBe(1);
  });

  test('that nobody sees comes back from a cut, and finds a dead line when it is seen', async () => {
    await using server = await page.serve();
    await page.engine.go(server.url({ options: BRISK }));
    await page.reaches('connecting connected');
    await page.engine.hide(true);
    // Its timers are throttled: far from the 50 ms that were asked for.
    await expect
      .poll(() => page.seen(), PATIENCE)
      .toSatisfy(
        ({ visibility, gaps }: Seen) => visibility === 'hidden' && gaps.length > 2 && gaps.every((ms) => ms > 500),
      );
    server.cut();
    await page.reaches('connecting connected waiting connecting connected');
    expect((await page.seen()).visibility).toBe('hidden');

    server.freeze();
    await page.engine.hide(false);
    await page.reaches('connecting connected waiting connecting connected waiting connecting connected');
    const { statuses, visibility, errors } = await page.seen();
    expect(visibility).toBe('visible');
    expect(statuses[5]).toMatchObject({ cause: { by: 'probe' } });
    expect(errors).toEqual([]);
  });

  test('with a ReconnectingWebSocket gets what was sent while it was cut', async () => {
    await using server = await page.serve();
    await page.engine.go(server.url());
    expect(await page.engine.run('transport.echo()')).toEqual(['open', 'close 1006', 'open', 'queued', 'close 1000']);
    expect(server.echoed).toEqual(['cut me', 'queued']);
  });
}

function isBlocked(page: Stories<Engine>, { blocked: told, saysInsecure }: Expected): void {
  const policy = "connect-src 'self'";
  const blocked = 'ws://blocked.test/ws';

  test('whose policy blocks the first of its URLs gets through with the next', async () => {
    await using server = await page.serve();
    await page.engine.go(server.url({ urls: [blocked, '/ws'], options: BRISK }, policy));
    await page.call('asked');
    await page.answered('asked');
    expect(await page.states()).toBe('connecting waiting connecting connected');
    expect((await page.seen()).statuses[1]).toMatchObject({ cause: { by: 'provider', opened: false } });
  });

  test('whose policy blocks its only URL is told so at once', async () => {
    await using server = await page.serve();
    await page.engine.go(server.url({ urls: [blocked], options: BRISK }, policy));
    await page.reaches('connecting closed');
    expect((await page.seen()).statuses[1]).toMatchObject({
      cause: { by: 'provider', error: expect.stringMatching(told) as unknown },
    });
  });

  test(`that is secure, with a URL that is not, ${saysInsecure ? 'is told so at once' : 'keeps trying'}`, async () => {
    await using server = await page.serve('https');
    await page.engine.go(server.url({ urls: ['ws://insecure.test/ws'], options: BRISK }));
    await expect
      .poll(() => page.states(), PATIENCE)
      .toMatch(saysInsecure ? /^connecting closed$/ : /^connecting waiting connecting waiting/);
    expect((await page.seen()).statuses[1]).toMatchObject({
      cause: saysInsecure
        ? { by: 'provider', error: expect.stringMatching(/^SecurityError: /) as unknown }
        : { by: 'peer', code: 1006, opened: false },
    });
    await page.engine.run('transport.close()');
    expect(await page.states()).toMatch(/closed$/);
  });
}

function isLeft(page: Stories<Engine>, { keepsPages }: Expected): void {
  test('that is left and returned to is connected, and what it asked is done once', async () => {
    await using server = await page.serve();
    await page.engine.go(server.url({ report: 'always' }));
    await page.reaches('connecting connected');
    await page.call('slow');
    await expect.poll(() => server.ran.get('slow'), PATIENCE).toBe(1);
    await page.engine.run('void setTimeout(() => location.assign("/away"), 0)');
    await expect.poll(() => server.left, PATIENCE).toBe(1);
    server.release();
    const after = keepsPages ? 'connecting connected connecting connected' : 'connecting connected';
    await expect
      .poll(() => [statesOf(server.reported), server.reported?.answers.length], PATIENCE)
      .toEqual([after, keepsPages ? 2 : 0]);
    expect(server.ran.get('slow')).toBe(1);
  });
}

/** The last of all: what came before counts. */
function asksNobody(page: Stories<Engine>): void {
  test('has asked nothing of other machines, and neither has its browser; if it had, it would be known', async () => {
    await using server = await page.serve();
    await page.engine.go(server.url());
    expect(page.engine.strays).toEqual([]);
    await page.engine.run('fetch("http://elsewhere.test/", { mode: "no-cors" }).then(() => null, () => null)');
    expect(page.engine.strays).toEqual(['http://elsewhere.test/']);
  });
}

function statesOf(seen: Seen | undefined): string {
  return (seen?.statuses ?? []).map(({ state }) => state).join(' ');
}

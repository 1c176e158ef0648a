import type { Browser, Page } from 'playwright';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { launchChromium } from '../support/chromium.ts';
import { bundlePage, HTML, servePage, type PageServer } from './transport-page-server.ts';
import type { Seen, Settings, TransportPage } from './transport-page.ts';

/** Longest time that a page may take: reached only when a test fails. */
const PATIENCE = { timeout: 45_000 };
/** Attempts follow soon, for tests that are not about delays. */
const BRISK = { reconnect: { firstMs: 10, sharedFirstMs: 10, capMs: 50 } };

/** What playwright starts Chromium with so that hidden pages run as if they were seen, and none is kept for a return. */
const UNLIKE_USERS = [
  '--disable-back-forward-cache',
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
];

let browser: Browser;
let script: string;

beforeAll(async () => {
  [browser, script] = await Promise.all([launchChromium({ ignoreDefaultArgs: UNLIKE_USERS }), bundlePage()]);
});
afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));
afterAll(() => browser.close());

/** What Chromium itself says of a socket or a request that failed. No page can silence it. */
const OWN_LINES =
  /^(WebSocket connection to '\S+' failed: |Connecting to '\S+' violates the following Content Security Policy |Refused to connect to '\S+' because it violates |Mixed Content: )/;

/** The page, driven by playwright. */
class Driven {
  readonly #page: Page;
  readonly #problems: string[] = [];
  #loads = 0;

  private constructor(page: Page) {
    this.#page = page;
    page.on('load', () => (this.#loads += 1));
    page.on('pageerror', (error) => this.#problems.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.#problems.push(message.text());
    });
  }

  static async open(url: string, prepare?: (page: Page) => Promise<unknown>): Promise<Driven> {
    const context = await browser.newContext();
    const driven = new Driven(await context.newPage());
    await prepare?.(driven.#page);
    await driven.#page.goto(url);
    return driven;
  }

  seen(): Promise<Seen> {
    return this.#page.evaluate(() => (globalThis as unknown as { transport: TransportPage }).transport.seen);
  }

  async states(): Promise<string> {
    return statesOf(await this.seen());
  }

  async shows(state: string): Promise<void> {
    await expect.poll(async () => (await this.seen()).statuses.at(-1)?.state, PATIENCE).toBe(state);
  }

  call(key: string): Promise<void> {
    return this.#page.evaluate(
      (name) => (globalThis as unknown as { transport: TransportPage }).transport.call(name),
      key,
    );
  }

  close(): Promise<void> {
    return this.#page.evaluate(() => (globalThis as unknown as { transport: TransportPage }).transport.close());
  }

  echo(): Promise<readonly string[]> {
    return this.#page.evaluate(() => (globalThis as unknown as { transport: TransportPage }).transport.echo());
  }

  async answered(keys: readonly string[]): Promise<void> {
    await expect.poll(async () => (await this.seen()).answers, PATIENCE).toEqual(keys);
  }

  offline(yes: boolean): Promise<void> {
    return this.#page.context().setOffline(yes);
  }

  /** Goes to another page, which goes back by itself. From then on the page can't be reached from here. */
  async leaveAndReturn(): Promise<void> {
    await this.#page.evaluate(() => void setTimeout(() => location.assign('/away'), 0));
  }

  /** Loaded once, and nothing was thrown or complained of but by the browser itself. */
  expectQuiet(): void {
    expect(this.#problems.filter((problem) => !OWN_LINES.test(problem))).toEqual([]);
    expect(this.#loads).toBe(1);
  }
}

function statesOf(seen: Seen | undefined): string {
  return (seen?.statuses ?? []).map(({ state }) => state).join(' ');
}

async function reported(server: PageServer, look: (seen: Seen) => unknown): Promise<Seen> {
  await expect.poll(() => server.reported !== undefined && look(server.reported), PATIENCE).toBe(true);
  return server.reported!;
}

test('a page that comes back from the back/forward cache drops its dead socket at once and goes on', async () => {
  await using server = await servePage(script);
  const page = await Driven.open(server.url({ report: 'restored' }));
  await page.shows('connected');
  await page.call('slow');
  await expect.poll(() => server.ran.get('slow'), PATIENCE).toBe(1);
  await page.leaveAndReturn();

  await reported(server, ({ answers }) => answers.includes('after the return'));
  server.release();
  const seen = await reported(server, ({ answers }) => answers.length === 2);
  expect([server.left, seen.restored]).toEqual([1, 1]);
  // Without `waiting`: it does not wait for the browser to say that the old socket is closed.
  expect(statesOf(seen)).toBe('connecting connected connecting connected');
  expect(seen.statuses.at(-1)).toMatchObject({ resumed: true });
  expect(seen.errors).toEqual([]);
  expect(Object.fromEntries(server.ran)).toEqual({ slow: 1, 'after the return': 1 });
});

test('a network that goes: the dead line is found by the probe; when it returns, the wait ends at once', async () => {
  await using server = await servePage(script);
  const page = await Driven.open(
    server.url({ longDelays: true, options: { reconnect: { sharedFirstMs: 30_000, capMs: 60_000 } } }),
  );
  await page.shows('connected');

  await page.offline(true);
  await page.call('while offline');
  // The socket says OPEN for as long as it is asked. An attempt follows at once, and fails.
  await expect.poll(() => page.states(), PATIENCE).toBe('connecting connected waiting connecting waiting');
  expect((await page.seen()).statuses[2]).toMatchObject({ cause: { by: 'probe', opened: true } });

  await page.offline(false);
  await page.answered(['while offline']);
  const { statuses, errors } = await page.seen();
  // It waits once more where the attempt before is less than a second old.
  expect(await page.states()).toMatch(/^connecting connected waiting connecting( waiting){1,2} connecting connected$/);
  expect(statuses[4]).toMatchObject({ cause: { by: 'peer', code: 1006, opened: false } });
  // Not when the delay was over: when the network was back.
  const [{ retryAt }, { since }] = [statuses[4], statuses.at(-1)] as [{ retryAt: number }, { since: number }];
  expect(retryAt).toBeGreaterThan(since);
  expect(errors).toEqual([]);
  expect(Object.fromEntries(server.ran)).toEqual({ 'while offline': 1 });
  page.expectQuiet();
});

test('a hidden page with throttled timers comes back from a cut, and finds a dead line when it is seen', async () => {
  await using server = await servePage(script);
  const session = await browser.newBrowserCDPSession();
  // Playwright makes its own pages look seen at all times, so these are none of its pages.
  const open = (url: string) => session.send('Target.createTarget', { url });
  const { targetId } = await open(server.url({ report: 'always', options: BRISK }));
  await reported(server, ({ statuses }) => statuses.at(-1)?.state === 'connected');
  const other = await open('about:blank');
  // A new one comes to the front, but not always in time.
  await session.send('Target.activateTarget', { targetId: other.targetId });
  await reported(server, ({ visibility, gaps }) => visibility === 'hidden' && gaps.length > 2 && gaps.every(throttled));

  server.cut();
  await reported(server, (seen) => statesOf(seen).endsWith('connected waiting connecting connected'));
  expect(server.reported!.visibility).toBe('hidden');

  server.freeze();
  await session.send('Target.activateTarget', { targetId });
  const seen = await reported(server, ({ statuses }) => statuses.length === 8 && statuses[7]!.state === 'connected');
  expect(seen.visibility).toBe('visible');
  expect(statesOf(seen)).toBe('connecting connected waiting connecting connected waiting connecting connected');
  expect(seen.statuses[5]).toMatchObject({ cause: { by: 'probe' } });
  expect(seen.errors).toEqual([]);
  for (const target of [targetId, other.targetId]) await session.send('Target.closeTarget', { targetId: target });
});

/** Chromium gives the timers of hidden pages one turn a second: far from the 50 ms that were asked for. */
function throttled(gapMs: number): boolean {
  return gapMs > 500;
}

test('a URL that the page’s policy blocks is a failed attempt: the page works on, and another URL gets through', async () => {
  await using server = await servePage(script);
  const settings: Settings = { urls: ['ws://blocked.test/ws', '/ws'], options: BRISK };
  const page = await Driven.open(server.url(settings, "connect-src 'self'"));
  await page.call('after all');
  await page.answered(['after all']);
  expect(await page.states()).toBe('connecting waiting connecting connected');
  expect((await page.seen()).statuses[1]).toMatchObject({ cause: { code: 1006, opened: false, by: 'peer' } });
  page.expectQuiet();
});

test('a page whose policy blocks every URL keeps trying, answers, and can be closed', async () => {
  await using server = await servePage(script);
  const page = await Driven.open(server.url({ urls: ['ws://blocked.test/ws'], options: BRISK }, "connect-src 'self'"));
  await expect
    .poll(async () => (await page.states()).split(' ').slice(0, 4), PATIENCE)
    .toEqual([...['connecting', 'waiting'], ...['connecting', 'waiting']]);
  await page.close();
  expect((await page.seen()).statuses.at(-1)).toMatchObject({ state: 'closed', cause: { by: 'app', code: 1000 } });
  page.expectQuiet();
});

test('an insecure URL on a secure page ends it at once, with an error that says why', async () => {
  const page = await Driven.open(
    `https://secure.test/?${new URLSearchParams({ settings: JSON.stringify({ urls: ['ws://insecure.test/ws'] }) }).toString()}`,
    (tab) =>
      tab.route('https://secure.test/**', (route) =>
        route.request().url().endsWith('/page.js')
          ? route.fulfill({ contentType: 'text/javascript', body: script })
          : route.fulfill({ contentType: 'text/html', body: HTML }),
      ),
  );
  await page.shows('closed');
  expect(await page.states()).toBe('connecting closed');
  const { cause } = (await page.seen()).statuses[1] as { cause: { by: string; error: string } };
  expect(cause.by).toBe('provider');
  expect(cause.error).toMatch(/^SecurityError: .*insecure WebSocket connection/);
  page.expectQuiet();
});

test('ReconnectingWebSocket in a page comes back from a cut, and what was sent meanwhile arrives once', async () => {
  await using server = await servePage(script);
  const page = await Driven.open(server.url());
  expect(await page.echo()).toEqual(['open', 'close 1006', 'open', 'queued', 'close 1000']);
  expect(server.echoed).toEqual(['cut me', 'queued']);
  page.expectQuiet();
});

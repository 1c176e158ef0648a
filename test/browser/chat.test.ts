import type { Browser } from 'playwright';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { launchChromium } from '../support/chromium.ts';
import { ChatPage, PATIENCE } from './chat-page.ts';
import { start, startServer } from './chat-server.ts';

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});
afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));
afterAll(() => browser.close());

/** What Chromium itself says about a socket that could not be opened, or was reset. No page can silence it. */
const FAILED_SOCKET = /^WebSocket connection to 'ws:\/\/127\.0\.0\.1:\d+\/chat\?line=[0-9a-f]{32}(&slow)?' failed: /;

function expectNoProblems(...pages: ChatPage[]): void {
  const problems = pages.flatMap((page) => page.problems);
  expect(problems.filter((problem) => !FAILED_SOCKET.test(problem))).toEqual([]);
}

test('two pages chat: what one writes, both show, as text', async () => {
  await using server = await startServer();
  const [anna, ben] = await Promise.all([ChatPage.open(browser, server.url), ChatPage.open(browser, server.url)]);
  await anna.join('Anna');
  await ben.join('Ben');

  await anna.type('Hello <b>Ben</b> & <img src=x onerror="document.title=1">');
  await ben.says(['Hello <b>Ben</b> & <img src=x onerror="document.title=1">']);
  await ben.type('Hello Anna');
  for (const page of [anna, ben]) {
    await page.says(['Hello <b>Ben</b> & <img src=x onerror="document.title=1">', 'Hello Anna']);
    await page.delivery(['sent']);
    expect(await page.page.locator('#log b, #log img').count()).toBe(0);
    await expect.poll(() => page.page.locator('#people li').allTextContents(), PATIENCE).toEqual(['Anna', 'Ben']);
  }
  expectNoProblems(anna, ben);
});

test('a name in use is refused, in any case, and another one is taken', async () => {
  await using server = await startServer();
  const anna = await ChatPage.open(browser, server.url);
  await anna.join('Anna');
  const other = await ChatPage.open(browser, server.url);

  await other.chooseName('anna');
  await other.page.getByRole('alert').filter({ hasText: '“anna” is in use. Choose another name.' }).waitFor(PATIENCE);
  expect(await other.page.getByRole('textbox', { name: 'Message' }).isVisible()).toBe(false);
  await other.join('Another Anna');
  expectNoProblems(anna, other);
});

test('who comes later sees what was said, and a reload keeps the person', async () => {
  await using server = await startServer();
  const anna = await ChatPage.open(browser, server.url);
  await anna.join('Anna');
  await anna.type('First');
  await anna.delivery(['sent']);

  const ben = await ChatPage.open(browser, server.url);
  await ben.says(['First']);
  await anna.page.reload();
  await anna.says(['First']);
  await anna.type('Still me');
  await ben.says(['First', 'Still me']);
  await expect.poll(() => ben.page.locator('#people li').allTextContents(), PATIENCE).toEqual(['Anna']);
  expectNoProblems(anna, ben);
});

test('what is typed while the server is stopped arrives once, in order, in both pages', async () => {
  await using first = await startServer();
  const [anna, ben] = await Promise.all([ChatPage.open(browser, first.url), ChatPage.open(browser, first.url)]);
  await anna.join('Anna');
  await ben.join('Ben');
  await anna.type('Before');
  await ben.says(['Before']);

  await first.kill();
  await Promise.all([anna.shows('waiting'), ben.shows('waiting')]);
  expect(await anna.status.textContent()).toMatch(/No connection\s+next try in \d+ s/);
  for (const text of ['One', 'Two', 'Three']) await anna.type(text);
  await anna.says(['Before', 'One', 'Two', 'Three']);
  await anna.delivery(['sent', 'waiting', 'waiting', 'waiting']);
  await expect.poll(() => anna.page.locator('#queued').textContent(), PATIENCE).toBe('3');
  await ben.says(['Before']);

  await using second = await startServer(first.port);
  expect(second.url).toBe(first.url);
  await Promise.all([anna.tryNow(), ben.tryNow()]);
  for (const page of [anna, ben]) await page.says(['Before', 'One', 'Two', 'Three']);
  await anna.delivery(['sent', 'sent', 'sent', 'sent']);
  // The name survived, too: what is typed now goes the same way, behind the rest.
  await ben.type('After');
  for (const page of [anna, ben]) await page.says(['Before', 'One', 'Two', 'Three', 'After']);

  for (const page of [anna, ben]) {
    // Connected is shown while a socket is open and at no other time.
    expect((await page.happenings()).join(' ')).toMatch(
      /^(idle )?connecting open! connected close! waiting( connecting close! waiting)* connecting open! connected$/,
    );
  }
  expectNoProblems(anna, ben);
});

test('a message that was on its way when the server died is sent again, and shown once', async () => {
  await using first = await startServer();
  const [anna, ben] = await Promise.all([ChatPage.open(browser, first.url), ChatPage.open(browser, first.url)]);
  await anna.join('Anna');
  await anna.press('Slow line');
  await anna.page.locator('#slow[aria-pressed="true"]').waitFor(PATIENCE);

  await anna.type('On its way');
  await anna.delivery(['waiting']);
  // Written to the socket: it does not wait here any more.
  await expect.poll(() => anna.page.locator('#queued').textContent(), PATIENCE).toBe('0');
  await first.kill();
  await anna.shows('waiting');
  await using second = await startServer(first.port);
  expect(second.url).toBe(first.url);
  await Promise.all([anna.tryNow(), ben.tryNow()]);
  await anna.delivery(['sent']);
  for (const page of [anna, ben]) await page.says(['On its way']);
  expectNoProblems(anna, ben);
});

test('a name that somebody took meanwhile is asked for again, and what was typed is kept and sent', async () => {
  await using first = await startServer();
  let blocked = false;
  const anna = await ChatPage.open(browser, first.url, (page) =>
    page.routeWebSocket(/chat/, (socket) => void (blocked ? socket.close() : socket.connectToServer())),
  );
  await anna.join('Anna');
  blocked = true;
  await first.kill();
  await anna.shows('waiting');
  await anna.type('Kept');

  await using second = await startServer(first.port);
  const other = await ChatPage.open(browser, second.url);
  await other.join('Anna');
  blocked = false;
  await anna.tryNow();
  await anna.page.getByRole('alert').filter({ hasText: 'does not know you as Anna any more' }).waitFor(PATIENCE);
  await anna.says(['Kept']);
  await anna.join('The first Anna');
  await anna.delivery(['sent']);
  await other.says(['Kept']);
  expect(await other.page.locator('#log .author').allTextContents()).toEqual(['The first Anna']);
  expectNoProblems(anna, other);
});

test('"Stop the server" stops it for everybody; it starts again, and all come back by themselves', async () => {
  await using started = await start({ STOP_MS: '500' });
  const [anna, ben] = await Promise.all([ChatPage.open(browser, started.url), ChatPage.open(browser, started.url)]);
  await anna.join('Anna');
  await ben.join('Ben');

  await anna.press('Stop the server');
  await Promise.all([anna.shows('waiting'), ben.shows('waiting')]);
  await anna.type('While it was away');
  for (const page of [anna, ben]) await page.says(['While it was away']);
  expect(started.printed).toMatch(/The server stopped, as asked\. It starts again in 0\.5 s\.\nThe server runs again/);
  expectNoProblems(anna, ben);
});

test('"Cut the line" cuts this line only, and the page comes back by itself', async () => {
  await using server = await startServer();
  const [anna, ben] = await Promise.all([ChatPage.open(browser, server.url), ChatPage.open(browser, server.url)]);
  await anna.join('Anna');
  await ben.join('Ben');

  await anna.press('Cut the line');
  await expect.poll(() => anna.page.locator('#reconnects').textContent(), PATIENCE).toBe('1');
  // The call that cut the line got its answer over the next one: the button works again.
  await anna.page.locator('#cut:enabled').waitFor(PATIENCE);
  await anna.type('Back again');
  await ben.says(['Back again']);

  expect((await anna.happenings()).join(' ')).toMatch(
    /^(idle )?connecting open! connected close! waiting connecting open! connected$/,
  );
  expect((await ben.happenings()).join(' ')).toMatch(/^(idle )?connecting open! connected$/);
  expectNoProblems(anna, ben);
});

test('"Slow line" slows this line until it is pressed again, whatever happens to the socket', async () => {
  await using server = await startServer();
  const anna = await ChatPage.open(browser, server.url);
  await anna.join('Anna');
  const roundTrip = async () => parseInt((await anna.page.locator('#rtt').textContent()) ?? '', 10);
  const slow = anna.page.getByRole('button', { name: 'Slow line' });

  await slow.click();
  await anna.page.locator('#slow[aria-pressed="true"]:enabled').waitFor(PATIENCE);
  await expect.poll(roundTrip, PATIENCE).toBeGreaterThanOrEqual(1_100);
  await anna.press('Cut the line');
  await expect.poll(() => anna.page.locator('#reconnects').textContent(), PATIENCE).toBe('1');
  await expect.poll(roundTrip, PATIENCE).toBeGreaterThanOrEqual(1_100);
  await anna.type('Slow, but it arrives');
  await anna.delivery(['waiting']);
  await anna.delivery(['sent']);

  await slow.click();
  await anna.page.locator('#slow[aria-pressed="false"]').waitFor(PATIENCE);
  await expect.poll(roundTrip, PATIENCE).toBeLessThan(1_100);
  expectNoProblems(anna);
});

test('on a phone the page is no wider than the screen, whoever is here, and says what to try and why buttons are grey', async () => {
  await using chat = await start({ STOP_MS: '500' });
  const phone = await ChatPage.open(browser, chat.url, (page) => page.setViewportSize({ width: 360, height: 640 }));
  expect(await phone.page.locator('#empty').textContent()).toContain('second window');
  for (let number = 0; number < 5; number++) {
    const other = await ChatPage.open(browser, chat.url);
    await other.join(`A very long name ${number}`);
  }
  await phone.page.locator('#people li').nth(4).waitFor(PATIENCE);
  const widths = () => phone.page.evaluate(() => [document.documentElement.scrollWidth, document.body.scrollWidth]);
  expect(await widths()).toEqual([360, 360]);
  await phone.press('Stop the server');
  await phone.page.getByText('Grey because there is no connection').waitFor(PATIENCE);
  expect(await phone.page.locator('.trouble button:disabled').count()).toBe(3);
  await phone.shows('connected');
  await expect.poll(() => phone.page.locator('#trouble-why').textContent(), PATIENCE).toBe('');
  expect(await widths()).toEqual([360, 360]);
});

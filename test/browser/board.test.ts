import type { Browser } from 'playwright';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { launchChromium } from '../support/chromium.ts';
import { BoardPage, expectNoProblems } from './board-page.ts';
import { PATIENCE } from './chat-page.ts';
import { start, startServer } from './chat-server.ts';

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});
afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));
afterAll(() => browser.close());

async function two(url: string): Promise<readonly [BoardPage, BoardPage]> {
  const [anna, ben] = await Promise.all([BoardPage.open(browser, url), BoardPage.open(browser, url)]);
  await anna.logIn('Anna');
  await anna.sees(['Anna']);
  await ben.logIn('Ben');
  return [anna, ben];
}

test('two share a board: who is there, cards that are added, moved and removed, as text', async () => {
  await using server = await startServer();
  const [anna, ben] = await two(server.url);
  for (const page of [anna, ben]) {
    await page.sees(['Anna', 'Ben']);
    await page.has('done', ['Start the board']);
  }
  for (const page of [anna, ben]) {
    await page.press('House');
    await page.has('done', []);
  }
  await anna.add('Mend the <b>roof</b>');
  for (const page of [anna, ben]) await page.has('todo', ['Mend the <b>roof</b>']);
  await ben.card('roof').getByRole('button', { name: 'Move right' }).click();
  for (const page of [anna, ben]) await page.has('doing', ['Mend the <b>roof</b>']);
  await anna.card('roof').getByRole('button', { name: 'Remove' }).click();
  for (const page of [anna, ben]) await page.has('doing', []);
  expectNoProblems(anna, ben);
});

test('by keyboard: arrows move a card, and the focus stays on it; Delete removes it', async () => {
  await using server = await startServer();
  const anna = await BoardPage.open(browser, server.url);
  await anna.page.getByLabel('Your name').fill('Anna');
  await anna.page.keyboard.press('Enter');
  await anna.has('done', ['Start the board']);
  await anna.card('second window').focus();
  for (const column of ['doing', 'done'] as const) {
    await anna.page.keyboard.press('ArrowRight');
    await expect.poll(() => anna.page.locator(`[data-column="${column}"] .card:focus .text`).count(), PATIENCE).toBe(1);
    await expect.poll(() => anna.page.locator('.pending').count(), PATIENCE).toBe(0);
  }
  await anna.has('done', ['Start the board', 'Open this page in a second window']);
  await anna.page.keyboard.press('Delete');
  await anna.has('done', ['Start the board']);
  expectNoProblems(anna);
});

test('a move shows at once on a line that is gone, and is made once when it is back', async () => {
  // Tickets outlive a server that has the key.
  const key = { BOARD_KEY: 'of the test' };
  await using first = await startServer(0, key);
  const [anna, ben] = await two(first.url);
  await ben.has('doing', ['Cut the line, and move a card']);
  await first.kill();
  await Promise.all([anna.shows('waiting'), ben.shows('waiting')]);
  await anna.card('Cut the line').getByRole('button', { name: 'Move right' }).click();
  await anna.has('done', ['Start the board', 'Cut the line, and move a card']);
  expect(await anna.page.locator('.pending').count()).toBe(1);
  await ben.has('done', ['Start the board']);

  await using second = await startServer(first.port, key);
  expect(second.url).toBe(first.url);
  await Promise.all([anna.tryNow(), ben.tryNow()]);
  for (const page of [anna, ben]) await page.has('done', ['Start the board', 'Cut the line, and move a card']);
  await expect.poll(() => anna.page.locator('.pending').count(), PATIENCE).toBe(0);
  expectNoProblems(anna, ben);
});

test('"Cut the line" cuts it, and an answer that streams goes on behind it', async () => {
  await using server = await startServer();
  const anna = await BoardPage.open(browser, server.url);
  await anna.logIn('Anna');
  await anna.has('todo', ['Open this page in a second window']);
  await anna.press('Sum it up');
  await anna.page.locator('#summary:not(:empty)').waitFor(PATIENCE);
  await anna.press('Cut the line');
  const whole = 'There are 3 cards: 1 to do, 1 done. In work now: “Cut the line, and move a card”.';
  await expect.poll(() => anna.page.locator('#summary').textContent(), PATIENCE).toBe(whole);
  await anna.shows('connected');
  expectNoProblems(anna);
});

test('log out and in: nothing of the former user shows, and a reload is still logged in', async () => {
  await using server = await startServer();
  const anna = await BoardPage.open(browser, server.url);
  await anna.logIn('Anna');
  await anna.press('Only mine');
  await anna.has('todo', []);
  await anna.add('A secret');
  await anna.has('todo', ['A secret']);
  await anna.press('Log out');
  await anna.page.getByLabel('Your name').waitFor(PATIENCE);
  expect(await anna.page.locator('.card, nav').count()).toBe(0);

  await anna.logIn('Ben');
  await anna.sees(['Ben']);
  await anna.press('Only mine');
  await anna.has('todo', []);
  await anna.page.reload();
  await anna.sees(['Ben']);
  await anna.press('Log out');
  await anna.logIn('Anna');
  await anna.press('Only mine');
  await anna.has('todo', ['A secret']);
  expectNoProblems(anna);
});

test('a token is fetched before the last one expires, and the line stays', async () => {
  await using started = await start({ TOKEN_MS: '4000' });
  const anna = await BoardPage.open(browser, started.url);
  let sockets = 0;
  anna.page.on('websocket', () => sockets++);
  await anna.logIn('Anna');
  await anna.has('todo', ['Open this page in a second window']);
  const before = sockets;
  const tokens = async (): Promise<number> => Number(await anna.page.locator('#tokens').textContent());
  const fetched = await tokens();
  await expect.poll(tokens, PATIENCE).toBeGreaterThan(fetched + 1);
  await anna.add('Still here');
  await anna.has('todo', ['Open this page in a second window', 'Still here']);
  expect(sockets).toBe(before);
  expect(started.printed).toContain(`${started.url}board/`);
  expectNoProblems(anna);
});

test('on a phone nothing is wider than the page, light and dark', async () => {
  await using server = await startServer();
  const anna = await BoardPage.open(browser, server.url);
  await anna.page.setViewportSize({ width: 360, height: 740 });
  await anna.logIn('Anna');
  await anna.add('A-very-long-word-'.repeat(8));
  await anna.page.getByText('A-very-long-word-').waitFor(PATIENCE);
  const colours: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    await anna.page.emulateMedia({ colorScheme });
    colours.push(await anna.page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor));
    const wider = await anna.page.evaluate(() =>
      [...document.querySelectorAll('main, main *')].filter((element) => element.scrollWidth > innerWidth),
    );
    expect(wider).toEqual([]);
  }
  expect(new Set(colours).size).toBe(2);
  expectNoProblems(anna);
});

import type { Browser, Page } from 'playwright';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { launchChromium } from '../support/chromium.ts';
import { BoardPage } from './board-page.ts';
import { ChatPage, PATIENCE } from './chat-page.ts';
import { startProcess, startServer } from './chat-server.ts';
import { hardToRead } from './contrast.ts';
import { tabThrough } from './focus.ts';

/* What the pages of the examples look like, in each of their states: readable, no wider than a phone, with a focus. */

/** Of a test: reached only when it fails. */
const LIMIT = { timeout: 180_000 };

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});
afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));
afterAll(() => browser.close());

/** In light and dark, on a phone and on a desk. */
async function expectGoodLooks(page: Page): Promise<void> {
  const problems: string[] = [];
  for (const width of [360, 1280]) {
    await page.setViewportSize({ width, height: 740 });
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      problems.push(...(await page.evaluate(hardToRead)).map((problem) => `${width} ${colorScheme} ${problem}`));
    }
    const widths = () =>
      ['html', 'body', 'main'].map((name) => {
        const element = document.querySelector(name);
        return element !== null && element.scrollWidth > innerWidth ? `${name} ${element.scrollWidth}` : '';
      });
    problems.push(...(await page.evaluate(widths)).filter(Boolean).map((wide) => `${width} is less than ${wide}`));
  }
  expect(problems).toEqual([]);
}

async function expectFocus(page: Page): Promise<void> {
  for (const width of [360, 1280]) {
    await page.setViewportSize({ width, height: 740 });
    expect(await tabThrough(page)).toEqual({ unreached: [], unseen: [] });
  }
}

/** No attempt begins: what the page shows stays there. */
async function stayWaiting(shown: ChatPage | BoardPage): Promise<void> {
  await shown.shows('waiting');
  await shown.page.clock.pauseAt(await shown.page.evaluate(() => Date.now() + 5_000));
  await shown.shows('waiting');
}

test('the chat', LIMIT, async () => {
  await using server = await startServer();
  const [anna, ben] = await Promise.all([
    ChatPage.open(browser, server.url, (page) => page.clock.install()),
    ChatPage.open(browser, server.url),
  ]);
  await expectGoodLooks(anna.page);
  await expectFocus(anna.page);
  await ben.join('Ben');
  await anna.chooseName('ben');
  await anna.page.getByRole('alert').filter({ hasText: 'in use' }).waitFor(PATIENCE);
  await expectGoodLooks(anna.page);
  await anna.join('Anna');
  await ben.type('Hello Anna');
  await anna.type('Hello Ben');
  await anna.says(['Hello Anna', 'Hello Ben']);
  await anna.delivery(['sent']);
  await anna.press('Slow line');
  await anna.page.locator('#slow[aria-pressed="true"]:enabled').waitFor(PATIENCE);
  await expectGoodLooks(anna.page);
  await expectFocus(anna.page);

  await server.kill();
  await stayWaiting(anna);
  for (const text of ['Waits', 'Fails']) await anna.type(text);
  await anna.delivery(['waiting', 'waiting']);
  await anna.page.evaluate(() => {
    const last = document.querySelector<HTMLElement>('.message:last-child')!;
    last.dataset.delivery = 'failed';
    last.querySelector('button')!.hidden = false;
  });
  await expectGoodLooks(anna.page);
  await expectFocus(anna.page);
});

test('the board', LIMIT, async () => {
  await using server = await startServer();
  const anna = await BoardPage.open(browser, server.url, (page) => page.clock.install());
  const { page } = anna;
  await page.locator('#problem').evaluate((problem) => (problem.textContent = 'The server does not answer.'));
  await expectGoodLooks(page);
  await expectFocus(page);
  await anna.logIn('Anna');
  await anna.sees(['Anna']);
  await anna.press('Slow line');
  await page.locator('[aria-pressed="true"]:enabled').waitFor(PATIENCE);
  await anna.press('Sum it up');
  await page.locator('#summary:not(:empty)').waitFor(PATIENCE);
  await expectGoodLooks(page);
  await expectFocus(page);

  await server.kill();
  await anna.shows('waiting');
  await anna.act('second window', 'Move right');
  await anna.add('A-very-long-word-'.repeat(8));
  await page.getByText('A-very-long-word-').waitFor(PATIENCE);
  await stayWaiting(anna);
  await page.locator('.problem').evaluate((problem) => (problem.textContent = 'Somebody has removed that card.'));
  await expectGoodLooks(page);
  await expectFocus(page);
});

test('the one with several servers', LIMIT, async () => {
  await using server = await startProcess(new URL('scale-server.ts', import.meta.url));
  const page = await (await browser.newContext()).newPage();
  await page.goto(server.url);
  await page.getByText('Events lost').waitFor(PATIENCE);
  await page.getByRole('button', { name: 'Stop a node' }).click();
  await page.getByText('Another node is not back yet.').waitFor(PATIENCE);
  await expectGoodLooks(page);
  await expectFocus(page);
  await server.kill();
  await page.getByText('waiting').waitFor(PATIENCE);
  await expectGoodLooks(page);
});

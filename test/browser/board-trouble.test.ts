import type { Browser } from 'playwright';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { launchChromium } from '../support/chromium.ts';
import { BoardPage, expectNoProblems } from './board-page.ts';
import { PATIENCE } from './chat-page.ts';
import { start, startServer } from './chat-server.ts';

/** Of a test: reached only when it fails. Several processes and pages take long to begin on a busy machine. */
const LIMIT = { timeout: 180_000 };

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});
afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));
afterAll(() => browser.close());

/** Tickets outlive a server that has the key. */
const KEY = { BOARD_KEY: 'of the test' };
const WINDOW = 'Open this page in a second window';
const CUT = 'Cut the line, and move a card';
const START = 'Start the board';

const WHOLE = `There are 3 cards: 1 to do, 1 done. In work now: “${CUT}”.`;

async function two(url: string): Promise<readonly [BoardPage, BoardPage]> {
  const [anna, ben] = await Promise.all([BoardPage.open(browser, url), BoardPage.open(browser, url)]);
  await anna.logIn('Anna');
  await ben.logIn('Ben');
  for (const page of [anna, ben]) await page.sees(['Anna', 'Ben']);
  for (const page of [anna, ben]) await page.has('done', [START]);
  return [anna, ben];
}

test(
  'without a server a board stays as it is, what one does shows at once, and is done once when it is back',
  LIMIT,
  async () => {
    await using first = await startServer(0, KEY);
    const [anna, ben] = await two(first.url);
    await first.kill();
    await Promise.all([anna.shows('waiting'), ben.shows('waiting')]);
    const status = anna.page.locator('#status');
    // Between two tries: in each it says something else.
    await expect.poll(() => status.textContent()).toMatch(/^No connectionnext try in \d+ s/);
    expect(await anna.page.locator('.trouble button:disabled').count()).toBe(3);
    // Who was here.
    await anna.sees(['Anna', 'Ben']);

    await anna.act(CUT, 'Move right');
    await anna.act(WINDOW, 'Remove');
    await anna.add('Written offline');
    await anna.act('Written offline', 'Move right');
    await anna.has('todo', []);
    await anna.has('doing', ['Written offline']);
    await anna.has('done', [START, CUT]);
    expect(await anna.page.locator('.card[aria-busy="true"] .text').allTextContents()).toEqual([
      'Written offline',
      CUT,
    ]);
    await ben.has('done', [START]);

    await using second = await startServer(first.port, KEY);
    expect(second.url).toBe(first.url);
    await Promise.all([anna.tryNow(), ben.tryNow()]);
    for (const page of [anna, ben]) {
      await page.has('todo', []);
      await page.has('doing', ['Written offline']);
      await page.has('done', [START, CUT]);
      await page.settled();
      await page.seesAll(['Anna', 'Ben']);
    }
    // No card jumped on its way.
    expect(await anna.places(CUT)).toEqual(['doing', 'done…', 'done']);
    expect(await anna.places(WINDOW)).toEqual(['todo', '']);
    expect(await anna.places('Written offline')).toEqual(['todo…', 'doing…', 'doing']);
    expectNoProblems(anna, ben);
  },
);

test('"Stop the server" stops it for everybody; it starts again, and all come back by themselves', LIMIT, async () => {
  await using started = await start({ STOP_MS: '500' });
  const [anna, ben] = await two(started.url);
  await anna.add('Known to the first server alone');
  for (const page of [anna, ben]) await page.has('todo', [WINDOW, 'Known to the first server alone']);

  await anna.press('Stop the server');
  await Promise.all([anna.shows('waiting'), ben.shows('waiting')]);
  await ben.act(CUT, 'Move right');
  for (const page of [anna, ben]) {
    await page.shows('connected');
    await page.has('todo', [WINDOW]);
    await page.has('done', [START, CUT]);
    await page.settled();
    await page.seesAll(['Anna', 'Ben']);
    await expect.poll(() => page.page.locator('.trouble button:enabled').count(), PATIENCE).toBe(3);
    // Connected is shown while a socket is open and at no other time; nobody is logged out.
    expect((await page.happenings()).join(' ')).toMatch(
      /closed connecting open! connected close! waiting( connecting close! waiting| connecting waiting)* connecting open! connected$/,
    );
  }
  expect(await ben.places(CUT)).toEqual(['doing', 'done…', 'done']);
  expect(started.printed).toMatch(/The server stopped, as asked\. It starts again in 0\.5 s\.\nThe server runs again/);
  expectNoProblems(anna, ben);
});

test(
  'behind a line that was cut: a move of a card that is gone is taken back and told, one of a card that moved stays',
  LIMIT,
  async () => {
    await using server = await startServer();
    let blocked = false;
    const anna = await BoardPage.open(browser, server.url, (page) =>
      page.routeWebSocket(/line/, (socket) => void (blocked ? socket.close() : socket.connectToServer())),
    );
    const ben = await BoardPage.open(browser, server.url);
    await anna.logIn('Anna');
    await ben.logIn('Ben');
    for (const page of [anna, ben]) await page.has('done', [START]);

    blocked = true;
    await anna.press('Cut the line');
    await anna.shows('waiting');
    await anna.act(START, 'Move left');
    await anna.act(CUT, 'Move right');
    await ben.act(CUT, 'Move left');
    await ben.has('todo', [WINDOW, CUT]);
    await ben.act(START, 'Remove');
    await ben.has('done', []);
    await anna.has('doing', [START]);
    await anna.has('done', [CUT]);

    blocked = false;
    await anna.tryNow();
    await anna.page.getByRole('alert').filter({ hasText: 'Somebody has removed that card.' }).waitFor(PATIENCE);
    for (const page of [anna, ben]) {
      await page.has('todo', [WINDOW]);
      await page.has('doing', []);
      await page.has('done', [CUT]);
    }
    await anna.settled();
    expect(await anna.places(START)).toEqual(['done', 'doing…', '']);
    expect(await anna.places(CUT)).toEqual(['doing', 'done…', 'done']);
    expect(await ben.places(CUT)).toEqual(['doing', 'todo…', 'todo', 'done']);
    // The call that cut the line got its answer over the next one: the button works again.
    await expect.poll(() => anna.page.locator('.trouble button:enabled').count(), PATIENCE).toBe(3);
    expectNoProblems(anna, ben);
  },
);

test(
  '"Slow line" slows this line until it is pressed again, whatever happens to the socket; moves show at once',
  LIMIT,
  async () => {
    await using server = await startServer();
    const anna = await BoardPage.open(browser, server.url);
    const lines: string[] = [];
    anna.page.on('websocket', (socket) => lines.push(new URL(socket.url()).searchParams.has('slow') ? 'slow' : 'fast'));
    await anna.logIn('Anna');
    await anna.has('done', [START]);
    lines.length = 0;
    const slow = anna.page.getByRole('button', { name: 'Slow line' });
    const isPressed = () => slow.getAttribute('aria-pressed');
    const cut = async (): Promise<void> => {
      const before = lines.length;
      await anna.press('Cut the line');
      await expect.poll(() => lines.length, PATIENCE).toBe(before + 1);
      await anna.page.getByRole('button', { name: 'Cut the line', disabled: false }).waitFor(PATIENCE);
    };

    /** Each piece of data takes 0.6 s each way: a machine that is busy makes it no less. */
    const move = async (button: 'Move left' | 'Move right', ...shown: Parameters<typeof anna.has>): Promise<void> => {
      const begun = performance.now();
      await anna.act(CUT, button);
      await anna.has(...shown);
      await anna.settled();
      expect(performance.now() - begun).toBeGreaterThan(1_100);
    };

    await slow.click();
    await expect.poll(isPressed, PATIENCE).toBe('true');
    await move('Move right', 'done', [START, CUT]);
    await cut();
    expect(await isPressed()).toBe('true');
    await move('Move left', 'doing', [CUT]);
    expect(await anna.places(CUT)).toEqual(['doing', 'done…', 'done', 'doing…', 'doing']);

    await slow.click();
    await expect.poll(isPressed, PATIENCE).toBe('false');
    await cut();
    expect(lines).toEqual(['slow', 'fast']);
    expectNoProblems(anna);
  },
);

test(
  'a server that is gone ends an answer that streams: the words stay, it says so, and the next one is whole',
  LIMIT,
  async () => {
    await using first = await startServer(0, KEY);
    const anna = await BoardPage.open(browser, first.url);
    await anna.logIn('Anna');
    await anna.has('todo', [WINDOW]);
    await anna.press('Sum it up');
    await anna.page.locator('#summary:not(:empty)').waitFor(PATIENCE);
    await first.kill();
    await anna.shows('waiting');
    await using second = await startServer(first.port, KEY);
    expect(second.url).toBe(first.url);
    await anna.tryNow();
    const told = anna.page.locator('section', { has: anna.page.locator('#summary') }).getByRole('alert');
    await told.waitFor(PATIENCE);
    expect(await told.textContent()).toBe('It broke off. Sum it up again.');
    const words = await anna.page.locator('#summary').textContent();
    expect(WHOLE.startsWith(words ?? '-')).toBe(true);
    expect(words).not.toBe('');
    await anna.press('Sum it up');
    await expect.poll(() => anna.page.locator('#summary').textContent(), PATIENCE).toBe(WHOLE);
    expect(await told.count()).toBe(0);
    expectNoProblems(anna);
  },
);

test(
  'who logs out without a server sees nothing at once, and nothing of his is done; logging in says why it fails',
  LIMIT,
  async () => {
    await using first = await startServer(0, KEY);
    const anna = await BoardPage.open(browser, first.url);
    await anna.logIn('Anna');
    await anna.has('doing', [CUT]);
    await first.kill();
    await anna.shows('waiting');
    await anna.act(CUT, 'Move right');
    await anna.has('done', [START, CUT]);
    await anna.press('Log out');
    await anna.page.getByLabel('Your name').fill('Ben');
    expect(await anna.page.locator('.card, nav').count()).toBe(0);
    await anna.press('Log in');
    await anna.page.getByRole('alert').filter({ hasText: 'The server does not answer. Try again.' }).waitFor(PATIENCE);

    await using second = await startServer(first.port, KEY);
    expect(second.url).toBe(first.url);
    await anna.logIn('Ben');
    await anna.sees(['Ben']);
    await anna.has('doing', [CUT]);
    await anna.has('done', [START]);
    expectNoProblems(anna);
  },
);

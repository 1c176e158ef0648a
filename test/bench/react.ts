/*
 * `node test/bench/react.ts`: 6 000 events in 3 s, shown by a component of React, in Chromium with the processor slowed
 * down to a quarter, as on a phone. Everything is built for production. Half a minute.
 *
 *   useTopic                 the topic's state, `apply` puts each event to a list
 *   useTopic, pace 'frame'   the same, at most once a frame
 *   useState and useEffect   a WebSocket; its last message is state, an effect puts it to the list
 *   react-use-websocket      its `lastMessage`, an effect puts it to the list
 *
 * The list is copied for each event, by all of them alike. `shown` are different events in the list, in the end; `took` is
 * from its first change to its last one. It ends with 1 where useTopic does not show all events, or renders more often
 * than frames + 5 with pace 'frame'.
 */
import type { Browser } from 'playwright';
import { launchChromium } from '../support/chromium.ts';
import { buildWhereStale } from './fresh-build.ts';
import { HEADER, HOOK_NAMES, missed, row, type Figures, type HookName } from './react/figures.ts';

const SLOWER = 4;

interface Measured {
  begin(): void;
  figures(): Promise<Figures>;
}

buildWhereStale();
// It imports the build.
const { buildPage, serve } = await import('./react/serve.ts');
const script = await buildPage();
const browser = await launchChromium();
try {
  console.log(HEADER);
  for (const name of HOOK_NAMES) {
    const figures = await measured(browser, name);
    console.log(row(name, figures));
    for (const complaint of missed(name, figures)) {
      console.log(`✗✗ ${complaint}`);
      process.exitCode = 1;
    }
  }
} finally {
  await browser.close();
}

async function measured(browser: Browser, name: HookName): Promise<Figures> {
  await using server = await serve(script);
  const page = await browser.newPage();
  const session = await page.context().newCDPSession(page);
  await session.send('Emulation.setCPUThrottlingRate', { rate: SLOWER });
  await page.goto(`${server.url}?hook=${encodeURIComponent(name)}`);
  await page.waitForSelector('.live');
  await page.evaluate(() => (globalThis as unknown as Measured).begin());
  const figures = page.evaluate(() => (globalThis as unknown as Measured).figures());
  const [found] = await Promise.all([figures, server.tell()]);
  await page.close();
  return found;
}

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { routeServer } from '../../src/testing/playwright.ts';
import { launchChromium } from '../support/chromium.ts';
import { expectedOf, FAULT_NAMES, REAL, seenOf } from '../testing/fault-stories.ts';
import { realServer } from '../testing/node-doors.ts';
import { story, type Door, type Faults, type Remote } from '../testing/story.ts';
import { chat, storyContract, type App, type Chat } from '../testing/story-app.ts';
import type { StoryPage } from './story-page.ts';
import { bundlePage } from './transport-page-server.ts';

/* The stories of the doors once more, with an app in Chromium. */

let browser: Browser;
let script: string;
const worker = readFileSync(fileURLToPath(import.meta.resolve('msw/mockServiceWorker.js')), 'utf8');

const http = createServer((request, response) => {
  const scripts: Readonly<Record<string, string>> = { '/page.js': script, '/mockServiceWorker.js': worker };
  const text = scripts[request.url ?? ''];
  response.writeHead(200, { 'content-type': text === undefined ? 'text/html' : 'text/javascript' });
  response.end(
    text ?? '<!doctype html><html lang="en"><title>story</title><script type="module" src="/page.js"></script>',
  );
});

beforeAll(async () => {
  [browser, script] = await Promise.all([launchChromium(), bundlePage('story-page.ts')]);
  await once(http.listen(0, '127.0.0.1'), 'listening');
});
afterAll(async () => {
  await browser.close();
  await once(http.close(), 'close');
});

/** The functions of a global of a page. */
const remote = <Local>(page: Page, name: string): Remote<Local> =>
  new Proxy({} as Remote<Local>, {
    get:
      (_, method) =>
      (...args: unknown[]) =>
        page.evaluate(`${name}.${String(method)}(...${JSON.stringify(args)})`),
  });

interface Opened {
  readonly page: Page;
  readonly app: Remote<App>;
  readonly main: Remote<StoryPage>;
}

/** A page, before it is loaded. */
async function openPage(): Promise<
  Opened & { readonly load: () => Promise<unknown>; readonly close: () => Promise<void> }
> {
  const context = await browser.newContext();
  const page = await context.newPage();
  return {
    page,
    app: remote<App>(page, 'app'),
    main: remote<StoryPage>(page, 'page'),
    load: () => page.goto(`http://127.0.0.1:${(http.address() as AddressInfo).port}/`, { waitUntil: 'load' }),
    close: () => context.close(),
  };
}

const DOORS: Readonly<Record<string, () => Promise<Door>>> = {
  [REAL]: async () => {
    const { app, main, load, close } = await openPage();
    const { url, close: closeServer, ...server } = await realServer();
    await load();
    await main.start(url);
    return {
      ...server,
      app,
      [Symbol.asyncDispose]: async () => {
        await close();
        await closeServer();
      },
    };
  },
  'msw in Chromium': async () => {
    const { page, app, main, load, close } = await openPage();
    await load();
    await main.mock();
    await main.start('/ws');
    return { app, chat: remote<Chat>(page, 'chat'), line: remote<Faults>(page, 'line'), [Symbol.asyncDispose]: close };
  },
  'the routes of Playwright': async () => {
    const { page, app, main, load, close } = await openPage();
    const { chat: shown, handlers } = chat((text) => line.topic('room').publish(text));
    const line = await routeServer(page, storyContract, { handlers });
    await load();
    await main.start('/ws');
    return {
      app,
      chat: shown,
      line,
      [Symbol.asyncDispose]: async () => {
        await close();
        await line.close();
      },
    };
  },
};

describe.each(Object.entries(DOORS))('behind %s', (name, open) => {
  test('join, send, cut, queue, back', async () => {
    await using door = await open();
    await story(door);
  });

  test.each(FAULT_NAMES)('%s', async (fault) => {
    await using door = await open();
    expect(await seenOf(fault, door)).toEqual(expectedOf(fault, name));
  });
});

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { routeServer, type RoutedServer } from '../../src/testing/playwright.ts';
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

/** A page of a door. Its stories follow each other in it, each with an app of its own: a page costs more than they do. */
interface Opened {
  readonly page: Page;
  readonly main: Remote<StoryPage>;
  readonly app: Remote<App>;
}

async function openPage(): Promise<Opened> {
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(http.address() as AddressInfo).port}/`, { waitUntil: 'load' });
  return { page, main: remote<StoryPage>(page, 'page'), app: remote<App>(page, 'app') };
}

const DOORS: Readonly<Record<string, (opened: Opened) => Promise<Door>>> = {
  [REAL]: async ({ main, app }) => {
    const { url, close, ...server } = await realServer();
    await main.start(url);
    return {
      ...server,
      app,
      [Symbol.asyncDispose]: async () => {
        await app.close();
        await close();
      },
    };
  },
  'msw in Chromium': async ({ page, main, app }) => {
    await main.mock();
    await main.start('/ws');
    const line = remote<Faults & Pick<RoutedServer<never>, 'close'>>(page, 'line');
    return {
      app,
      chat: remote<Chat>(page, 'chat'),
      line,
      [Symbol.asyncDispose]: async () => {
        await app.close();
        await line.close();
      },
    };
  },
  'the routes of Playwright': async ({ page, main, app }) => {
    const { chat: shown, handlers } = chat((text) => line.topic('room').publish(text));
    // A route stays as long as its page.
    const url = `/ws/${randomUUID()}`;
    const line = await routeServer(page, storyContract, { url: `**${url}`, handlers });
    await main.start(url);
    return {
      app,
      chat: shown,
      line,
      [Symbol.asyncDispose]: async () => {
        await app.close();
        await line.close();
      },
    };
  },
};

describe.each(Object.entries(DOORS))('behind %s', (name, open) => {
  let opened: Opened;
  beforeAll(async () => {
    opened = await openPage();
  });
  afterAll(() => opened.page.close());

  test('join, send, cut, queue, back', async () => {
    await using door = await open(opened);
    await story(door);
  });

  test.each(FAULT_NAMES)('%s', async (fault) => {
    await using door = await open(opened);
    expect(await seenOf(fault, door)).toEqual(expectedOf(fault, name));
  });
});

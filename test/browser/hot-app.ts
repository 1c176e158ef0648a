import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import type { Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright';
import { createServer as createVite, type InlineConfig } from 'vite';
import { launchChromium } from '../support/chromium.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** An app on Vite's dev server, in Chromium. */
export interface HotApp extends AsyncDisposable {
  readonly page: Page;
  readonly http: HttpServer;
  /** What was thrown in the page. */
  readonly failed: readonly string[];
  /** Opens the page, and waits until edits are told to it. */
  open(): Promise<void>;
  /** Changes a file; Vite tells the page. */
  edit(name: string, what: RegExp, by: string): void;
}

/** Serves these files, with `tautline` and its React from the sources. */
export async function hotApp(files: Readonly<Record<string, string>>, config: InlineConfig = {}): Promise<HotApp> {
  const stack = new AsyncDisposableStack();
  // Below the root, so that what it imports is found.
  mkdirSync(join(root, '.reports'), { recursive: true });
  const folder = mkdtempSync(join(root, '.reports/hot-'));
  stack.defer(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const vite = await createVite({
    root: folder,
    configFile: false,
    logLevel: 'error',
    cacheDir: join(folder, '.vite'),
    resolve: {
      alias: [
        { find: 'tautline/react', replacement: `${root}src/react/index.ts` },
        { find: 'tautline', replacement: `${root}src/index.ts` },
      ],
    },
    server: {
      host: '127.0.0.1',
      port: 0,
      watch: null,
      fs: { allow: [folder, root, realpathSync(join(root, 'node_modules'))] },
    },
    // What they find late they reload the page for.
    optimizeDeps: { noDiscovery: true },
    ...config,
  });
  stack.defer(() => vite.close());
  await vite.listen();
  const browser = await launchChromium();
  stack.defer(() => browser.close());
  const page = await browser.newPage();
  const failed: string[] = [];
  page.on('pageerror', (error) => failed.push(error.message));
  return {
    page,
    http: vite.httpServer as HttpServer,
    failed,
    async open() {
      // What is edited before that is told to nobody.
      const isHot = page.waitForEvent('console', (message) => message.text().includes('[vite] connected'));
      await page.goto(`http://127.0.0.1:${(vite.httpServer!.address() as AddressInfo).port}/`);
      await isHot;
    },
    edit(name, what, by) {
      const file = join(folder, name);
      writeFileSync(file, readFileSync(file, 'utf8').replace(what, by));
      // A watcher of files takes two quick edits for one.
      vite.watcher.emit('change', file);
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

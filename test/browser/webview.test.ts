import { test } from 'vitest';
import { launchChromium } from '../support/chromium.ts';
import { shellStory } from './shell-story.ts';

test('a page in a webview, driven by its shell, comes back from sleep and from a dead line', async () => {
  await using stack = new AsyncDisposableStack();
  const browser = await launchChromium();
  stack.defer(() => browser.close());
  const page = await browser.newPage();
  await shellStory({ go: (url) => page.goto(url), run: (expression) => page.evaluate(expression) });
});

import { test } from 'vitest';
import { startWebKit } from './engines/webkit.ts';
import { shellStory } from './shell-story.ts';
import { transportStories } from './transport-stories.ts';

transportStories(
  startWebKit,
  { keepsPages: true, blocked: /^SecurityError: /, saysInsecure: false },
  // The webview of many Linux apps, and a sibling of Apple's.
  (page) =>
    test('driven by the shell of a webview comes back from sleep and from a dead line', () => shellStory(page.engine)),
);

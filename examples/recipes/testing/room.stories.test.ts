// @vitest-environment jsdom
import { composeStories, setProjectAnnotations } from '@storybook/react';
import { act } from '@testing-library/react';
import type { SetupWorker } from 'msw/browser';
import { setupServer } from 'msw/node';
import { mswLoader } from 'msw-storybook-addon/csf3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as stories from './room.stories.tsx';

const msw = setupServer();
const preview = setProjectAnnotations({
  // In a page the addon makes a worker itself.
  loaders: [mswLoader(() => msw as unknown as SetupWorker)],
  // Storybook itself cleans up a story when the next one begins.
  afterEach: ({ args }) => act(() => (args as unknown as stories.App).connection.close()),
});
beforeAll(() => msw.listen());
beforeAll(preview.beforeAll);
afterAll(() => msw.close());

const { Online, Offline } = composeStories(stories);

// What a story has to show is said by its play function.
test('a story has the server of its parameters', async () => {
  await expect(Online.run()).resolves.toBeUndefined();
});

test('a story without a line', async () => {
  await expect(Offline.run()).resolves.toBeUndefined();
});

import { setupWorker } from 'msw/browser';
import { mockServer } from '../../src/testing/msw.ts';
import { chat, startApp, storyContract } from '../testing/story-app.ts';

/* The app of the stories in a page; where it is mocked, with its server. A test calls what is global here. */

const worker = setupWorker();
let started: Promise<unknown> | undefined;

/** Another server takes the place of the one before. */
async function mock(): Promise<void> {
  const { chat: shown, handlers } = chat((text) => line.topic('room').publish(text));
  const line = mockServer(storyContract, { handlers });
  await (started ??= worker.start({ quiet: true, onUnhandledFrame: 'bypass' }));
  worker.resetHandlers(...line.handlers);
  Object.assign(globalThis, { chat: shown, line });
}

const start = (url: string): void => void Object.assign(globalThis, { app: startApp(url) });

Object.assign(globalThis, { page: { mock, start } });

/** What the page has besides what it started. */
export interface StoryPage {
  mock(): Promise<void>;
  start(url: string): void;
}

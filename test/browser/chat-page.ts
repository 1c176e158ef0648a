import type { Browser, Locator, Page } from 'playwright';
import { expect } from 'vitest';

/** What happened in a page, in order: a state that it showed, or what became of a real socket. */
export type Happening = 'idle' | 'connecting' | 'connected' | 'waiting' | 'suspended' | 'closed' | 'open!' | 'close!';

/** Longest time that a page may take to show something: reached only when a test fails. */
export const PATIENCE = { timeout: 45_000 };

/** A page of the chat, as its user sees it. */
export class ChatPage {
  /** What the console said that is no mere log line, and what was thrown. */
  readonly problems: string[] = [];
  readonly status: Locator;
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
    this.status = page.locator('#status');
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.problems.push(message.text());
    });
    page.on('pageerror', (error) => this.problems.push(String(error)));
  }

  /** Opens the chat as somebody new. */
  static async open(browser: Browser, url: string, prepare?: (page: Page) => Promise<void>): Promise<ChatPage> {
    const context = await browser.newContext();
    const chat = new ChatPage(await context.newPage());
    await chat.page.addInitScript(watch);
    await prepare?.(chat.page);
    await chat.page.goto(url);
    await chat.shows('connected');
    return chat;
  }

  /** What happened so far. */
  happenings(): Promise<Happening[]> {
    return this.page.evaluate(() => (globalThis as unknown as { happenings(): Happening[] }).happenings());
  }

  async shows(state: Happening): Promise<void> {
    await this.page.locator(`#status[data-state="${state}"]`).waitFor(PATIENCE);
  }

  async chooseName(name: string): Promise<void> {
    await this.page.getByLabel('Your name').fill(name);
    await this.page.getByRole('button', { name: 'Join' }).click();
  }

  /** Chooses a name that nobody has. */
  async join(name: string): Promise<void> {
    await this.chooseName(name);
    await this.page.getByRole('list').filter({ hasText: name }).waitFor(PATIENCE);
    await this.page.getByRole('textbox', { name: 'Message' }).waitFor(PATIENCE);
  }

  async type(text: string): Promise<void> {
    const box = this.page.getByRole('textbox', { name: 'Message' });
    await box.fill(text);
    await box.press('Enter');
  }

  press(button: string): Promise<void> {
    return this.page.getByRole('button', { name: button }).click();
  }

  /** Waits until these texts are shown, and no others. */
  async says(texts: readonly string[]): Promise<void> {
    await expect.poll(() => this.page.locator('#log .text').allTextContents(), PATIENCE).toEqual(texts);
  }

  /** Waits until the last messages of this page's user are shown in these states. */
  async delivery(states: ReadonlyArray<'waiting' | 'sent' | 'failed'>): Promise<void> {
    const shown = this.page.locator('#log .mine .delivery');
    await expect.poll(async () => (await shown.allTextContents()).slice(-states.length), PATIENCE).toEqual(states);
  }

  /** Presses "Try now" for as long as the page has one, until it is connected. */
  async tryNow(): Promise<void> {
    const press = () => this.page.evaluate(() => document.getElementById('wake')?.click());
    await expect.poll(() => press().then(() => this.status.getAttribute('data-state')), PATIENCE).toBe('connected');
  }
}

/** Runs in the page, before its own scripts: notes each state that is shown, and what became of each socket. */
export function watch(): void {
  const seen: string[] = [];
  let state: string | null = null;
  // The records say what the state was before each change, so none is missed that lasted for a moment only.
  const noteStates = (records: readonly MutationRecord[]) => {
    const now = document.getElementById('status')?.dataset.state ?? null;
    for (const shown of [...records.map(({ oldValue }) => oldValue), now]) {
      if (shown !== null && shown !== state) seen.push((state = shown));
    }
  };
  const observer = new MutationObserver(noteStates);
  const options = { subtree: true, attributeOldValue: true, attributeFilter: ['data-state'] };
  observer.observe(document, options);

  globalThis.WebSocket = class extends WebSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      // Before the page's own listeners: what it shows of this comes after.
      for (const what of ['open', 'close']) {
        this.addEventListener(what, () => {
          noteStates(observer.takeRecords());
          seen.push(`${what}!`);
        });
      }
    }
  };
  Object.assign(globalThis, {
    happenings: () => {
      noteStates(observer.takeRecords());
      return seen;
    },
  });
}

import type { Browser, Page } from 'playwright';
import { expect } from 'vitest';
import { PATIENCE } from './chat-page.ts';

type Column = 'todo' | 'doing' | 'done';

/** A page of the board, as its user sees it. */
export class BoardPage {
  /** What the console said that is no mere log line, and what was thrown. */
  readonly problems: string[] = [];
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.problems.push(message.text());
    });
    page.on('pageerror', (error) => this.problems.push(String(error)));
  }

  /** Opens the board as somebody who is not logged in. */
  static async open(browser: Browser, url: string): Promise<BoardPage> {
    const context = await browser.newContext();
    const board = new BoardPage(await context.newPage());
    await board.page.goto(`${url}board/`);
    return board;
  }

  async logIn(name: string): Promise<void> {
    await this.page.getByLabel('Your name').fill(name);
    await this.press('Log in');
    await this.shows('connected');
    await this.page.locator('.me').filter({ hasText: name }).waitFor(PATIENCE);
  }

  async shows(state: 'connected' | 'waiting' | 'closed'): Promise<void> {
    await this.page.locator(`#status[data-state="${state}"]`).waitFor(PATIENCE);
  }

  press(button: string): Promise<void> {
    return this.page.getByRole('button', { name: button, exact: true }).click();
  }

  async add(text: string): Promise<void> {
    const box = this.page.getByRole('textbox', { name: 'New card' });
    await box.fill(text);
    await box.press('Enter');
  }

  card(text: string) {
    return this.page.locator('.card').filter({ hasText: text });
  }

  /** Waits until the column shows these cards, and no others. */
  async has(column: Column, texts: readonly string[]): Promise<void> {
    const shown = this.page.locator(`[data-column="${column}"] .text`);
    await expect.poll(() => shown.allTextContents(), PATIENCE).toEqual(texts);
  }

  async sees(names: readonly string[]): Promise<void> {
    await expect.poll(() => this.page.locator('#people li').allTextContents(), PATIENCE).toEqual(names);
  }

  /** Presses "Try now" for as long as the page has one, until it is connected. */
  async tryNow(): Promise<void> {
    const press = () => this.page.evaluate(() => document.getElementById('wake')?.click());
    const state = () => this.page.locator('#status').getAttribute('data-state');
    await expect.poll(() => press().then(state), PATIENCE).toBe('connected');
  }
}

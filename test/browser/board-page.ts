import type { Browser, Page } from 'playwright';
import { expect } from 'vitest';
import { PATIENCE, watch, type Happening } from './chat-page.ts';

type Column = 'todo' | 'doing' | 'done';

/** What Chromium itself says about a socket or a request without a server. No page can silence it. */
const NO_SERVER =
  /^WebSocket connection to 'ws:\/\/127\.0\.0\.1:\d+\/board\/line\?line=[0-9a-f]{32}(&slow)?' failed: |^Failed to load resource: net::ERR_(CONNECTION|EMPTY)/;

export function expectNoProblems(...pages: BoardPage[]): void {
  const problems = pages.flatMap((page) => page.problems);
  expect(problems.filter((problem) => !NO_SERVER.test(problem))).toEqual([]);
}

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
  static async open(browser: Browser, url: string, prepare?: (page: Page) => Promise<void>): Promise<BoardPage> {
    const context = await browser.newContext();
    const board = new BoardPage(await context.newPage());
    await board.page.addInitScript(watch);
    await board.page.addInitScript(watchCards);
    await prepare?.(board.page);
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

  /** Presses a button of a card. */
  act(text: string, button: 'Move left' | 'Move right' | 'Remove'): Promise<void> {
    return this.card(text).getByRole('button', { name: button }).click();
  }

  /** Waits until nothing is on its way. */
  async settled(): Promise<void> {
    await expect.poll(() => this.page.locator('.card[aria-busy="true"]').count(), PATIENCE).toBe(0);
  }

  /** Waits until the column shows these cards, and no others. */
  async has(column: Column, texts: readonly string[]): Promise<void> {
    const shown = this.page.locator(`[data-column="${column}"] .text`);
    await expect.poll(() => shown.allTextContents(), PATIENCE).toEqual(texts);
  }

  /** Each place where the card was shown, in order: a column, with a "…" while it was on its way; '' where it was not. */
  async places(text: string): Promise<readonly string[]> {
    const notes = await this.page.evaluate(() => (globalThis as unknown as Watched).cards());
    const all = notes.map((places) => places[text] ?? '');
    return all.filter((place, i) => place !== (all[i - 1] ?? ''));
  }

  /** What the status and real sockets went through so far. */
  happenings(): Promise<Happening[]> {
    return this.page.evaluate(() => (globalThis as unknown as Watched).happenings());
  }

  async sees(names: readonly string[]): Promise<void> {
    await expect.poll(() => this.page.locator('#people li').allTextContents(), PATIENCE).toEqual(names);
  }

  /** Waits until these are there, whoever came back first. */
  async seesAll(names: readonly string[]): Promise<void> {
    const shown = this.page.locator('#people li');
    await expect.poll(async () => (await shown.allTextContents()).sort(), PATIENCE).toEqual(names);
  }

  /** Presses "Try now" for as long as the page has one, until it is connected. */
  async tryNow(): Promise<void> {
    const press = () => this.page.evaluate(() => document.getElementById('wake')?.click());
    const state = () => this.page.locator('#status').getAttribute('data-state');
    await expect.poll(() => press().then(state), PATIENCE).toBe('connected');
  }
}

/** Where each card was at a time. */
type Places = Readonly<Record<string, string>>;

interface Watched {
  cards(): readonly Places[];
  happenings(): Happening[];
}

/** Runs in the page, before its own scripts: notes which cards were shown where, after each change of the page. */
function watchCards(): void {
  const seen: Places[] = [];
  const note = () => {
    const places = Array.from(document.querySelectorAll<HTMLElement>('.card'), (card) => [
      card.querySelector('.text')?.textContent ?? '',
      `${card.parentElement?.dataset.column}${card.ariaBusy === 'true' ? '…' : ''}`,
    ]);
    seen.push(Object.fromEntries(places) as Places);
  };
  new MutationObserver(note).observe(document, { subtree: true, childList: true, attributes: true });
  Object.assign(globalThis, { cards: () => seen });
}

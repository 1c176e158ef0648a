import type { Page } from 'playwright';

/** What a page's user reaches with Tab. */
interface Reached {
  /** Controls where Tab never stops. */
  readonly unreached: readonly string[];
  /** Stops that one can't see: no outline, or one that something hides. */
  readonly unseen: readonly string[];
}

/** Goes through a page with Tab, from its start to its end. */
export async function tabThrough(page: Page): Promise<Reached> {
  await page.evaluate(() => {
    // From where something had the focus that is gone, Tab goes on.
    const start = document.createElement('span');
    start.tabIndex = -1;
    document.body.prepend(start);
    start.focus();
    start.remove();
  });
  const unseen: string[] = [];
  const limit = await page.evaluate(() => document.querySelectorAll('*').length);
  for (let stop = 0; stop < limit; stop++) {
    await page.keyboard.press('Tab');
    const problem = await page.evaluate(lookAtFocus);
    if (problem === 'end') break;
    if (problem !== '') unseen.push(problem);
  }
  return { unseen, unreached: await page.evaluate(leftOut) };
}

/** Runs in the page. '' where the focus is seen, 'end' where it is nowhere, or where it was before. */
function lookAtFocus(): string {
  const focused = document.activeElement;
  if (!(focused instanceof HTMLElement) || focused === document.body || 'reached' in focused.dataset) return 'end';
  focused.dataset.reached = '';
  const { outlineStyle, outlineWidth, outlineOffset } = getComputedStyle(focused);
  const width = parseFloat(outlineWidth);
  const name = focused.outerHTML.slice(0, 100);
  if (outlineStyle === 'none' || width < 2) return `no outline: ${name}`;
  const reach = width + parseFloat(outlineOffset);
  const { left, right, top, bottom } = focused.getBoundingClientRect();
  // Three sides of it at least are inside of everything that cuts off what is outside.
  const sides = { left: left - reach, right: right + reach, top: top - reach, bottom: bottom + reach };
  const inside = new Set(['left', 'right', 'top', 'bottom'] as const);
  for (let at: Element | null = focused.parentElement; at !== null; at = at.parentElement) {
    const isRoot = at === document.documentElement;
    if (!isRoot && getComputedStyle(at).overflow === 'visible') continue;
    const clip = isRoot ? { left: 0, top: 0, right: innerWidth, bottom: innerHeight } : at.getBoundingClientRect();
    for (const side of ['left', 'top'] as const) if (sides[side] < clip[side] - 0.5) inside.delete(side);
    for (const side of ['right', 'bottom'] as const) if (sides[side] > clip[side] + 0.5) inside.delete(side);
  }
  return inside.size >= 3 ? '' : `seen at ${[...inside].join(', ') || 'no side'} alone: ${name}`;
}

/** Runs in the page. */
function leftOut(): string[] {
  const controls = document.querySelectorAll<HTMLElement>('a[href], button, input, select, textarea, [tabindex]');
  const all = Array.from(controls).filter((control) => !control.matches(':disabled') && control.checkVisibility());
  const left = all.filter((control) => !('reached' in control.dataset));
  for (const control of all) delete control.dataset.reached;
  return left.map((control) => control.outerHTML.slice(0, 100));
}

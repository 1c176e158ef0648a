/** A window from which a delay is drawn, ms. */
export type DelayWindow = readonly [fromMs: number, toMs: number];

/**
 * Window of the n-th retry (from 0), `floor + U(0, min(cap, first · 2^n))`: full jitter, applied after the cap, so
 * that clients which lost their connections together do not come back together.
 */
export function backoffWindow(n: number, firstMs: number, capMs: number, floorMs: number): DelayWindow {
  // 2^n is infinite for a large n, which min() bears.
  return [floorMs, floorMs + Math.min(capMs, firstMs * 2 ** n)];
}

/** A delay drawn from a window, in whole ms; `random` gives [0, 1). */
export function drawDelay([fromMs, toMs]: DelayWindow, random: () => number): number {
  return Math.round(fromMs + random() * (toMs - fromMs));
}

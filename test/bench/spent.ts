import { setImmediate as nextTurn } from 'node:timers/promises';

/** What something took in this process. CPU is that of all its threads, so that garbage collection is in it. */
export interface Spent {
  readonly wallMs: number;
  readonly cpuMs: number;
}

/** CPU time of this process so far, ms. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Begins to measure; what it returns tells what was spent since. */
export function startSpending(): () => Spent {
  const [wallStart, cpuStart] = [performance.now(), cpuMs()];
  return () => ({ wallMs: performance.now() - wallStart, cpuMs: cpuMs() - cpuStart });
}

/**
 * Tells whether the time for something is over: so much CPU of this process, so that a busy machine takes nothing away,
 * and at most ten times as much by the clock. Asked often, it looks seldom.
 */
export function timeLimit(ms: number, every: number): () => boolean {
  const [wallEnd, cpuEnd] = [performance.now() + 10 * ms, cpuMs() + ms];
  let asked = 0;
  let isOver = false;
  return () => {
    if (!isOver && ++asked % every === 0) isOver = cpuMs() >= cpuEnd || performance.now() >= wallEnd;
    return isOver;
  };
}

/** Bytes of heap that are in use when all garbage is gone. */
export async function settledHeap(): Promise<number> {
  // What one collection ends (a finaliser, a weak entry) the next one frees.
  for (let times = 0; times < 4; times++) {
    globalThis.gc!();
    await nextTurn();
  }
  return process.memoryUsage().heapUsed;
}

/** Watches the resident memory: what it returns ends that, and tells by how many bytes it had grown at most. */
export function watchMemory(): { readonly look: () => void; readonly end: () => number } {
  globalThis.gc!();
  const before = process.memoryUsage.rss();
  let most = before;
  const look = (): void => {
    most = Math.max(most, process.memoryUsage.rss());
  };
  const timer = setInterval(look, 5);
  return {
    look,
    end: () => {
      clearInterval(timer);
      look();
      return most - before;
    },
  };
}

/** Many clients in one process: each ticks, hears the ticks of all, and counts what is missing. See start.ts. */
import { connect, createClient } from 'tautline';
import { work, type Seen, type Tick } from './contract.ts';

const { URL: url = '', CLIENTS = '200', EVERY_MS = '10000' } = process.env;
const everyMs = Number(EVERY_MS);
const seen: Omit<Seen, 'p50' | 'p99'> = { connected: 0, calls: 0, failed: 0, events: 0, lost: 0, doubled: 0, gaps: 0 };
const times: number[] = [];

for (let name = 0; name < Number(CLIENTS); name++) begin(String(name));

setInterval(() => process.send?.(figures()), 250);
process.once('disconnect', () => process.exit());

function begin(name: string): void {
  const connection = connect(url, { lazy: false });
  let isUp = false;
  connection.on('status', ({ state }) => {
    if ((state === 'connected') === isUp) return;
    isUp = !isUp;
    seen.connected += isUp ? 1 : -1;
  });
  const client = createClient(work, connection);
  /** The last tick that was heard of each run. */
  let last = new Map<string, number>();
  client.ticks().subscribe({
    event: (tick) => count(tick, last),
    gap: () => {
      seen.gaps++;
      last = new Map();
    },
  });
  void tickForEver(name, (tick) => client.tick(tick));
}

function count({ run, n }: Tick, last: Map<string, number>): void {
  seen.events++;
  const before = last.get(run);
  last.set(run, n);
  if (before === undefined) return;
  if (n <= before) seen.doubled++;
  else seen.lost += n - before - 1;
}

async function tickForEver(name: string, tick: (tick: Tick) => Promise<unknown>): Promise<never> {
  for (let run = 0; ; run++) {
    try {
      for (let n = 0; ; n++) {
        await new Promise((resolve) => setTimeout(resolve, (0.5 + Math.random()) * everyMs));
        const began = performance.now();
        await tick({ run: `${name}, ${run}`, n });
        times.push(performance.now() - began);
        if (times.length > 1_000) times.shift();
        seen.calls++;
      }
    } catch {
      // Whether this one was done nobody knows, so the next ones count anew.
      seen.failed++;
    }
  }
}

function figures(): Seen {
  const sorted = [...times].sort((one, other) => one - other);
  const at = (part: number): number => sorted[Math.floor(sorted.length * part)] ?? 0;
  return { ...seen, p50: at(0.5), p99: at(0.99) };
}

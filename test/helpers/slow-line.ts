import { z } from 'zod';
import { connect, createClient, defineContract, mutation, query, type ConnectOptions } from '../../src/index.ts';
import { createServer, type Handlers, type Server } from '../../src/server/index.ts';
import { thinLines } from './thin-line.ts';

const BYTES_PER_SECOND = 20_000;

/** Much larger than what goes over the line in a minute is the patience of nobody. */
const PATIENT_MS = 300_000;

const contract = defineContract({
  report: query({ input: z.int(), output: z.string() }),
  store: mutation({ input: z.string(), output: z.int() }),
  act: mutation({ input: z.int(), output: z.int() }),
  ask: query({ input: z.int(), output: z.int() }),
});

function handlers(ran: () => void = () => undefined): Handlers<(typeof contract)['tree'], undefined> {
  return {
    report: ({ input }) => (ran(), 'x'.repeat(input)),
    store: ({ input }) => (ran(), input.length),
    act: ({ input }) => input,
    ask: ({ input }) => input,
  };
}

/** What becomes of a large message, and of small calls meanwhile. */
export interface SlowTransfer {
  /** What the large call gave, and how long it took, as a part of what its bytes take on the line. */
  readonly result: unknown;
  readonly ratio: number;
  /** Times of the small calls, ms; `Infinity` for one that failed. */
  readonly smallMs: readonly number[];
  /** How often the handler of the large call ran. */
  readonly runs: number;
  readonly reconnects: number;
}

/** A large answer, or input, over a line of 20 kB/s both ways, with two small calls a second. Goes by the global timers. */
export function slowTransfer(
  what: 'report' | 'store',
  bytes: number,
  heartbeat: ConnectOptions['heartbeat'] = {},
  adapt: (server: Server<never>) => Pick<Server, 'accept'> = (server) => server,
): { readonly done: Promise<SlowTransfer>; wake(): void; close(): Promise<void> } {
  let runs = 0;
  const server = createServer(contract, { handlers: handlers(() => runs++), development: false });
  const { WebSocket } = thinLines(adapt(server), {
    bytesPerSecond: BYTES_PER_SECOND,
    upBytesPerSecond: BYTES_PER_SECOND,
    kernelBytes: 2_000_000,
  });
  const connection = connect('ws://test/', { WebSocket, lifecycle: false, timeoutMs: PATIENT_MS, heartbeat });
  const client = createClient(contract, connection);
  const smallMs: number[] = [];
  const smalls: Array<Promise<void>> = [];
  const small = async (n: number): Promise<void> => {
    const from = performance.now();
    // What acts keeps its order behind a large input, and may not overtake it.
    const { ok } = await (what === 'report' && n % 2 === 0 ? client.act(n) : client.ask(n)).safe();
    smallMs.push(ok ? performance.now() - from : Infinity);
  };
  const transfer = async (): Promise<SlowTransfer> => {
    await client.ask(0);
    const from = performance.now();
    let n = 0;
    let isOver = false;
    const again = (): void => {
      if (isOver) return;
      smalls.push(small(n++));
      setTimeout(again, 500);
    };
    again();
    const large = what === 'report' ? client.report(bytes) : client.store('x'.repeat(bytes));
    const given = await large.safe();
    isOver = true;
    const ratio = (performance.now() - from) / ((bytes / BYTES_PER_SECOND) * 1_000);
    await Promise.all(smalls);
    const { reconnects } = connection.stats();
    const result = given.ok ? (typeof given.data === 'string' ? given.data.length : given.data) : given.error.code;
    return { result, ratio, smallMs, runs, reconnects };
  };
  return {
    done: transfer(),
    wake: () => connection.wake(),
    close: async () => {
      await connection.close();
      await server.close();
    },
  };
}

/** What becomes of a call of 100 kB, its input or its answer, and of 60 small ones, on a line that is reset above 64 KiB. */
export function amongSmall(
  what: 'report' | 'store',
  adapt: (server: Server<never>) => Pick<Server, 'accept'> = (server) => server,
): {
  readonly done: Promise<{ readonly failed: number; readonly large: boolean; readonly resets: number }>;
  close(): Promise<void>;
} {
  const server = createServer(contract, { handlers: handlers(), development: false });
  const { WebSocket, resets } = thinLines(adapt(server), {
    bytesPerSecond: 1_000_000,
    upBytesPerSecond: 1_000_000,
    kernelBytes: 2_000_000,
    mostBytes: 64 * 1024,
  });
  const connection = connect('ws://test/', { WebSocket, lifecycle: false });
  const client = createClient(contract, connection);
  const run = async () => {
    await client.ask(0);
    const calls = (from: number) => Array.from({ length: 30 }, (_, n) => client.act(from + n).safe());
    const before = calls(0);
    const large = (what === 'report' ? client.report(100_000) : client.store('x'.repeat(100_000))).safe();
    const all = await Promise.all([...before, ...calls(30)]);
    return { failed: all.filter(({ ok }) => !ok).length, large: (await large).ok, resets: resets() };
  };
  return {
    done: run(),
    close: async () => {
      await connection.close();
      await server.close();
    },
  };
}

import { z } from 'zod';
import { connect, createClient, defineContract, mutation, query } from '../../src/index.ts';
import { createServer, type Server } from '../../src/server/index.ts';
import { thinLines } from './thin-line.ts';

export const BYTES_PER_SECOND = 20_000;

/** Much larger than what goes over the line in a minute is the patience of nobody. */
const PATIENT_MS = 300_000;

const contract = defineContract({
  report: query({ input: z.int(), output: z.string() }),
  store: mutation({ input: z.string(), output: z.int() }),
  act: mutation({ input: z.int(), output: z.int() }),
  ask: query({ input: z.int(), output: z.int() }),
});

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
  adapt: (server: Server<never>) => Pick<Server, 'accept'> = (server) => server,
): { readonly done: Promise<SlowTransfer>; close(): Promise<void> } {
  let runs = 0;
  const server = createServer(contract, {
    handlers: {
      report: ({ input }) => (runs++, 'x'.repeat(input)),
      store: ({ input }) => (runs++, input.length),
      act: ({ input }) => input,
      ask: ({ input }) => input,
    },
    development: false,
  });
  const { WebSocket } = thinLines(adapt(server), {
    bytesPerSecond: BYTES_PER_SECOND,
    upBytesPerSecond: BYTES_PER_SECOND,
    kernelBytes: 2_000_000,
  });
  const connection = connect('ws://test/', { WebSocket, lifecycle: false, timeoutMs: PATIENT_MS });
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
    const timer = setInterval(() => smalls.push(small(n++)), 500);
    const large = what === 'report' ? client.report(bytes) : client.store('x'.repeat(bytes));
    const given = await large.safe();
    clearInterval(timer);
    const ratio = (performance.now() - from) / ((bytes / BYTES_PER_SECOND) * 1_000);
    await Promise.all(smalls);
    const { reconnects } = connection.stats();
    const result = given.ok ? (typeof given.data === 'string' ? given.data.length : given.data) : given.error.code;
    return { result, ratio, smallMs, runs, reconnects };
  };
  return {
    done: transfer(),
    close: async () => {
      await connection.close();
      await server.close();
    },
  };
}

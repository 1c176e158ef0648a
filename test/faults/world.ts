import { expect } from 'vitest';
import WebSocket from 'ws';
import { z } from 'zod';
import {
  connect,
  createClient,
  defineContract,
  mutation,
  topic,
  type Client,
  type ConnectOptions,
  type Connection,
  type ConnectionStatus,
} from '../../src/index.ts';
import { createServer } from '../../src/server/index.ts';
import { listen } from '../../src/server/node.ts';
import { faultProxy, type FaultProxy } from '../../src/testing/faults.ts';
import { watchTimers } from '../helpers/timer-ledger.ts';

const contract = defineContract({
  run: mutation({ input: z.object({ key: z.number(), ballast: z.string().optional() }), output: z.string() }),
  notes: topic('notes', { event: z.object({ n: z.number(), ballast: z.string() }) }),
});

type Tree = typeof contract extends { readonly tree: infer T } ? T : never;

/** A client and a server over real sockets, with a faulty line between them. */
export interface World extends AsyncDisposable {
  readonly proxy: FaultProxy;
  readonly connection: Connection;
  readonly client: Client<Tree>;
  /** How often each key ran. */
  readonly ran: ReadonlyMap<number, number>;
  /** Every `n` that the server took in. */
  readonly notes: readonly number[];
  /** The next status that fits, the present one included. */
  reached<State extends ConnectionStatus['state']>(
    state: State,
  ): Promise<Extract<ConnectionStatus, { readonly state: State }>>;
  /** Resolves when the server took in a note with this `n`. */
  noted(n: number): Promise<void>;
}

/** Times so short that no fault takes long to be found, and so long that a busy machine is not taken for one. */
const BRISK: ConnectOptions = {
  connectTimeoutMs: 1_000,
  reconnect: { firstMs: 20, sharedFirstMs: 20, capMs: 50 },
  heartbeat: { intervalMs: 100, timeoutMs: 100, probeMs: 400 },
};

interface WorldOptions {
  readonly connect?: ConnectOptions;
  readonly prepare?: (proxy: FaultProxy) => void;
  readonly answer?: string;
}

/** At its end nothing may be left: no line at the proxy, no timer of the library. */
export async function world({ connect: options, prepare, answer = 'done' }: WorldOptions = {}): Promise<World> {
  const timers = watchTimers();
  const ran = new Map<number, number>();
  const notes: number[] = [];
  let lookAtNotes = (): void => undefined;
  const server = createServer(contract, {
    handlers: {
      run: ({ input }) => {
        ran.set(input.key, (ran.get(input.key) ?? 0) + 1);
        return answer;
      },
      notes: {
        authorize: () => true,
        publish: ({ event }) => {
          notes.push(event.n);
          lookAtNotes();
        },
      },
    },
  });
  const listener = await listen(server, { port: 0 });
  const proxy = await faultProxy({ to: listener.port });
  prepare?.(proxy);
  const connection = connect(`ws://127.0.0.1:${String(proxy.port)}/ws`, { WebSocket, ...BRISK, ...options });
  const client = createClient(contract, connection);
  return {
    proxy,
    connection,
    client,
    ran,
    notes,
    reached: (state) => reached(connection, state),
    noted: (n) =>
      new Promise((resolve) => {
        lookAtNotes = () => {
          if (notes.includes(n)) resolve();
        };
        lookAtNotes();
      }),
    async [Symbol.asyncDispose]() {
      await connection.close();
      proxy.thaw();
      await proxy.empty();
      await listener.close();
      await proxy.close();
      expect(timers.running()).toBe(0);
    },
  };
}

function reached<State extends ConnectionStatus['state']>(
  connection: Connection,
  state: State,
): Promise<Extract<ConnectionStatus, { readonly state: State }>> {
  type Wanted = Extract<ConnectionStatus, { readonly state: State }>;
  return new Promise((resolve) => {
    const look = (status: ConnectionStatus): void => {
      if (status.state !== state) return;
      stop();
      resolve(status as Wanted);
    };
    const stop = connection.on('status', look);
    look(connection.status);
  });
}

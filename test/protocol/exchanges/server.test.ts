import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createServer, memoryBroker, refuse, type AuthenticateArgs, type Server } from '../../../src/server/index.ts';
import { Peer } from '../../server/peer.ts';
import { served } from './contract.ts';
import { exchangesOf, lines, Placeholders, type ServerStep, type Step } from './exchange.ts';

/** Our server, with the client's lines read from the exchange, and the app's acts. */
class ServerRun {
  #broker = memoryBroker({ history: { size: 3 } });
  #server: Server<(typeof served)['tree']>;
  readonly #placeholders: Placeholders;
  readonly #sockets = new Map<number, Peer>();
  /** Messages of each socket that were compared. */
  readonly #taken = new Map<Peer, number>();
  readonly #held = new Map<string, () => void>();
  readonly #ran = new Map<string, number>();
  readonly #ends: Array<Promise<void>> = [];

  constructor(values: Readonly<Record<string, unknown>>) {
    this.#placeholders = new Placeholders(values);
    this.#server = this.#start();
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      await settle();
      if ('app' in step) {
        if (step.app === 'server') await this.#app(step);
      } else if ('clockMs' in step) await vi.advanceTimersByTimeAsync(step.clockMs);
      else if ('client' in step) this.#socket(step.socket).write(...step.client.map((m) => this.#placeholders.fill(m)));
      else if ('server' in step) this.#hears(this.#socket(step.socket), step.server);
      else if ('texts' in step) {
        if (step.writes === 'client') for (const text of step.texts) this.#socket(step.socket).writeText(text);
      } else if ('lost' in step) this.#socket(step.socket).vanish(1006);
      else if (step.closes === 'client')
        this.#socket(step.socket).vanish(step.code === '<any-but-1000>' ? 4000 : step.code);
      else {
        expect(this.#socket(step.socket).closedWith?.code).toBe(step.code);
        this.#socket(step.socket).vanish(step.code);
      }
    }
    await settle();
    for (const peer of this.#sockets.values()) {
      expect(lines(peer.received, []).slice(this.#taken.get(peer) ?? 0)).toEqual([]);
    }
  }

  async close(): Promise<void> {
    for (const release of this.#held.values()) release();
    this.#end();
    await Promise.all(this.#ends);
  }

  #start(): Server<(typeof served)['tree']> {
    let total = 0;
    const count = (name: string): void => void this.#ran.set(name, (this.#ran.get(name) ?? 0) + 1);
    return createServer(served, {
      authenticate: ({ token = '' }: AuthenticateArgs) => {
        if (token === 'refused') refuse();
        return { identity: token, context: {} };
      },
      handlers: {
        double: ({ input }) => 2 * input.n,
        ping: () => undefined,
        add: ({ input }) => {
          count('add');
          return (total += input.n);
        },
        set: ({ input }) => {
          count('set');
          return input.n;
        },
        hold: ({ input, signal }) => {
          count('hold');
          return new Promise((resolve, reject) => {
            this.#held.set(input.key, () => {
              resolve(input.key);
            });
            signal.onabort = () => {
              reject(signal.reason as Error);
            };
          });
        },
        small: () => undefined,
        full: ({ fail }) => fail('FULL', { max: 7 }, 'It is full.'),
        wrong: () => 'no number' as never,
        breaks: () => {
          throw new Error('the password of the database is 1234');
        },
        async *count({ input }) {
          for (let item = 1; item <= input.to; item++) yield item;
        },
        news: { authorize: ({ params }) => params.channel !== 'secret', publish: () => undefined },
        board: { authorize: () => true, snapshot: () => ({ size: 5 }) },
      },
      broker: this.#broker,
      limits: { calls: 8 },
      onError: () => undefined,
    });
  }

  #socket(number: number): Peer {
    const peer = this.#sockets.get(number) ?? new Peer(this.#server);
    this.#sockets.set(number, peer);
    return peer;
  }

  #hears(peer: Peer, messages: readonly unknown[]): void {
    const start = this.#taken.get(peer) ?? 0;
    const heard = lines(peer.received, []).slice(start, start + messages.length);
    this.#taken.set(peer, start + messages.length);
    messages.forEach((message, index) => {
      this.#placeholders.expect(heard[index], message);
    });
  }

  async #app(step: ServerStep): Promise<void> {
    if ('ran' in step) expect(this.#ran.get(step.ran) ?? 0).toBe(step.times);
    else if (step.does === 'release') this.#held.get(step.key)!();
    else if (step.does === 'publish') {
      await this.#server.topic(step.topic as 'news', step.params as { channel: string }).publish(step.event as never);
    } else if (step.does === 'drain') this.#ends.push(this.#server.close({ withinMs: step.withinMs }));
    else {
      for (const peer of this.#sockets.values()) peer.vanish(1006);
      this.#end();
      this.#broker = memoryBroker({ history: { size: 3 } });
      this.#server = this.#start();
    }
  }

  #end(): void {
    this.#ends.push(this.#server.close(), Promise.resolve(this.#broker.close()));
  }
}

/** Lets everything run that is due. */
async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}

let run: ServerRun;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(async () => {
  await run.close();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe('Our server says its lines:', () => {
  test.each(exchangesOf('server'))('$file: $exchange.name', async ({ exchange, values }) => {
    run = new ServerRun(values);
    await run.run(exchange.steps);
  });
});

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  connect,
  createClient,
  isTautlineError,
  type CallPromise,
  type Connection,
  type Subscription,
} from '../../../src/index.ts';
import { SYSTEM_CODES } from '../../../src/errors.ts';
import { clientMessages } from '../../../src/protocol/client-messages.ts';
import { serverMessages } from '../../helpers/server-frame.ts';
import { ScriptedServer, settle, type ScriptedSocket } from '../../helpers/scripted-server.ts';
import { called } from './contract.ts';
import { exchangesOf, lines, Placeholders, type ClientStep, type Exchange, type Step } from './exchange.ts';

/** What the client has under a name: a procedure, or what makes the handle of a topic. */
type Call = (input?: unknown, options?: object) => CallPromise<unknown>;
type Topic = (params?: unknown) => Handle;
type Stream = (input?: unknown) => AsyncIterator<unknown>;
interface Handle {
  publish(event: unknown, options?: object): CallPromise<unknown>;
  subscribe(listeners: object): Subscription;
}

/** Our client, with the server's lines read from the exchange, and the app's acts. */
class ClientRun {
  readonly #server = new ScriptedServer();
  readonly #steps: readonly Step[];
  readonly #placeholders: Placeholders;
  readonly #connection: Connection;
  readonly #tree: Readonly<Record<string, Call & Topic & Stream>>;
  /** What the app was told under each name, and has not been asked for. */
  readonly #told = new Map<string, unknown[]>();
  readonly #aborts = new Map<string, AbortController>();
  readonly #streams = new Map<string, AsyncIterator<unknown>>();
  readonly #subscriptions = new Map<string, Subscription>();
  /** Messages of each socket that were compared. */
  readonly #taken = new Map<ScriptedSocket, number>();
  /** Pings of each socket that were answered. */
  readonly #answered = new Map<ScriptedSocket, number>();

  constructor({ tokens = [], steps }: Exchange, values: Readonly<Record<string, unknown>>) {
    this.#placeholders = new Placeholders(values);
    this.#steps = steps;
    let given = 0;
    const auth = () => tokens[Math.min(given++, tokens.length - 1)]!;
    this.#connection = connect('ws://exchange.test/', {
      WebSocket: this.#server.WebSocket,
      heartbeat: false,
      ...(tokens.length > 0 && { auth }),
    });
    this.#tree = createClient(called, this.#connection) as never;
  }

  async run(): Promise<void> {
    for (const step of this.#steps) {
      // What the app does in one moment, it does in one moment.
      if (!('does' in step)) await this.#settle();
      if ('app' in step) {
        if (step.app === 'client') this.#app(step);
      } else if ('clockMs' in step) await vi.advanceTimersByTimeAsync(step.clockMs);
      else if ('client' in step) await this.#hears(step.socket, step.client);
      else if ('server' in step) {
        const messages = step.server.map((message) => this.#placeholders.fill(message));
        if (step.unheard !== true) await (await this.#socket(step.socket)).say(...messages);
      } else if ('texts' in step) {
        const socket = await this.#socket(step.socket);
        if (step.writes === 'server') for (const text of step.texts) await socket.raw(text);
      } else if ('lost' in step) await (await this.#socket(step.socket)).cut();
      else if (step.closes === 'server') await (await this.#socket(step.socket)).close(step.code);
      else this.#expectClosed((await this.#socket(step.socket)).closedWith, step.code);
    }
    await settle();
    for (const socket of this.#server.sockets) {
      expect(lines(socket.received, this.#steps).slice(this.#taken.get(socket) ?? 0)).toEqual([]);
    }
    for (const [name, told] of this.#told) expect([name, ...told]).toEqual([name]);
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  async #settle(): Promise<void> {
    await settle();
    const socket = this.#server.sockets.at(-1);
    const pings = socket?.all('ping') ?? [];
    for (const [, n] of pings.splice(this.#answered.get(socket!) ?? 0)) await socket?.say(['pong', n]);
    if (socket !== undefined) this.#answered.set(socket, socket.all('ping').length);
  }

  /** A socket by its number: the client opens it when its pauses let it. */
  async #socket(number: number): Promise<ScriptedSocket> {
    await settle();
    while (this.#server.sockets.length < number) await this.#server.next();
    await settle();
    return this.#server.sockets[number - 1]!;
  }

  #expectClosed(code: number | undefined, expected: number | '<any-but-1000>'): void {
    if (expected !== '<any-but-1000>') expect(code).toBe(expected);
    else expect([undefined, 1000]).not.toContain(code);
  }

  async #hears(number: number, messages: readonly unknown[]): Promise<void> {
    const socket = await this.#socket(number);
    const start = this.#taken.get(socket) ?? 0;
    const heard = lines(socket.received, this.#steps).slice(start, start + messages.length);
    this.#taken.set(socket, start + messages.length);
    messages.forEach((message, index) => {
      this.#placeholders.expect(heard[index], message);
    });
  }

  #app(step: ClientStep): void {
    if ('told' in step) {
      const told = this.#told.get(step.told)?.splice(0) ?? [];
      expect(told).toHaveLength(step.what.length);
      step.what.forEach((what, index) => {
        this.#placeholders.expect(told[index], what);
      });
      return;
    }
    if (step.does === 'close') void this.#connection.close();
    else if (step.does === 'cancel') this.#aborts.get(step.as)?.abort();
    else if (step.does === 'unsubscribe') this.#subscriptions.get(step.as)?.unsubscribe();
    else if (step.does === 'subscribe') this.#subscribe(step.as, this.#topic(step.topic)(step.params));
    else if (step.does === 'publish') {
      const options = step.lossy === true ? { delivery: 'lossy' } : {};
      this.#follow(step.as, this.#topic(step.topic)(step.params).publish(step.event, options));
    } else if (step.does === 'open') {
      this.#told.set(step.as, []);
      this.#streams.set(step.as, this.#stream(step.path)(step.input));
    } else if (step.does === 'read') {
      for (let left = step.items; left > 0; left--) this.#read(step.as);
    } else if (step.does === 'stop') {
      void this.#streams.get(step.as)?.return?.();
    } else {
      const abort = new AbortController();
      this.#aborts.set(step.as, abort);
      const call: Call = this.#tree[step.path]!;
      const options = { signal: abort.signal };
      this.#follow(step.as, step.input === undefined ? call(undefined, options) : call(step.input, options));
    }
  }

  #topic(name: string): Topic {
    return this.#tree[name]!;
  }

  #stream(name: string): Stream {
    return this.#tree[name]!;
  }

  #read(name: string): void {
    this.#streams
      .get(name)!
      .next()
      .then(
        ({ done, value }) => this.#tell(name, done === true ? ['end'] : ['item', value]),
        (error: unknown) => this.#tell(name, ['failed', summary(error)]),
      );
  }

  #follow(name: string, answer: CallPromise<unknown>): void {
    answer.then(
      (value) => this.#tell(name, value === undefined ? ['done'] : ['done', value]),
      (error: unknown) => this.#tell(name, ['failed', summary(error)]),
    );
    this.#told.set(name, []);
  }

  #subscribe(name: string, handle: Handle): void {
    this.#told.set(name, []);
    const subscription = handle.subscribe({
      event: (event: unknown, position: unknown) => this.#tell(name, ['event', event, position]),
      snapshot: (state: unknown, position: unknown) => this.#tell(name, ['snapshot', state, position]),
      gap: ({ from, to }: { from: unknown; to: unknown }) => this.#tell(name, ['gap', from, to]),
      status: (state: string, error?: unknown) => {
        if (state === 'ended' && error !== undefined) this.#tell(name, ['failed', summary(error)]);
      },
    });
    this.#subscriptions.set(name, subscription);
  }

  #tell(name: string, what: unknown[]): void {
    this.#told.get(name)!.push(what);
  }
}

/** What the app may decide by: code, outcome, and what there is besides. */
function summary(error: unknown): unknown {
  if (!isTautlineError(error)) throw error;
  const { code, outcome, data, issues, retryAfterMs } = error;
  return JSON.parse(JSON.stringify({ code, outcome, data, issues, retryAfterMs }));
}

let run: ClientRun;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(async () => {
  await run.close();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

test('The exchanges come to every error code that a server sends, and every message of either side.', () => {
  run = new ClientRun({ name: '', steps: [] }, {});
  const all = JSON.stringify(exchangesOf('client').concat(exchangesOf('server')));
  const local = new Set(['DISCONNECTED', 'OFFLINE', 'CLOSED', 'QUEUE_FULL', 'GAP', 'UNKNOWN']);
  for (const code of SYSTEM_CODES) if (!local.has(code)) expect(all).toContain(`{"code":"${code}"`);
  for (const name of [...clientMessages.keys(), ...serverMessages.keys()]) expect(all).toContain(`["${name}",`);
});

describe('Our client says its lines, and tells its app:', () => {
  test.each(exchangesOf('client'))('$file: $exchange.name', async ({ exchange, values }) => {
    run = new ClientRun(exchange, values);
    await run.run();
  });
});

import { connect, createClient } from '../../src/index.ts';
import type { AuthRequest, AuthToken, Connection, ConnectionStatus } from '../../src/index.ts';
import type { Client } from '../../src/index.ts';
import type { Process } from './clock.ts';
import type { Tap } from './network.ts';
import { contract } from './contract.ts';
import type { TopicPath, Tree } from './contract.ts';
import { Listener } from './listener.ts';
import type { World } from './world.ts';

/** So much of what a page said is kept, to be said again by somebody else. */
const SAID = 12;

const NAMES = ['ann', 'bob', 'cleo'];

/** Topics that there are; `own` ones are named after who may hear them. */
export const TOPICS: ReadonlyArray<readonly [path: TopicPath, id: string]> = [
  ['news', 'a'],
  ['news', 'b'],
  ['slow', 'a'],
  ['board', 'a'],
  ['board', 'b'],
  ['shot', 'a'],
  ['own', 'ann'],
  ['own', 'bob'],
];

/** One page: a connection, its client, who is logged in, and what is listened to. */
export class User {
  readonly process: Process;
  readonly connection: Connection;
  readonly client: Client<Tree>;
  readonly listeners: Set<Listener> = new Set();
  /** Loops over events that go on. */
  readonly loops: Set<{ return(): Promise<unknown> }> = new Set();
  /** Times that it was told another name of its memory than the time before. */
  memories = 0;
  /** It was closed by us, and not taken up since. */
  #closing = false;
  /** Times that it was closed. */
  leaves = 0;
  suspended = false;
  /** What it said last that acts, by id, under its present name. */
  readonly said: Map<string, string> = new Map();
  /** Figures of all listeners that are over, and of all sockets. */
  readonly past = { gaps: 0, resumed: 0, heard: 0, resent: 0 };
  readonly #world: World;
  #who: string;
  /** Whom the last welcome named. */
  #bound: string | undefined;
  #memory: string | undefined;
  /** Its name as a client. */
  #name = '';
  #era = 0;
  #tokens = 0;
  /** Memories under which calls were written last, by their tokens. */
  readonly #writtenUnder = new Map<number, string | undefined>();
  /** Ids that were written on the newest socket, and on any. */
  readonly #sent = new Set<string>();
  readonly #everSent = new Set<string>();

  constructor(world: World, index: number) {
    this.#world = world;
    this.process = { name: `page${String(index)}`, frozenUntil: 0 };
    this.#who = NAMES[index % NAMES.length]!;
    const { plan, clock, random, network } = world;
    // What it sets up belongs to it.
    this.connection = clock.as(this.process, () =>
      connect('ws://simulation.test/', {
        WebSocket: network.socketsOf(this.process, this.#tap),
        lifecycle: false,
        random: random.next,
        connectTimeoutMs: plan.connectTimeoutMs,
        heartbeat: { timeoutMs: 1_000, probeMs: 500 },
        flow: { highWaterMark: plan.highWaterMark },
        ...(plan.identities === 'none' ? {} : { auth: this.#auth() }),
      }),
    );
    this.client = createClient(contract, this.connection);
    this.connection.on('error', (error) => {
      // The server could not verify new credentials: the old ones stay, and it is asked again.
      if (String(error) !== 'Error: Refreshing credentials: the server failed')
        world.violation(`${this.process.name} reports ${String(error)}`);
    });
    this.connection.on('status', (status) => this.#entered(status));
  }

  get closing(): boolean {
    return this.#closing;
  }

  set closing(closing: boolean) {
    if (closing) this.leaves++;
    this.#closing = closing;
  }

  get era(): string {
    return `${this.process.name}.${String(this.#era)}`;
  }

  /** Whom it must be alone that a call of now runs as. */
  get identity(): string | undefined {
    const { identities } = this.#world.plan;
    if (identities === 'none') return 'anonymous';
    return identities === 'tokens' ? this.#who : this.#bound;
  }

  /** The server that this page speaks to remembers what became of a call: it was sent to the same memory. */
  isRemembered(token: number): boolean {
    return this.#memory !== undefined && this.#writtenUnder.get(token) === this.#memory;
  }

  /** The memory to which a call was sent last. */
  memoryOf(token: number): string | undefined {
    return this.#writtenUnder.get(token);
  }

  listen(path: TopicPath, id: string): Listener {
    const { publications, violation, plan } = this.#world;
    const handle = this.client[path]({ id });
    const listener = new Listener({
      name: this.process.name,
      topic: handle.name,
      hasSnapshot: path === 'board' || path === 'shot',
      publications,
      keepsHistory: plan.broker === 'memory' && plan.historySize > 1_000 && !plan.deaths,
      violation,
      mayEnd: ({ code, message }) =>
        (code === 'CLOSED' && (this.closing || this.#isStranger(message))) ||
        (code === 'FORBIDDEN' && path === 'own' && (plan.identities !== 'tokens' || id !== this.#who)),
      mayHear: () => path !== 'own' || plan.identities !== 'tokens' || id === this.#who,
    });
    this.listeners.add(listener);
    // A topic without a snapshot hears of none.
    listener.subscription = handle.subscribe(listener);
    return listener;
  }

  unlisten(listener: Listener): void {
    listener.subscription?.unsubscribe();
    this.forget(listener);
  }

  forget(listener: Listener): void {
    if (!this.listeners.delete(listener)) return;
    this.past.gaps += listener.gaps;
    this.past.resumed += listener.resumed;
    this.past.heard += listener.heard;
  }

  /** Somebody else logs in, or the same one anew. */
  login(who: string): void {
    this.#who = who;
    this.#begin();
    this.connection.setAuth(this.#auth());
  }

  /** The cookie changes: this page does not know. */
  drift(who: string): void {
    this.#who = who;
  }

  #begin(): void {
    this.#era++;
    this.#bound = undefined;
    const { clock, ledger, violation } = this.#world;
    const former = [...this.listeners];
    clock.after(0, this.process, () => {
      ledger.checkEras(this.process, this.era);
      for (const { topic, state } of former) {
        if (state === 'live' || state === 'recovering') violation(`${topic} is ${state} for another identity`);
      }
    });
  }

  /** Twice another identity is the end, by the table of close codes. */
  #isStranger(message: string): boolean {
    return this.#world.plan.identities === 'cookie' && message.includes('code 4410');
  }

  #auth(): (request: AuthRequest) => AuthToken | Promise<AuthToken> {
    const { random, plan, clock } = this.#world;
    const owner = this.#who;
    const issue = (reason: AuthRequest['reason']): AuthToken => {
      const stale = reason !== 'refused' && random.chance(0.03) ? '~stale' : '';
      const who = plan.identities === 'cookie' ? this.#who : owner;
      const token = `${who}~${String(++this.#tokens)}${stale}`;
      return { token, expiresAt: Date.now() + plan.tokenLifeMs };
    };
    return ({ reason }) => {
      if (random.chance(0.5)) return issue(reason);
      return new Promise((resolve) => {
        clock.after(random.below(200), this.process, () => resolve(issue(reason)));
      });
    };
  }

  /** What the sockets of this page carry, before the connection gets it. */
  readonly #tap: Tap = {
    says: (frame) => {
      if (frame.startsWith('[["hello"')) this.#greets(frame);
      if (frame.startsWith('[["call"') || frame.startsWith('[["publish"')) this.#keep(frame);
      for (const [, token] of frame.matchAll(/"token":(\d+)/g)) this.#writtenUnder.set(Number(token), this.#memory);
      for (const [, id] of frame.matchAll(/\["(?:call|publish)",([1-9]\d*),/g)) {
        if (this.#everSent.has(id!) && !this.#sent.has(id!)) this.past.resent++;
        this.#sent.add(id!);
        this.#everSent.add(id!);
      }
    },
    hears: (frame) => {
      if (!frame.startsWith('[["welcome"')) return;
      const [, { identity, memory }] = (JSON.parse(frame) as [[string, { identity: string; memory: string }]])[0];
      if (memory !== this.#memory) this.memories++;
      this.#memory = memory;
      if (this.#bound !== undefined && this.#bound !== this.#world.userNamed(identity)) this.#begin();
      else this.#bound = this.#world.userNamed(identity);
    },
    isClosed: (code) => {
      if (code === 4410) this.#begin();
    },
  };

  #greets(frame: string): void {
    this.#sent.clear();
    const [[, { client }]] = JSON.parse(frame) as [[string, { client: string }]];
    if (client !== this.#name) this.said.clear();
    this.#name = client;
  }

  #keep(frame: string): void {
    for (const message of JSON.parse(frame) as ReadonlyArray<[name: string, id: number, path: string]>) {
      const [name, id, path] = message;
      const acts = name === 'call' ? path !== 'look' : name === 'publish' && id > 0;
      if (acts) this.said.set(String(id), JSON.stringify(message));
    }
    for (const [oldest] of this.said) {
      if (this.said.size <= SAID) return;
      this.said.delete(oldest);
    }
  }

  #entered(status: ConnectionStatus): void {
    const { clock, random, plan, isCalm, trace } = this.#world;
    trace(`${this.process.name} is ${status.state}`);
    if (status.state === 'closed' && !this.closing) this.#stopped(status.cause.code);
    if (status.state === 'waiting' && (isCalm() || random.chance(plan.impatience))) {
      clock.after(random.below(isCalm() ? 3_000 : 150), this.process, () => {
        if (this.connection.status === status) this.connection.reconnect();
      });
    }
  }

  /** Twice another identity, or twice refused, is the end by the table of close codes: whoever sits there tries again. */
  #stopped(code: number): void {
    const { plan, clock, violation } = this.#world;
    const mayStop = plan.identities !== 'none' && (code === 4401 || code === 4410);
    if (!mayStop) violation(`${this.process.name} stopped with ${String(code)}`);
    this.closing = true;
    for (const listener of [...this.listeners]) this.forget(listener);
    clock.after(100, this.process, () => this.comeBack());
  }

  comeBack(): void {
    this.closing = false;
    this.suspended = false;
    if (this.connection.status.state === 'suspended') this.connection.wake();
    else this.connection.reconnect();
  }
}

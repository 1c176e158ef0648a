import { TautlineError } from '../../src/index.ts';
import { createServer } from '../../src/server/index.ts';
import type {
  AuthenticateArgs,
  Broker,
  ErrorInfo,
  Feed,
  HandlerArgs,
  Handlers,
  Server,
} from '../../src/server/index.ts';
import type { ServerSocket, SocketHandler } from '../../src/server/peers/server-socket.ts';
import type { Process } from './clock.ts';
import { ballast, contract, refusesAgain } from './contract.ts';
import type { Answer, Ask, Fact, TailAsk, TailItem, TopicPath, Tree } from './contract.ts';
import type { Host } from './network.ts';
import type { SharedStore } from './simulated-redis.ts';
import { STREAMS } from './user-streams.ts';
import type { World } from './world.ts';

/** What `authenticate` says of a peer. */
interface Context {
  readonly user: string;
}

/** What authenticate, authorize and snapshot throw while what is behind the servers fails. */
const AWAY = 'the database is away';

/** Everything that the servers do happens in one process. */
export const SERVERS: Process = { name: 'servers', frozenUntil: 0 };

/** One life of a server, from its start to its death. */
export class ServerNode implements Host {
  readonly name: string;
  readonly server: Server<Tree>;
  isUp = true;
  isDraining = false;
  /** Handlers of streams that have not ended. */
  generators = 0;
  readonly #world: World;
  readonly #feeds = new Set<Feed>();
  readonly #shared: SharedStore | undefined;
  /** Topics whose state is being read. */
  readonly #reading = new Set<string>();

  constructor(world: World, name: string, broker: Broker) {
    this.name = name;
    this.#world = world;
    const { windowMs, heartbeatMs, calls, items, bufferedBytes, partBytes, identities, isTight } = world.plan;
    this.#shared = world.redis?.connect();
    this.server = createServer(contract, {
      callStore: this.#shared?.store,
      ...(identities === 'none'
        ? { authenticate: () => this.#anonymous() }
        : { authenticate: ({ token }: AuthenticateArgs) => this.#authenticate(token) }),
      handlers: this.#handlers(),
      broker: this.#recording(broker),
      windowMs,
      heartbeatMs,
      pongTimeoutMs: Math.ceil(heartbeatMs / 2),
      limits: {
        calls,
        answers: calls + STREAMS + 64,
        streams: STREAMS,
        items,
        bufferedBytes,
        partBytes,
        ...(isTight ? { answerBytes: 100, memoryBytes: 200 } : {}),
      },
      onError: (error: unknown, info: ErrorInfo) => this.#reported(error, info),
    });
  }

  accept(socket: ServerSocket): SocketHandler {
    return this.server.accept(socket, {});
  }

  publish(path: TopicPath, id: string, fact: Fact): void {
    void this.server.topic(path, { id }).publish(fact);
  }

  /** Has its clients go elsewhere, and ends. */
  async drain(withinMs: number): Promise<void> {
    this.isDraining = true;
    await this.close(withinMs);
    this.isUp = false;
    for (const feed of this.#feeds) feed.close();
  }

  /** Its process ends: nothing of it goes on. */
  die(): void {
    this.isUp = false;
    this.#shared?.die();
    for (const feed of this.#feeds) feed.close();
    void this.close();
  }

  async close(withinMs = 0): Promise<void> {
    await this.server.close({ withinMs });
    await this.#shared?.store.close();
  }

  #reported(error: unknown, { during }: ErrorInfo): void {
    const { message } = error as Error;
    // The shared memory was away: whoever called is told.
    if (during === 'calls' && this.#shared !== undefined) return;
    if (!this.isUp || message === 'crash' || message === AWAY) return;
    this.#world.violation(`${this.name} reports, ${during}: ${String(error)}`);
  }

  /** Goes on after some time, if it is still alive then. */
  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#world.clock.after(ms, SERVERS, () => {
        if (this.isUp) resolve();
      });
    });
  }

  /** At once, or in a while: both are allowed. */
  #inAWhile<Value>(value: Value): Value | Promise<Value> {
    const { clock, random, plan, failsUntil } = this.#world;
    if (clock.now < failsUntil) throw new Error(AWAY);
    if (plan.authMs === 0 || random.chance(0.2)) return value;
    return this.#sleep(random.below(plan.authMs)).then(() => value);
  }

  #anonymous(): { identity: string; context: Context } | Promise<{ identity: string; context: Context }> {
    return this.#inAWhile({ identity: 'anonymous', context: { user: 'anonymous' } });
  }

  /** Tokens are `user~number`, and stale ones end with `~stale`. */
  async #authenticate(token = ''): Promise<{ identity: string; context: Context }> {
    const [user = '', , stale] = token.split('~');
    await this.#inAWhile(undefined);
    if (stale === 'stale') throw new TautlineError('UNAUTHENTICATED', 'stale', { outcome: 'rejected' });
    return { identity: user, context: { user } };
  }

  #handlers(): Handlers<Tree, Context> {
    const call = (args: HandlerArgs<Tree['act'], Context>): Answer | Promise<Answer> => this.#call(args);
    const rules = (path: TopicPath) => ({
      authorize: ({ params, context }: { params: { id: string }; context: Context }) => {
        if (this.#world.clock.now < this.#world.authorizeFailsUntil) throw new Error(AWAY);
        return this.#inAWhile(path !== 'own' || params.id === context.user);
      },
      publish: ({ params, event, context }: { params: { id: string }; event: Fact; context: Context }) => {
        const name = `${path} ${params.id}`;
        this.#ballast(event);
        this.#world.ledger.began(event.token, context.user, this.name, name);
      },
    });
    const state = (path: string) => ({
      snapshot: async ({ params }: { params: { id: string } }) => {
        const name = `${path}/${params.id}`;
        if (this.isUp && this.#reading.has(name)) this.#world.violation(`${this.name} reads ${name} twice at a time`);
        this.#reading.add(name);
        try {
          await this.#inAWhile(undefined);
          const read = this.#world.publications.state(name);
          await this.#inAWhile(undefined);
          return read;
        } finally {
          this.#reading.delete(name);
        }
      },
    });
    return {
      look: call as never,
      act: call,
      put: call,
      tail: ({ input, context }: { input: TailAsk; context: Context }) => this.#tail(input, context),
      news: rules('news'),
      slow: rules('slow'),
      own: rules('own'),
      board: { ...rules('board'), ...state('boards') },
      shot: { ...rules('shot'), ...state('shots') },
    };
  }

  async *#tail({ token, count, itemMs }: TailAsk, { user }: Context): AsyncGenerator<TailItem, void> {
    if (!this.isUp) return;
    this.#world.ledger.began(token, user, this.name, 'streams');
    this.generators++;
    try {
      for (let seq = 1; seq <= count; seq++) {
        if (itemMs > 0) await this.#sleep(itemMs);
        yield { token, user, seq };
      }
    } finally {
      this.generators--;
    }
  }

  #call({ input, context, signal, fail, call }: HandlerArgs<Tree['act'], Context>): Answer | Promise<Answer> {
    const { ledger } = this.#world;
    const { token, way, beforeMs, afterMs } = input;
    const answer = { token, user: context.user, ...this.#ballast(input) };
    if (!this.isUp) return answer;
    ledger.began(token, context.user, this.name, 'calls');
    const acts = call.path !== 'look';
    if (way === 'crash') {
      if (token % 2 === 0 && acts) ledger.took(token);
      throw new Error('crash');
    }
    // Some apps refuse what they have done already.
    const isAgain = call.path === 'put' && refusesAgain(token) && ledger.isDone(token);
    if (way === 'refuse' || isAgain) return fail('REFUSED', answer);
    if (beforeMs + afterMs > 0 || way === 'hang') return this.#work(input, answer, signal, acts);
    if (acts) ledger.took(token);
    return answer;
  }

  /** What came with a call, which was put together of its own parts, goes back with its answer. */
  #ballast({ token, ballast: given }: Pick<Ask, 'token' | 'ballast'>): Pick<Answer, 'ballast'> {
    if (given === undefined) return {};
    if (given !== ballast(token, given.length))
      this.#world.violation(`call ${String(token)} has the ballast of another`);
    return { ballast: given };
  }

  async #work(ask: Ask, answer: Answer, signal: AbortSignal, acts: boolean): Promise<Answer> {
    const { ledger, violation, plan } = this.#world;
    const place = ledger.placeOf(ask.token, this.name);
    // A query may run before its page knows under which memory it does.
    const running = acts ? ledger.running(place, 1) : 0;
    if (running > 2 * plan.calls) violation(`${String(running)} handlers of one client run on ${place}`);
    try {
      await this.#doIt(ask, signal, acts);
      return answer;
    } finally {
      if (acts) ledger.running(place, -1);
    }
  }

  async #doIt({ token, way, beforeMs, afterMs }: Ask, signal: AbortSignal, acts: boolean): Promise<void> {
    if (way === 'hang') {
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener('abort', () => resolve());
      });
    } else await this.#sleep(beforeMs);
    if (way !== 'deaf') signal.throwIfAborted();
    if (acts) this.#world.ledger.took(token);
    await this.#sleep(afterMs);
  }

  /** The broker, with all that is published noted, and nothing after the death of this server. */
  #recording(broker: Broker): Broker {
    const { publications, ledger } = this.#world;
    return {
      publish: (name, payload) => {
        if (!this.isUp) return new Promise(() => undefined);
        const fact = JSON.parse(payload) as Fact;
        const [path = ''] = name.split('/');
        // What a client publishes is committed here, in the step in which it is published.
        const isState = path === 'boards' || path === 'shots';
        const committed = isState && fact.value === 0 ? publications.commit(name, fact) : fact;
        ledger.took(fact.token);
        const position = broker.publish(name, committed === fact ? payload : JSON.stringify(committed));
        // A remote one notes it itself, at the moment at which it happens there.
        if (!(position instanceof Promise)) publications.add(name, position, committed);
        return position;
      },
      subscribe: (name, listener) => {
        const keep = (feed: Feed): Feed => {
          this.#feeds.add(feed);
          return feed;
        };
        const feed = broker.subscribe(name, listener);
        return feed instanceof Promise ? feed.then(keep) : keep(feed);
      },
      close: () => undefined,
    };
  }
}

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
import type { SocketHandler } from '../../src/server/server-socket.ts';
import type { Process } from './clock.ts';
import { contract } from './contract.ts';
import type { Answer, Ask, Fact, TopicPath, Tree } from './contract.ts';
import type { Host, SimulatedSocket } from './network.ts';
import type { World } from './world.ts';

/** What `authenticate` says of a peer. */
interface Context {
  readonly user: string;
}

/** Everything that the servers do happens in one process. */
export const SERVERS: Process = { name: 'servers', frozenUntil: 0 };

/** One life of a server, from its start to its death. */
export class ServerNode implements Host {
  readonly name: string;
  readonly server: Server<Tree>;
  isUp = true;
  readonly #world: World;
  readonly #feeds = new Set<Feed>();

  constructor(world: World, name: string, broker: Broker) {
    this.name = name;
    this.#world = world;
    const { windowMs, heartbeatMs, calls, bufferedBytes, identities } = world.plan;
    this.server = createServer(contract, {
      ...(identities === 'none'
        ? { authenticate: () => this.#anonymous() }
        : { authenticate: ({ token }: AuthenticateArgs) => this.#authenticate(token) }),
      handlers: this.#handlers(),
      broker: this.#recording(broker),
      windowMs,
      heartbeatMs,
      pongTimeoutMs: Math.ceil(heartbeatMs / 2),
      limits: { calls, answers: calls + 16 + 64, bufferedBytes },
      onError: (error: unknown, info: ErrorInfo) => this.#reported(error, info),
    });
  }

  accept(socket: SimulatedSocket): SocketHandler {
    return this.server.accept(socket.serverEnd, {});
  }

  publish(path: TopicPath, id: string, fact: Fact): void {
    void this.server.topic(path, { id }).publish(fact);
  }

  /** Its process ends: nothing of it goes on. */
  die(): void {
    this.isUp = false;
    for (const feed of this.#feeds) feed.close();
    void this.server.close();
  }

  #reported(error: unknown, { during }: ErrorInfo): void {
    if (!this.isUp || (error as Error).message === 'crash') return;
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
    const { random, plan } = this.#world;
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
      authorize: ({ params, context }: { params: { id: string }; context: Context }) =>
        this.#inAWhile(path !== 'own' || params.id === context.user),
      publish: ({ params, event, context }: { params: { id: string }; event: Fact; context: Context }) => {
        const name = `${path} ${params.id}`;
        this.#world.ledger.began(event.token, context.user, this.name, name);
      },
    });
    const state = (path: string) => ({
      snapshot: async ({ params }: { params: { id: string } }) => {
        await this.#inAWhile(undefined);
        const read = this.#world.publications.state(`${path}/${params.id}`);
        await this.#inAWhile(undefined);
        return read;
      },
    });
    return {
      look: call as never,
      act: call,
      put: call,
      news: rules('news'),
      slow: rules('slow'),
      own: rules('own'),
      board: { ...rules('board'), ...state('boards') },
      shot: { ...rules('shot'), ...state('shots') },
    };
  }

  #call({ input, context, signal, fail, call }: HandlerArgs<Tree['act'], Context>): Answer | Promise<Answer> {
    const { ledger } = this.#world;
    const { token, way, beforeMs, afterMs } = input;
    const answer = { token, user: context.user };
    if (!this.isUp) return answer;
    ledger.began(token, context.user, this.name, 'calls');
    if (way === 'crash') throw new Error('crash');
    if (way === 'refuse') return fail('REFUSED', answer);
    if (beforeMs + afterMs > 0 || way === 'hang') return this.#work(input, answer, signal);
    if (call.path !== 'look') ledger.took(token);
    return answer;
  }

  async #work({ token, way, beforeMs, afterMs }: Ask, answer: Answer, signal: AbortSignal): Promise<Answer> {
    if (way === 'hang') {
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener('abort', () => resolve());
      });
    } else await this.#sleep(beforeMs);
    if (way !== 'deaf') signal.throwIfAborted();
    this.#world.ledger.took(token);
    await this.#sleep(afterMs);
    return answer;
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
        const committed = isState && fact.value === 0 ? publications.commit(name, fact.token, fact.key) : fact;
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

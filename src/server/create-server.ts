import { json } from '../codec/json.ts';
import { checkContract } from '../contract/check-definition.ts';
import type { Contract, ContractTree } from '../contract/contract.ts';
import type { EventInput, SnapshotOutput } from '../contract/infer.ts';
import { Deadlines } from '../primitives/deadlines.ts';
import type { WireLimits } from '../protocol/messages.ts';
import { ConnectionWatch } from './brokers/connection-watch.ts';
import type { Broker } from './brokers/broker.ts';
import { memoryBroker } from './brokers/memory.ts';
import { ClientDirectory } from './clients/client-directory.ts';
import { isDevelopment } from './app/development.ts';
import { CALL_STORE_METHODS, type CallStore } from './calls/call-store.ts';
import { Dispatcher } from './calls/dispatcher.ts';
import { NeglectedCalls } from './calls/neglected-calls.ts';
import type { ArrivedPeer, Authenticate, Engine } from './engine.ts';
import { bindHandlers } from './app/handlers.ts';
import type { GivenHandlers } from './app/given-handlers.ts';
import { joinInterceptors } from './app/interceptor.ts';
import type { Interceptor } from './app/interceptor.ts';
import { Observer } from './app/observer.ts';
import type { Observe } from './app/observer.ts';
import { PayloadWriter } from './app/payload-writer.ts';
import { ClientPublisher } from './topics/client-publisher.ts';
import { Publisher } from './topics/publisher.ts';
import { memoryPresenceStore } from './presence/memory-presence-store.ts';
import { PRESENCE_STORE_METHODS, type PresenceStore } from './presence/presence-store.ts';
import { PresenceTable } from './presence/presence-table.ts';
import { createReport } from './app/reporter.ts';
import type { ErrorInfo } from './app/reporter.ts';
import { checkFunction, checkMethods, DEFAULT_TIMES, resolveLimits, resolveNumbers } from './app/server-options.ts';
import type { ResolvedLimits, ServerLimits, ServerTimes } from './app/server-options.ts';
import type { ServerRequest, ServerSocket, SocketHandler } from './peers/server-socket.ts';
import { SharedCommands } from './brokers/shared-commands.ts';
import { PeerFinder } from './brokers/peer-finder.ts';
import type { FindPeersOptions, FoundPeers } from './brokers/peer-finder.ts';
import { SessionTable } from './peers/session-table.ts';
import { UnfinishedParts } from './peers/unfinished-parts.ts';
import type { RefusedUpgrade } from './peers/refused-upgrades.ts';
import { Admission } from './peers/admission.ts';
import type { DisconnectOptions, PeerInfo } from './peers/admission.ts';
import type { ServerHealth, ServerStats } from './peers/session-table.ts';
import { SharedTexts } from './outbound/shared-texts.ts';
import { Flusher } from './outbound/flusher.ts';
import type { ServerTopic, TopicAt, TopicParamsRest, TopicPath } from './server-topic.ts';
import { TopicHub } from './topics/topic-hub.ts';

/** Identity of all peers of a server that authenticates nobody. */
const ANONYMOUS = 'anonymous';

/** Options of {@link createServer}. */
export interface ServerOptions<Tree extends ContractTree = ContractTree, Context = unknown> extends ServerTimes {
  /**
   * Decides who a peer is. The `context` of the handlers takes its type from what it returns. Write it before them; behind
   * them its parameter needs an annotation: `async ({ token }: AuthenticateArgs) => …`.
   * @default everyone is anonymous, and the context undefined
   */
  readonly authenticate?: Authenticate<Context> | undefined;
  /**
   * Hears of each client that comes, once, however often its line is lost: `signal` aborts when it is gone for good. For
   * who is online, for sessions of your own. What it throws goes to `onError`.
   */
  readonly onPeer?: ((peer: ArrivedPeer<Context>) => void | Promise<void>) | undefined;
  readonly handlers: GivenHandlers<Tree, Context>;
  /** Closed with the server only if the server made it. @default memoryBroker() */
  readonly broker?: Broker | undefined;
  /**
   * Where servers remember calls together: then a client that lands on another one finds what became of its calls. Yours
   * to close, after the server. @default each server remembers what its clients called on it
   */
  readonly callStore?: CallStore | undefined;
  /**
   * Where servers that share a broker keep together who is in a `presence()`. Yours to close, after the server.
   * @default the server's own memory, where the broker is its own, too
   */
  readonly presenceStore?: PresenceStore | undefined;
  readonly limits?: ServerLimits | undefined;
  /** Stands around every call and every publish of a client: one, or several of which the first is outermost. @default none */
  readonly intercept?: Interceptor<Context> | ReadonlyArray<Interceptor<Context>> | undefined;
  /**
   * Looks at the first value of each schema of outputs, events, snapshots and error data as its receiver will: one
   * that does not accept its own output is reported to `onError`, with what to do. What is sent stays the same.
   * @default on, unless `NODE_ENV` is `production`
   */
  readonly development?: boolean | undefined;
  /** Gets what no peer is told. @default the console */
  readonly onError?: ((error: unknown, info: ErrorInfo) => void | Promise<void>) | undefined;
  /**
   * Hears what happens, for metrics: sockets, frames, calls with their outcome and duration, refusals, publications and
   * events. Called at once, often once a frame, so it must be quick. What it throws goes to `onError`.
   * @default nobody hears, and nothing is measured
   */
  readonly observe?: Observe | undefined;
}

/** What {@link Server.close} does before it closes. */
export interface ServerCloseOptions {
  /**
   * Time that clients have to move elsewhere, and calls to end, ms: it ends when there is nobody and no call left. Clients move
   * in the first four fifths of it. @default 0
   */
  readonly withinMs?: number | undefined;
}

/** The engine: knows no runtime, an adapter feeds it sockets. */
export interface Server<Tree extends ContractTree = ContractTree> {
  /** What each socket is told that it may do. */
  readonly limits: WireLimits;
  /** Takes a socket that has just opened, with the subprotocol negotiated. */
  accept(socket: ServerSocket, request?: ServerRequest): SocketHandler;
  /** An adapter calls it for an upgrade that it does not take: it is counted, and `onError` told once for each origin. */
  turnedAway(upgrade: RefusedUpgrade): void;
  /** @throws TypeError when the contract has no such topic, or a parameter is missing. */
  topic<Path extends TopicPath<Tree>>(
    path: Path,
    ...params: TopicParamsRest<TopicAt<Tree, Path>>
  ): ServerTopic<EventInput<TopicAt<Tree, Path>>, SnapshotOutput<TopicAt<Tree, Path>>>;
  /** Clients with a socket on this server, of everybody or of one identity, at this moment. */
  peers(options?: { readonly identity?: string | undefined }): PeerInfo[];
  /**
   * Looks for clients of one identity with a socket, on all servers that share the broker, and waits up to `withinMs` for
   * each to answer.
   * @throws TypeError for an identity that is no string, RangeError for a `withinMs` that is no time, and what the broker
   * throws that can't be asked: as a rejection
   */
  findPeers(options: FindPeersOptions): Promise<FoundPeers>;
  /**
   * Closes all connections of somebody, for good, to this server and to all that share its broker (a failure to tell them
   * goes to `onError`, and it is tried again), and forgets what it knows of them: what runs is aborted,
   * what waits is neither run nor delivered, also of a client between two sockets. Who is being let in meanwhile is not.
   * Who comes later is asked for by `authenticate`, so change first what that looks at.
   * @throws TypeError for an identity that is no string; RangeError for a code after which clients come back by themselves.
   */
  disconnect(identity: string, options?: DisconnectOptions): void;
  /**
   * Asks `authorize` again for each subscription, of everybody or of one identity, on all servers that share the broker, and
   * ends those that it refuses. Until it
   * has answered nothing more comes of them; who stays misses nothing.
   * @throws TypeError for an identity that is no string.
   */
  reauthorize(identity?: string): void;
  /** Figures at this moment. */
  stats(): ServerStats;
  /** Whether it can do its work, for a health check. Costs next to nothing. */
  health(): ServerHealth;
  /**
   * Tells clients to go, waits for them, then closes what is left with 1012 and aborts what still runs. Those who are
   * closed, or arrive meanwhile, are told to come back soon, over a time that fits their number (`connectionsPerSecond`).
   * @throws TypeError or RangeError, as a rejection, for a `withinMs` that is no time; nothing is closed then.
   */
  close(options?: ServerCloseOptions): Promise<void>;
}

/**
 * Makes a server of a contract and its handlers.
 * @throws TypeError naming the handler that is missing, or the option that is of another kind; RangeError for an
 * option out of its range.
 */
export function createServer<Tree extends ContractTree, Context = undefined>(
  contract: Contract<Tree>,
  options: ServerOptions<Tree, Context>,
): Server<Tree> {
  const engine = createEngine(contract, options as unknown as ServerOptions);
  const sessions = new SessionTable(engine);
  const admission = new Admission(engine, () => sessions.all);
  const commands = new SharedCommands(engine, admission, engine.broker);
  const finder = new PeerFinder(engine, admission, engine.broker);
  let closing: Promise<void> | undefined;

  const close = async (withinMs: number): Promise<void> => {
    await sessions.drain(withinMs);
    commands.close();
    finder.close();
    engine.brokerWatch.close();
    engine.callStoreWatch.close();
    engine.presence.close();
    engine.hub.close();
    engine.directory.close();
    engine.deadlines.close();
    if (options.broker === undefined) await engine.broker.close();
  };

  return {
    limits: engine.wireLimits,
    accept: (socket, request = {}) => sessions.accept(socket, request),
    turnedAway: (upgrade) => sessions.refusedUpgrades.add(upgrade),
    topic: ((path: string, params: unknown) => topicOf(engine, commands, path, params)) as Server<Tree>['topic'],
    peers: ({ identity } = {}) => [...admission.peers(identity)],
    findPeers: (given) => finder.find(given),
    disconnect: (identity, given = {}) => commands.run(['disconnect', identity, given]),
    reauthorize: (identity) => commands.run(identity === undefined ? ['reauthorize'] : ['reauthorize', identity]),
    stats: () => sessions.stats(),
    health: () => sessions.health(),
    close: async (closeOptions = {}) => {
      const { withinMs } = resolveNumbers('close: ', { withinMs: 0 }, closeOptions);
      if (closing === undefined) {
        let end!: (ended: Promise<void>) => void;
        // There before it begins: what it does may be observed by who then closes, too.
        closing = new Promise((resolve) => (end = resolve));
        end(close(withinMs));
      }
      return closing;
    },
  };
}

function topicOf(engine: Engine, commands: SharedCommands, path: string, params: unknown = {}): ServerTopic {
  const bound = engine.bound.topics.get(path);
  if (bound === undefined) throw new TypeError(`the contract has no topic ${path}`);
  const filled = params as Readonly<Record<string, string>>;
  const name = bound.topic.fill(filled);
  const found = { name, bound, params: filled };
  return {
    name,
    publish: (event, given) =>
      bound.topic.definition.enter === undefined
        ? engine.publisher.publish(found, event, given)
        : Promise.reject(new TypeError(`publish: ${path} is a presence, and tells by itself who is there`)),
    read: () => engine.hub.read(found),
    revoke: (identity) => commands.run(['revoke', identity, name]),
  };
}

function createEngine(contract: Contract, options: ServerOptions): Engine & { readonly broker: Broker } {
  // A client leaves this out in production; a server has what its topics' rules say only where no two names clash.
  checkContract(contract.tree, contract.codec);
  const bound = bindHandlers(contract, options.handlers, (name) => presence.members(name));
  for (const name of ['authenticate', 'onError', 'observe', 'onPeer'] as const) checkFunction(name, options[name]);
  checkMethods('broker', options.broker, ['publish', 'subscribe', 'close'], 'a Broker, like memoryBroker()');
  checkMethods('callStore', options.callStore, CALL_STORE_METHODS, 'a CallStore, like redisCallStore(…)');
  const intercept = joinInterceptors(options.intercept);
  const limits = resolveLimits(options.limits ?? {});
  const times = resolveNumbers('', DEFAULT_TIMES, options);
  const { windowMs } = times;
  const codec = contract.codec ?? json;
  const { broker = memoryBroker(), callStore } = options;
  const store = presenceStoreOf(contract, options, broker);
  const report = createReport(options.onError);
  const observer = options.observe === undefined ? undefined : new Observer(options.observe, report);
  // Not the wall clock: one that is set must not end or hold what waits.
  const now = (): number => performance.now();
  const deadlines = new Deadlines({ now, onError: (error) => report(error, { during: 'session' }) });
  const neglected = new NeglectedCalls(deadlines, report);
  const anonymous = options.authenticate === undefined ? ANONYMOUS : undefined;
  const writer = new PayloadWriter({ codec, report, checks: isDevelopment(options.development) });
  const hub = new TopicHub({ topics: bound.topics, writer, broker, deadlines, report, observer });
  const publisher = new Publisher({ hub, report, observer });
  const presence = new PresenceTable({ codec, deadlines, report, hub, publisher, limits, times, store, anonymous });
  return {
    bound,
    codec,
    limits,
    wireLimits: wireLimitsOf(limits),
    times,
    deadlines,
    broker,
    texts: new SharedTexts(),
    flusher: new Flusher(report),
    unfinished: new UnfinishedParts(limits.unfinishedBytes),
    report,
    observer,
    hub,
    brokerWatch: new ConnectionWatch('broker', broker.connection, observer),
    callStoreWatch: new ConnectionWatch('callStore', callStore?.connection, observer),
    onPeer: options.onPeer,
    authenticate: options.authenticate ?? (() => ({ identity: ANONYMOUS, context: undefined })),
    directory: new ClientDirectory({ limits, windowMs, deadlines, neglected, anonymous, callStore, report }),
    callStore,
    dispatcher: new Dispatcher({ codec, writer, deadlines, report, intercept }),
    publisher,
    presence,
    clientPublisher: new ClientPublisher({ codec, hub, presence, report, observer, intercept }),
  };
}

function wireLimitsOf(limits: ResolvedLimits): WireLimits {
  const { frameBytes, partBytes, messageBytes, calls, streams, items, subscriptions } = limits;
  return { frameBytes, partBytes, messageBytes, calls, streams, items, subscriptions };
}

/** @throws TypeError for a presence on a broker that several servers share, and no store that they share, too */
function presenceStoreOf({ topics }: Contract, { presenceStore }: ServerOptions, broker: Broker): PresenceStore {
  checkMethods('presenceStore', presenceStore, PRESENCE_STORE_METHODS, 'a PresenceStore, like redisPresenceStore(…)');
  const presence = [...topics.values()].find(({ definition }) => definition.enter !== undefined);
  // Without one nobody need know that this server lives.
  if (presenceStore !== undefined && presence !== undefined) return presenceStore;
  if (presence === undefined || broker.isShared !== true) return memoryPresenceStore();
  throw new TypeError(
    `contract.${presence.path}: servers that share a broker keep together who is there: give a presenceStore, like redisPresenceStore(…)`,
  );
}

import { Faults } from './faults.ts';
import { Impostor } from './impostor.ts';
import type { ServerStats } from '../../src/server/index.ts';
import { TOPICS } from './user.ts';
import type { User } from './user.ts';
import { UserActions } from './user-actions.ts';
import { World } from './world.ts';

/** Longest time that a call may take, ms. */
const LONGEST_CALL_MS = 30_000;

/** Calls that a user makes at the end, more than fit a narrow window; those of a wide one cost more time than they show. */
const MOST_PROOFS = 28;

/** What happened in a world. */
export interface Totals {
  /** Sockets that broke, or that something between the two ends closed. */
  cuts: number;
  /** Other troubles: stalls, slow lines, frozen pages, deaths and restarts of servers, lost histories. */
  troubles: number;
  frames: number;
  /** Frames that were under way and never arrived. */
  lost: number;
  calls: number;
  answered: number;
  /** Calls and publishes that were written again, on another socket. */
  resent: number;
  /** Errors with the outcome `unknown`. */
  unknown: number;
  publications: number;
  /** Events that listeners were told. */
  heard: number;
  /** Times that a listener went on after a loss. */
  resumed: number;
  gaps: number;
  /** Happenings on the virtual clock, and its time, ms. */
  steps: number;
  virtualMs: number;
}

/** How a trial ended. */
export interface Verdict {
  readonly violations: readonly string[];
  readonly totals: Totals;
}

/**
 * Lets one world live: trouble, then calm, then the end; with all that has to be true at each step.
 * @param sharesCalls - There are several servers, and they remember calls together
 */
export async function trial(seed: number, sharesCalls: boolean, traced?: string[]): Promise<Verdict> {
  const world = new World(seed, sharesCalls, traced);
  const rejected = (error: unknown): void => world.violation(`a rejection that nobody handles: ${String(error)}`);
  process.on('unhandledRejection', rejected);
  using _clock = world.clock.install();
  // Nobody reads the stacks of the errors in here, and they cost a tenth of the time.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return await new Trial(world).run();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    process.off('unhandledRejection', rejected);
  }
}

class Trial {
  readonly #world: World;
  readonly #faults: Faults;

  constructor(world: World) {
    this.#world = world;
    this.#faults = new Faults(world);
  }

  async run(): Promise<Verdict> {
    const { plan, users, violations } = this.#world;
    this.#world.open();
    const actions = users.map((user) => new UserActions(this.#world, user));
    for (const action of actions) action.start();
    this.#faults.start();
    this.#news();
    await this.#pass(plan.troubleMs);
    this.#settleDown();
    await this.#pass(LONGEST_CALL_MS + 20_000);
    this.#ring();
    for (const action of actions) action.prove(Math.min(plan.calls + 4, MOST_PROOFS));
    await this.#pass(25_000);
    if (violations.length === 0) this.#checkQuiet();
    if (violations.length === 0) await this.#leaveStreams(actions);
    if (violations.length === 0) await this.#failToAuthorize();
    if (violations.length === 0) await this.#loseHistories();
    await this.#pass(plan.windowMs + plan.heartbeatMs + 10_000);
    if (violations.length === 0) this.#checkForgotten();
    if (violations.length === 0) await this.#changeCookies(actions);
    if (violations.length === 0) await this.#impersonate();
    const totals = this.#totals();
    for (const user of users) {
      user.closing = true;
      this.#world.clock.as(user.process, () => void user.connection.close());
    }
    await this.#pass(1_000);
    const left = this.#sum((stats) => stats.clients);
    if (left > 0 && violations.length === 0)
      this.#world.violation(`${String(left)} clients are remembered that said goodbye`);
    await this.#pass(plan.windowMs + plan.heartbeatMs * 2 + 10_000);
    if (violations.length === 0) await this.#checkEnd();
    return { violations, totals };
  }

  /** In steps, to look at what should have ended. */
  async #pass(ms: number): Promise<void> {
    const { clock, ledger, violations } = this.#world;
    const until = clock.now + ms;
    while (clock.now < until && violations.length === 0) {
      await clock.run(Math.min(until, clock.now + 1_000), () => violations.length > 0);
      ledger.checkDeadlines();
    }
  }

  #news(): void {
    const { clock, random, plan, isCalm } = this.#world;
    clock.after(random.pause(plan.newsMs), { name: 'app', frozenUntil: 0 }, () => {
      if (isCalm()) return;
      const count = random.chance(0.03) ? random.between(20, 80) : 1;
      for (let index = 0; index < count; index++) this.#world.publish();
      this.#news();
    });
  }

  #settleDown(): void {
    const { users, network, nodes, clock, trace } = this.#world;
    trace('calm');
    this.#world.calm();
    nodes.forEach(({ isUp }, index) => {
      if (!isUp) this.#world.startNode(index);
    });
    for (const { up, down } of network.sockets) {
      up.heal();
      down.heal();
    }
    for (const user of users) {
      // One that is about to close is let close first.
      clock.after(4_000, user.process, () => {
        const { state } = user.connection.status;
        if (state === 'closed' || state === 'waiting' || user.suspended) user.comeBack();
        user.closing = false;
        for (const loop of user.loops) void loop.return();
        for (const [path, id] of TOPICS) if (path !== 'own' && user.listeners.size < 12) user.listen(path, id);
      });
    }
  }

  /** One last publication on every topic: whoever is live has to hear it. */
  #ring(): void {
    for (const [path, id] of TOPICS) this.#world.nodes[0]!.publish(path, id, this.#world.fact());
  }

  /** In quiet, where no lost line brings it to light: those who are live learn from the server alone that an epoch began. */
  async #loseHistories(): Promise<void> {
    const { remote, users } = this.#world;
    if (remote === undefined) return;
    for (const name of remote.names) remote.forget(name);
    await this.#pass(5_000);
    this.#ring();
    await this.#pass(10_000);
    for (const { listeners } of users) {
      for (const listener of listeners) if (listener.state === 'live') listener.checkAtHead();
    }
  }

  #checkQuiet(): void {
    const { users, ledger, violation } = this.#world;
    if (ledger.pending > 0) violation(`${String(ledger.pending)} calls are pending at the end`);
    let subscriptions = 0;
    for (const user of users) {
      const { connection, process, listeners } = user;
      const { queued, inFlight, subscriptions: topics, bufferedAmount } = connection.stats();
      if (connection.status.state !== 'connected')
        violation(`${process.name} is ${connection.status.state} at the end`);
      if (queued.messages + queued.bytes + inFlight + (bufferedAmount ?? 0) > 0) {
        violation(`${process.name} has left ${JSON.stringify(connection.stats())}`);
      }
      const live = [...listeners].filter(({ state }) => state !== 'ended');
      const names = new Set(live.map(({ topic }) => topic));
      if (topics !== names.size)
        violation(`${process.name} has ${String(topics)} topics, and listens to ${String(names.size)}`);
      subscriptions += names.size;
      for (const listener of live) listener.checkAtHead();
      this.#checkStates(user);
    }
    const told = this.#sum(({ subscriptions: count }) => count);
    if (told !== subscriptions)
      violation(`the servers have ${String(told)} subscriptions, the pages ${String(subscriptions)}`);
    // A stream of a page that went to the other server is held until the window ends.
    const calls = this.#sum((stats) => stats.calls) - this.#generators;
    if (calls > 0) violation(`the servers have ${String(calls)} calls left`);
    const { nodes, deaths, rolls, restless, identities } = this.#world.plan;
    const isOneClient = nodes === 1 && !deaths && !rolls && !restless && identities === 'none';
    if (isOneClient && this.#generators > 0) violation(`${String(this.#generators)} streams of nobody go on`);
    ledger.audit();
  }

  /** In quiet, what is left takes up nothing: no slot of a page, nothing at a server. */
  async #leaveStreams(actions: readonly UserActions[]): Promise<void> {
    const before = this.#generators;
    let busy = actions.length;
    for (const action of actions) void action.leaveStreams().then(() => busy--);
    await this.#pass(15_000);
    const { violation } = this.#world;
    if (busy > 0) violation(`${String(busy)} pages still read streams`);
    const calls = this.#sum((stats) => stats.calls) - this.#generators;
    if (calls > 0 || this.#generators > before) {
      violation(`the servers have ${String(calls)} calls and ${String(this.#generators - before)} streams of nobody`);
    }
  }

  /** In quiet, where no lost line brings another chance: who was live before the server failed is live again after it. */
  async #failToAuthorize(): Promise<void> {
    const world = this.#world;
    world.authorizeFailsUntil = world.clock.now + 8_000;
    for (const socket of [...world.network.sockets]) if (socket.isLive) world.network.cutNow(socket);
    await this.#pass(50_000);
    this.#ring();
    await this.#pass(10_000);
    for (const { listeners } of world.users) {
      for (const listener of listeners) if (listener.state !== 'ended') listener.checkAtHead();
    }
  }

  /** What the library folded is what the app committed. */
  #checkStates({ client, listeners }: User): void {
    for (const id of ['a', 'b']) {
      const listener = [...listeners].find(({ topic, state }) => topic === `boards/${id}` && state === 'live');
      listener?.checkState(client.board({ id }).state.get(), 'the folded state comes');
    }
  }

  /** Somebody else logs in elsewhere, in quiet: the next refresh of the credentials finds it out. */
  async #changeCookies(actions: readonly UserActions[]): Promise<void> {
    const { users, plan } = this.#world;
    if (plan.identities !== 'cookie') return;
    for (const user of users) user.drift('dora');
    await this.#pass(plan.tokenLifeMs + 10_000);
    for (const action of actions) action.prove(4);
    // The clients that the pages were before are forgotten by then.
    await this.#pass(plan.windowMs + 10_000);
  }

  /** Somebody has a copy of each page's memory. Nothing that was settled runs again, and the pages get over it. */
  async #impersonate(): Promise<void> {
    const { users, network, plan, violation } = this.#world;
    if (plan.identities === 'cookie') return;
    const impostors: Impostor[] = [];
    for (const { process, said } of users) {
      const socket = [...network.sockets].find((one) => one.process === process && one.isLive);
      const hello = network.rules.hellos.get(process.name);
      if (socket?.host === undefined || hello === undefined) continue;
      const messages = [...said]
        .filter(([id]) => network.rules.isSettled(hello.client, Number(id)))
        .map(([, message]) => message);
      const impostor = new Impostor(socket.host, { ...hello, n: hello.n + 100, floor: [1] });
      impostors.push(impostor);
      await this.#pass(plan.authMs + 100);
      for (const message of messages) impostor.say(message);
      await this.#pass(1_000);
      const heard = impostor.answers.filter((code) => code === 'UNKNOWN_OUTCOME').length;
      if (impostor.closedWith === undefined && heard < messages.length) {
        violation(
          `a copy of ${process.name} said ${String(messages.length)} settled ids again, and got ${impostor.answers.join()}`,
        );
      }
    }
    await this.#pass(30_000);
    for (const { connection, process } of users) {
      const { state } = connection.status;
      if (state !== 'connected') violation(`${process.name} is ${state} some time after its client was taken over`);
    }
    for (const impostor of impostors) impostor.leave();
    await this.#pass(plan.windowMs + 1_000);
  }

  #checkForgotten(): void {
    const { users, violation } = this.#world;
    const clients = this.#sum((stats) => stats.clients);
    if (clients !== users.length) {
      violation(`the servers remember ${String(clients)} clients of ${String(users.length)} after the window`);
    }
    if (this.#generators > 0) violation(`${String(this.#generators)} streams go on at the servers after the window`);
  }

  async #checkEnd(): Promise<void> {
    const { users, servers, clock, network, violation } = this.#world;
    // Its timer belongs to whoever published first.
    this.#world.closeBroker();
    for (const { connection, process } of users) {
      if (connection.status.state !== 'closed') violation(`${process.name} is ${connection.status.state} after close`);
      const { queued, inFlight, subscriptions } = connection.stats();
      if (queued.messages + inFlight + subscriptions > 0)
        violation(`${process.name} keeps ${JSON.stringify(connection.stats())}`);
      const timers = clock.timersOf(process);
      if (timers !== 0) violation(`${process.name} has ${String(timers)} timers after close`);
    }
    for (const node of servers) {
      const { server } = node;
      const { peers, clients, calls, subscriptions, buffered } = server.stats();
      if (peers + clients + calls + subscriptions + buffered.total > 0) {
        violation(`a server without clients has ${JSON.stringify(server.stats())}`);
      }
      void node.close();
    }
    await this.#pass(1_000);
    const timers = this.#world.serverTimers;
    if (timers !== 0) violation(`the servers have ${String(timers)} timers after close`);
    const served = [...network.sockets].filter(({ isServed }) => isServed);
    if (served.length > 0) violation(`the servers were not told that ${served.map(({ name }) => name).join()} is over`);
  }

  get #generators(): number {
    return this.#world.servers.reduce((sum, { generators }) => sum + generators, 0);
  }

  #sum(read: (stats: ServerStats) => number): number {
    return this.#world.servers.reduce((sum, { server }) => sum + read(server.stats()), 0);
  }

  #totals(): Totals {
    const { network, ledger, publications, users, clock } = this.#world;
    const { cuts, frames, lost } = network;
    const totals: Totals = {
      cuts,
      troubles: Object.values(this.#faults.counts).reduce((sum, count) => sum + count, 0),
      frames,
      lost,
      calls: ledger.counts.calls,
      answered: ledger.counts.ok,
      unknown: ledger.counts.unknown,
      publications: publications.count,
      heard: 0,
      resumed: 0,
      resent: 0,
      gaps: 0,
      steps: clock.steps,
      virtualMs: clock.now,
    };
    for (const user of users) {
      for (const listener of [...user.listeners]) user.forget(listener);
      totals.heard += user.past.heard;
      totals.resumed += user.past.resumed;
      totals.resent += user.past.resent;
      totals.gaps += user.past.gaps;
    }
    return totals;
  }
}

import type { SimulatedSocket } from './network.ts';
import type { World } from './world.ts';

/** Everything that goes wrong around clients and servers, drawn at random. */
export class Faults {
  readonly #world: World;
  readonly counts = {
    stalls: 0,
    slow: 0,
    freezes: 0,
    deaths: 0,
    restarts: 0,
    epochs: 0,
    gateways: 0,
    failures: 0,
    rolls: 0,
    store: 0,
  };

  constructor(world: World) {
    this.#world = world;
  }

  start(): void {
    const { store } = this.#world.plan;
    this.#troubleLines();
    if (store === undefined) return;
    this.#troubleStore(store.faultMs);
    this.#replicate();
  }

  #troubleLines(): void {
    const { clock, random, plan, isCalm } = this.#world;
    // Troubles belong to nobody, and nothing holds them up.
    clock.after(random.pause(plan.faultMs), { name: 'trouble', frozenUntil: 0 }, () => {
      if (isCalm()) return;
      this.#one();
      this.#troubleLines();
    });
  }

  /** What the servers remember calls in has troubles of its own. */
  #troubleStore(faultMs: number): void {
    const { clock, random, redis, isCalm, trace } = this.#world;
    clock.after(random.pause(faultMs), { name: 'trouble', frozenUntil: 0 }, () => {
      if (isCalm()) return;
      this.counts.store++;
      trace(redis!.trouble());
      this.#troubleStore(faultMs);
    });
  }

  /** The replica hears of what happened, now and then. */
  #replicate(): void {
    const { clock, random, redis, isCalm } = this.#world;
    clock.after(random.pause(300), { name: 'trouble', frozenUntil: 0 }, () => {
      if (isCalm()) return;
      redis!.replicate();
      this.#replicate();
    });
  }

  #one(): void {
    const { plan, random } = this.#world;
    random.weighted<() => void>([
      [60, () => this.#withSocket((socket) => this.#world.network.cut(socket))],
      [10, () => this.#withSocket((socket) => this.#stall(socket))],
      [5, () => this.#withSocket((socket) => this.#slow(socket))],
      [4, () => this.#freeze()],
      [4, () => this.#withSocket((socket) => this.#gateway(socket))],
      [3, () => this.#restart()],
      [plan.rolls ? 2 : 0, () => this.#roll()],
      [2, () => this.#failBehind()],
      [plan.deaths ? 2 : 0, () => this.#die()],
      [plan.deaths && plan.broker === 'remote' ? 2 : 0, () => this.#loseEpochs()],
    ])();
  }

  #withSocket(act: (socket: SimulatedSocket) => void): void {
    const live = [...this.#world.network.sockets].filter(({ isLive }) => isLive);
    if (live.length > 0) act(this.#world.random.pick(live));
  }

  /** One direction stops for a while. What is under way, a greeting too, arrives when newer sockets have long spoken. */
  #stall({ name, up, down }: SimulatedSocket): void {
    const { random, trace } = this.#world;
    const ms = random.between(50, random.chance(0.5) ? 1_000 : 12_000);
    const line = random.chance(0.6) ? up : down;
    this.counts.stalls++;
    trace(`stall ${name} ${line === up ? 'up' : 'down'} ${String(ms)} ms`);
    line.stall(ms);
  }

  #slow({ name, up, down }: SimulatedSocket): void {
    const { random, clock, trace } = this.#world;
    const line = random.chance(0.8) ? down : up;
    this.counts.slow++;
    trace(`slow ${name} ${line === up ? 'up' : 'down'}`);
    line.bytesPerMs = random.pick([0.1, 0.5, 2]);
    clock.after(random.between(500, 5_000), { name: 'trouble', frozenUntil: 0 }, () => {
      line.bytesPerMs = Infinity;
    });
  }

  #freeze(): void {
    const { random, clock, users, trace } = this.#world;
    const { process } = random.pick(users);
    if (process.frozenUntil > clock.now) return;
    this.counts.freezes++;
    process.frozenUntil = clock.now + random.between(100, random.chance(0.7) ? 1_500 : 15_000);
    trace(`freeze ${process.name} until ${String(process.frozenUntil)}`);
  }

  /** Something between the two ends it with a code of its own. */
  #gateway(socket: SimulatedSocket): void {
    const { random } = this.#world;
    if (socket.readyState !== 1) return;
    this.counts.gateways++;
    this.#world.network.cuts++;
    socket.endByGateway(random.pick([1001, 1005, 1009, 1011, 1012, 1013]));
  }

  /** What the servers ask fails for a while. */
  #failBehind(): void {
    const { random, clock, trace } = this.#world;
    this.counts.failures++;
    this.#world.failsUntil = clock.now + random.between(50, random.chance(0.7) ? 1_000 : 6_000);
    trace(`what is behind the servers fails until ${String(this.#world.failsUntil)}`);
  }

  /** All sockets of a server die, what it remembers does not. */
  #restart(): void {
    const { random, nodes, network } = this.#world;
    const node = random.pick(nodes);
    this.counts.restarts++;
    for (const socket of [...network.sockets]) if (socket.host === node && socket.isLive) network.cut(socket);
  }

  /** A server goes, and says so before. */
  #roll(): void {
    const { random, nodes } = this.#world;
    const index = random.below(nodes.length);
    const { isUp, isDraining } = nodes[index]!;
    if (!isUp || isDraining) return;
    this.counts.rolls++;
    void this.#world.roll(index, random.pick([0, 300, 2_000, 6_000]), random.chance(0.7));
  }

  /** A server dies; another takes its place, which remembers nothing. */
  #die(): void {
    const { random, nodes, network, clock, plan, trace } = this.#world;
    const index = random.below(nodes.length);
    const node = nodes[index]!;
    if (!node.isUp) return;
    this.counts.deaths++;
    this.#world.redis?.serverWent();
    trace(`${node.name} dies`);
    const sockets = [...network.sockets].filter(({ host }) => host === node);
    for (const socket of sockets) network.orphan(socket);
    node.die();
    // The broker in its process goes with it.
    if (plan.nodes === 1 && plan.broker === 'memory' && this.#world.leaving.size === 0 && random.chance(0.5))
      this.#world.newBroker();
    clock.after(random.between(0, 3_000), { name: 'trouble', frozenUntil: 0 }, () => {
      if (!nodes[index]!.isUp) this.#world.startNode(index);
    });
  }

  #loseEpochs(): void {
    const { remote, random, trace } = this.#world;
    this.counts.epochs++;
    for (const name of remote?.names ?? []) {
      if (!random.chance(0.5)) continue;
      trace(`the history of ${name} is lost`);
      remote!.forget(name);
    }
  }
}

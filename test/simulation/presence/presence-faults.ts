import type { Process } from '../clock.ts';
import type { SimulatedSocket } from '../network.ts';
import type { Page } from './page.ts';
import { ROOMS } from './presence-contract.ts';
import type { PresenceWorld } from './presence-world.ts';

const TROUBLE: Process = { name: 'trouble', frozenUntil: 0 };
const MOST_PAGES = 6;

/** What people do, and what goes wrong around them, drawn at random until it is over. */
export class PresenceFaults {
  readonly #world: PresenceWorld;
  cuts = 0;
  #isOver = false;

  constructor(world: PresenceWorld) {
    this.#world = world;
  }

  start(): void {
    const { userMs, faultMs, storeFaultMs } = this.#world.plan;
    this.#repeat(userMs, () => this.#act());
    this.#repeat(faultMs, () => this.#fault());
    if (storeFaultMs < Infinity) {
      this.#repeat(storeFaultMs, () => this.#troubleStore());
      this.#repeat(500, () => this.#world.store?.presences.replicate());
    }
  }

  stop(): void {
    this.#isOver = true;
  }

  #repeat(meanMs: number, run: () => void): void {
    const { clock, random } = this.#world;
    clock.after(random.pause(meanMs), TROUBLE, () => {
      if (this.#isOver) return;
      run();
      this.#repeat(meanMs, run);
    });
  }

  #act(): void {
    const { clock, pages, random } = this.#world;
    const openPage = (): void => this.#world.openPage();
    const there = pages.filter(({ isGone, process }) => !isGone && process.frozenUntil <= clock.now);
    if (there.length === 0) return openPage();
    const page = random.pick(there);
    const room = random.pick(ROOMS);
    const act = random.weighted<() => void>([
      [10, () => page.enter(room)],
      [8, () => page.leave(room)],
      [8, () => page.update(room)],
      [2, () => page.connection.reconnect()],
      [2, () => page.connection.reconnect({ seamless: true })],
      [1, () => this.#sleep(page)],
      [there.length < MOST_PAGES ? 2 : 0, openPage],
      [there.length > 2 ? 2 : 0, () => page.close(random.chance(0.5))],
    ]);
    clock.as(page.process, act);
  }

  #sleep(page: Page): void {
    const { clock, random } = this.#world;
    page.connection.suspend();
    clock.after(random.between(100, 8_000), page.process, () => {
      if (!page.isGone) page.connection.wake();
    });
  }

  #fault(): void {
    const { random, plan, nodes } = this.#world;
    const index = random.below(nodes.length);
    random.weighted<() => void>([
      [20, () => this.#cut()],
      [4, () => this.#freeze()],
      [2, () => this.#cutAll(index)],
      [plan.deaths ? 2 : 0, () => this.#die(index)],
      [plan.deaths ? 2 : 0, () => this.#roll(index)],
    ])();
  }

  #cut(): void {
    const { network, random } = this.#world;
    const live = [...network.sockets].filter(({ isLive }) => isLive);
    if (live.length > 0) this.#cutOne(random.pick(live));
  }

  #cutOne(socket: SimulatedSocket): void {
    const { network } = this.#world;
    this.cuts++;
    this.#lost(socket);
    network.cut(socket);
  }

  #lost({ process }: SimulatedSocket): void {
    for (const page of this.#world.pages) if (page.process === process) page.lose();
  }

  #socketsOf(index: number): readonly SimulatedSocket[] {
    const { network, nodes } = this.#world;
    return [...network.sockets].filter(({ host }) => host === nodes[index]);
  }

  #cutAll(index: number): void {
    for (const socket of this.#socketsOf(index)) if (socket.isLive) this.#cutOne(socket);
  }

  #freeze(): void {
    const { random, clock, pages, trace } = this.#world;
    const page = random.pick(pages);
    const { process } = page;
    if (page.isGone || process.frozenUntil > clock.now) return;
    process.frozenUntil = clock.now + random.between(100, random.chance(0.7) ? 1_500 : 15_000);
    page.lose();
    trace(`${process.name} is frozen until ${String(process.frozenUntil)}`);
  }

  #die(index: number): void {
    const { nodes, network, clock, random, trace } = this.#world;
    const node = nodes[index]!;
    if (!node.isUp || node.isDraining) return;
    trace(`${node.name} dies`);
    for (const socket of this.#socketsOf(index)) {
      this.#lost(socket);
      network.orphan(socket);
    }
    node.die();
    clock.after(random.between(0, 3_000), TROUBLE, () => this.#world.startNode(index));
  }

  #roll(index: number): void {
    const { nodes, random } = this.#world;
    const { isUp, isDraining } = nodes[index]!;
    if (isUp && !isDraining) void this.#world.roll(index, random.pick([0, 300, 2_000]));
  }

  /** The store, or the broker, is away for a while. */
  #troubleStore(): void {
    const world = this.#world;
    const { random, clock, plan, store, trace } = world;
    const ms = random.between(50, random.chance(0.6) ? 800 : 2 * plan.leaseMs);
    // A server that was taken for dead meanwhile finds out when it renews its lease.
    world.troubledUntil = Math.max(world.troubledUntil, clock.now + ms + plan.leaseMs + plan.timeoutMs + 3_000);
    if (store !== undefined && random.chance(0.7)) return trace(store.trouble(ms));
    world.brokerFails = random.pick(['before', 'after']);
    trace(`the broker fails ${world.brokerFails} it publishes, for ${String(ms)} ms`);
    clock.after(ms, TROUBLE, () => (world.brokerFails = undefined));
  }
}

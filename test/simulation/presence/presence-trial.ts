import type { Page } from './page.ts';
import { ROOMS } from './presence-contract.ts';
import { PresenceFaults } from './presence-faults.ts';
import { PresenceWorld } from './presence-world.ts';

/** What happened in a world of people in rooms. */
export interface PresenceTotals {
  cuts: number;
  told: number;
  left: number;
  pages: number;
  steps: number;
}

/** Lets one world live: people come and go amid trouble, then calm, then they leave; with all that has to be true then. */
export async function presenceTrial(
  seed: number,
  traced?: string[],
): Promise<{ violations: readonly string[]; totals: PresenceTotals }> {
  const world = new PresenceWorld(seed, traced);
  const rejected = (error: unknown): void => world.violation(`a rejection that nobody handles: ${String(error)}`);
  process.on('unhandledRejection', rejected);
  using _clock = world.clock.install();
  try {
    return await new PresenceTrial(world).run();
  } finally {
    process.off('unhandledRejection', rejected);
  }
}

class PresenceTrial {
  readonly #world: PresenceWorld;
  readonly #faults: PresenceFaults;

  constructor(world: PresenceWorld) {
    this.#world = world;
    this.#faults = new PresenceFaults(world);
  }

  async run(): Promise<{ violations: readonly string[]; totals: PresenceTotals }> {
    const { plan, violations, pages, clock, counts } = this.#world;
    this.#world.open();
    this.#faults.start();
    await this.#pass(plan.troubleMs);
    this.#faults.stop();
    for (const page of pages) if (!page.isGone) clock.after(4_000, page.process, () => page.connection.wake());
    await this.#rest();
    if (violations.length === 0) await this.#checkRooms();
    for (const page of pages) if (!page.isGone) await this.#speak(page);
    if (violations.length === 0) await this.#checkRooms();
    for (const page of pages) if (!page.isGone) await this.#go(page);
    await this.#rest();
    if (violations.length === 0) await this.#checkRooms();
    if (violations.length === 0) await this.#checkEnd();
    const { cuts } = this.#faults;
    return { violations, totals: { cuts, ...counts, pages: pages.length, steps: clock.steps } };
  }

  async #pass(ms: number): Promise<void> {
    const { clock, violations } = this.#world;
    await clock.run(clock.now + ms, () => violations.length > 0);
  }

  /** Until whoever is gone has left: a page that froze is back, and a server that died has been answered for. */
  async #rest(): Promise<void> {
    const { graceMs, leaseMs, heartbeatMs, timeoutMs } = this.#world.plan;
    await this.#pass(15_000 + graceMs + 3 * leaseMs + 2 * heartbeatMs + 2 * timeoutMs + 6_000);
  }

  async #checkRooms(): Promise<void> {
    const world = this.#world;
    for (const room of ROOMS) {
      for (const page of world.pages) {
        if (!page.isGone) world.checkRoom(room, page.process.name, page.state(room));
      }
      for (const { name, server } of world.nodes) {
        void server
          .topic('here', { id: room })
          .read()
          .then(({ state }) => world.checkRoom(room, name, state));
      }
    }
    await this.#pass(2_000);
  }

  /** In quiet, what was said last is what is seen. */
  async #speak(page: Page): Promise<void> {
    const { clock } = this.#world;
    for (const room of ROOMS) {
      if (!page.isIn(room)) clock.as(page.process, () => page.enter(room));
      else clock.as(page.process, () => page.update(room));
    }
    await this.#pass(3_000);
    for (const room of ROOMS) {
      const word = page.state(room)?.find(({ id }) => id === page.user)?.info.word;
      if (word === page.word(room)) continue;
      this.#world.violation(`${page.process.name} says ${String(page.word(room))}, and is seen to say ${String(word)}`);
    }
  }

  /** One after the other they go, each in a way of its own. */
  async #go(page: Page): Promise<void> {
    const { clock, random } = this.#world;
    if (random.chance(0.3)) {
      for (const room of ROOMS) while (page.isIn(room)) clock.as(page.process, () => page.leave(room));
    } else page.close(random.chance(0.5));
    await this.#pass(random.below(3_000));
  }

  /** Nothing is left of anybody: in the store, of timers, of sockets. */
  async #checkEnd(): Promise<void> {
    const { pages, clock, nodes, servers, store, violation, plan } = this.#world;
    const left = store?.presences.left ?? [];
    if (left.length > 0) violation(`the store has ${left.join()} when everybody is gone`);
    if (store !== undefined && store.presences.leases !== nodes.length)
      violation(`the store has ${String(store.presences.leases)} leases of ${String(nodes.length)} servers`);
    for (const page of pages) if (!page.isGone) page.close(true);
    await this.#pass(4 * plan.graceMs + 3 * plan.heartbeatMs + 5_000);
    for (const { connection, process } of pages) {
      if (process.frozenUntil < Infinity && clock.timersOf(process) > 0)
        violation(`${process.name} has ${String(clock.timersOf(process))} timers after ${connection.status.state}`);
    }
    for (const node of servers) void node.close();
    await this.#pass(1_000);
    if (this.#world.serverTimers > 0)
      violation(`the servers have ${String(this.#world.serverTimers)} timers after close`);
  }
}

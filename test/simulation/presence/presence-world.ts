import type { Position, PresenceEvent } from '../../../src/index.ts';
import { Clock, type Process } from '../clock.ts';
import { Network } from '../network.ts';
import { Random } from '../random.ts';
import { RemoteBroker } from '../remote-broker.ts';
import { Page } from './page.ts';
import { topicOf, type Info, type RoomId } from './presence-contract.ts';
import { PresenceNode } from './presence-node.ts';
import { drawPresencePlan, type PresencePlan } from './presence-plan.ts';
import { SharedPresences } from './shared-presences.ts';

const SERVERS: Process = { name: 'servers', frozenUntil: 0 };
const USERS = ['ann', 'bob', 'cleo'];

/** Shorter than what anybody may notice by so much, ms: timers, lines and renewals come late. */
const MARGIN_MS = 500;
/** What a change takes to be told, at most, while nothing is wrong, ms. */
const TELLING_MS = 4_000;

/** Servers, a store of presences, and pages of people who come and go, all drawn from one seed. */
export class PresenceWorld {
  readonly plan: PresencePlan;
  readonly random: Random;
  readonly clock: Clock;
  readonly network: Network;
  readonly pages: Page[] = [];
  readonly nodes: PresenceNode[] = [];
  readonly leaving: Set<PresenceNode> = new Set();
  readonly violations: string[] = [];
  readonly store: SharedPresences | undefined;
  readonly broker: RemoteBroker | undefined;
  brokerFails: 'before' | 'after' | undefined;
  /** Of the store and the broker, ended then, ms. */
  troubledUntil = -Infinity;
  /** What was told, and that somebody left. */
  readonly counts = { told: 0, left: 0 };
  readonly #traced: string[] | undefined;
  readonly #known = new Map<string, Promise<Position>>();
  #words = 0;
  #lives = 0;

  constructor(seed: number, traced?: string[]) {
    this.#traced = traced;
    this.random = new Random(seed + 7_000_000);
    this.plan = drawPresencePlan(this.random);
    SERVERS.frozenUntil = 0;
    const { plan, random } = this;
    this.clock = new Clock(random, SERVERS);
    if (plan.isShared) {
      this.store = new SharedPresences(plan, this.clock, random, SERVERS, this.lost);
      this.broker = new RemoteBroker(this.clock, random, SERVERS, 200, () => undefined);
    }
    this.network = new Network({
      clock: this.clock,
      random,
      servers: SERVERS,
      quality: { latencyMs: plan.latencyMs, kernelBytes: 1_000 },
      route: () => random.pick(this.nodes),
      lostCloses: () => plan.lostCloses,
      splits: false,
      skipped: () => 0,
      tellsDrained: true,
      trace: this.trace,
      violation: this.violation,
    });
  }

  open(): void {
    for (let index = 0; index < this.plan.nodes; index++) this.startNode(index);
    for (let index = 0; index < this.plan.users; index++) this.openPage(USERS[index]);
  }

  /** Nobody may see somebody gone who is back so soon, ms. */
  get quietMs(): number {
    const { graceMs, leaseMs, isShared, deaths } = this.plan;
    // A server that dies has just renewed its lease, or is about to.
    if (!deaths) return graceMs - MARGIN_MS;
    return isShared ? Math.min(graceMs, (leaseMs * 2) / 3) - MARGIN_MS : 0;
  }

  /** Something is wrong with the store or the broker, or was just now. */
  get hasTrouble(): boolean {
    return this.clock.now < this.troubledUntil;
  }

  /** Timers that the library has running in the servers. */
  get serverTimers(): number {
    return this.clock.timersOf(SERVERS);
  }

  get servers(): readonly PresenceNode[] {
    return [...this.nodes, ...this.leaving];
  }

  readonly violation = (text: string): void => {
    this.trace(`VIOLATION ${text}`);
    this.violations.push(`${String(Math.round(this.clock.now))} ms: ${text}`);
  };

  readonly trace = (text: string): void => {
    this.#traced?.push(`${String(Math.round(this.clock.now)).padStart(6)} ${text}`);
  };

  nextWord(): number {
    return ++this.#words;
  }

  openPage(user = this.random.pick(USERS.slice(0, this.plan.users))): void {
    this.pages.push(new Page(this, `page${String(this.pages.length)}.${user}`, user));
  }

  startNode(index: number): void {
    const name = `node${String(index)}.${String(++this.#lives)}`;
    this.nodes[index] = this.clock.as(SERVERS, () => new PresenceNode(this, name));
    this.trace(`${name} begins`);
  }

  /** A server goes as planned: its successor is there before it, or comes when it has gone. */
  async roll(index: number, withinMs: number): Promise<void> {
    const node = this.nodes[index]!;
    this.trace(`${node.name} drains within ${String(withinMs)} ms`);
    if (this.plan.isShared) {
      this.leaving.add(node);
      this.startNode(index);
    }
    await node.drain(withinMs);
    this.trace(`${node.name} has gone`);
    this.leaving.delete(node);
    if (this.nodes[index] === node) this.startNode(index);
  }

  /** What was published by a key before. */
  known(topic: string, key: string | undefined): Promise<Position> | undefined {
    return key === undefined ? undefined : this.#known.get(`${topic} ${key}`);
  }

  /** The store has lost something. */
  readonly lost = (): void => {
    if (!this.plan.isOneRedis) return;
    this.#known.clear();
    for (const name of this.broker?.names ?? []) this.broker!.forget(name);
  };

  know(topic: string, key: string | undefined, position: Promise<Position>): void {
    if (key !== undefined) this.#known.set(`${topic} ${key}`, position);
  }

  /** A server tells something of somebody: that he left has to have a reason. */
  told(topic: string, { type, member }: PresenceEvent<Info>, node: string): void {
    this.trace(
      `${node} tells in ${topic}: ${type} ${member.id} ${String(member.info.word)} ${String(member.connections)}`,
    );
    this.counts.told++;
    if (type !== 'left') return;
    this.counts.left++;
    const room = topic.split('/')[1] as RoomId;
    for (const page of this.pages) {
      const since = page.user === member.id ? page.presentSince(room, this.quietMs) : undefined;
      if (since === undefined || this.clock.now - Math.max(since, this.troubledUntil) < TELLING_MS) continue;
      this.violation(`${node} tells that ${member.id} has left ${topic}, where ${page.process.name} is`);
    }
  }

  /** Who is in a room by what the pages want, in order. */
  present(
    room: RoomId,
  ): ReadonlyArray<{ readonly id: string; readonly connections: number; words: readonly number[] }> {
    return USERS.flatMap((id) => {
      const words = this.pages.filter((page) => page.user === id && page.isIn(room)).map((page) => page.word(room)!);
      return words.length === 0 ? [] : [{ id, connections: words.length, words }];
    });
  }

  /** What a room shows is who is there: each once, with all his connections, and what he said last. */
  checkRoom(room: RoomId, who: string, shown: ReturnType<Page['state']>): void {
    const wanted = this.present(room);
    const short = (all: ReadonlyArray<{ id: string; connections: number }> | undefined): string =>
      all === undefined
        ? 'nothing'
        : `[${all
            .map(({ id, connections }) => `${id} ${String(connections)}`)
            .sort()
            .join(', ')}]`;
    if (short(shown) !== short(wanted))
      return this.violation(`${who} sees ${short(shown)} in ${topicOf(room)}, where ${short(wanted)} are`);
    for (const { id, words } of wanted) {
      const { word } = shown!.find((one) => one.id === id)!.info;
      if (!words.includes(word)) this.violation(`${who} sees that ${id} says ${String(word)} in ${topicOf(room)}`);
    }
  }
}

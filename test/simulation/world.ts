import { memoryBroker } from '../../src/server/index.ts';
import type { Broker } from '../../src/server/index.ts';
import { identityName } from '../../src/server/peers/identity-name.ts';
import { Clock } from './clock.ts';
import type { Process } from './clock.ts';
import type { Fact } from './contract.ts';
import { Ledger } from './ledger.ts';
import { Network } from './network.ts';
import { drawPlan } from './plan.ts';
import type { Plan } from './plan.ts';
import { Publications } from './publications.ts';
import { Random } from './random.ts';
import { RemoteBroker } from './remote-broker.ts';
import { ServerNode, SERVERS } from './server-node.ts';
import { SimulatedRedis } from './simulated-redis.ts';
import { TOPICS, User } from './user.ts';

/** Servers, a broker, pages and a network, all drawn from one seed. */
export class World {
  readonly plan: Plan;
  readonly random: Random;
  readonly clock: Clock;
  readonly network: Network;
  readonly ledger: Ledger;
  readonly publications: Publications = new Publications();
  readonly users: User[] = [];
  readonly nodes: ServerNode[] = [];
  /** What should never happen, and did. */
  readonly violations: string[] = [];
  /** Servers that drain: others have taken their places. */
  readonly leaving: Set<ServerNode> = new Set();
  /** What is behind the servers fails until then, ms. */
  failsUntil = 0;
  /** `authorize` alone fails until then, ms. */
  authorizeFailsUntil = 0;
  remote: RemoteBroker | undefined;
  /** What the servers remember calls in together, if they do. */
  readonly redis: SimulatedRedis | undefined;
  readonly #traced: string[] | undefined;
  #memory: Broker | undefined;
  #calm = false;
  #tokens = 0;
  #lives = 0;

  constructor(seed: number, sharesCalls: boolean, traced?: string[]) {
    this.#traced = traced;
    this.random = new Random(seed);
    this.plan = drawPlan(seed, this.random, sharesCalls);
    const { plan, random } = this;
    SERVERS.frozenUntil = 0;
    this.clock = new Clock(random, SERVERS);
    this.ledger = new Ledger(() => this.clock.now, this.violation);
    if (plan.store !== undefined) this.redis = new SimulatedRedis(plan.store, this.clock, random, SERVERS);
    this.network = new Network({
      clock: this.clock,
      random,
      servers: SERVERS,
      quality: { latencyMs: plan.latencyMs, kernelBytes: plan.kernelBytes },
      route: () => random.pick(this.nodes),
      lostCloses: () => (this.#calm ? 0 : plan.lostCloses),
      splits: plan.splits,
      skipped: () => (this.#calm ? 0 : plan.skipped),
      tellsDrained: plan.tellsDrained,
      trace: this.trace,
      violation: this.violation,
    });
  }

  /** Begins, on the virtual clock. */
  open(): void {
    const { plan } = this;
    this.newBroker();
    for (let index = 0; index < plan.nodes; index++) this.startNode(index);
    for (let index = 0; index < plan.users; index++) this.users.push(new User(this, index));
  }

  /** Timers that the library has running in the servers. */
  get serverTimers(): number {
    return this.clock.timersOf(SERVERS);
  }

  readonly violation = (text: string): void => {
    this.trace(`VIOLATION ${text}`);
    this.violations.push(`${String(Math.round(this.clock.now))} ms: ${text}`);
  };

  readonly trace = (text: string): void => {
    this.#traced?.push(`${String(Math.round(this.clock.now)).padStart(6)} ${text}`);
  };

  readonly isCalm = (): boolean => this.#calm;

  calm(): void {
    this.#calm = true;
    this.failsUntil = 0;
  }

  nextToken(): number {
    return ++this.#tokens;
  }

  /** The user whom a welcome names. */
  userNamed(identity: string): string {
    return ['anonymous', 'ann', 'bob', 'cleo', 'dora'].find((name) => identityName(name) === identity) ?? identity;
  }

  newBroker(): void {
    const { plan, random, clock } = this;
    this.closeBroker();
    if (plan.broker === 'memory') this.#memory = memoryBroker({ history: { size: plan.historySize } });
    else {
      this.remote = new RemoteBroker(clock, random, SERVERS, plan.historySize, (name, position, payload) => {
        this.publications.add(name, position, JSON.parse(payload) as Fact);
      });
    }
  }

  /** The app is done with it. */
  closeBroker(): void {
    void this.#memory?.close();
  }

  startNode(index: number): void {
    const name = `node${String(index)}.${String(++this.#lives)}`;
    // Whoever ended the one before: its timers are the servers'.
    this.nodes[index] = this.clock.as(
      SERVERS,
      () => new ServerNode(this, name, this.#memory ?? this.remote!.connect()),
    );
    this.trace(`${name} begins`);
  }

  /** All servers that are there. */
  get servers(): readonly ServerNode[] {
    return [...this.nodes, ...this.leaving];
  }

  /** A server goes as planned: its successor is there before it, or comes when it has gone. */
  async roll(index: number, withinMs: number, successorFirst: boolean): Promise<void> {
    const node = this.nodes[index]!;
    this.trace(`${node.name} drains within ${String(withinMs)} ms`);
    this.redis?.serverWent();
    if (successorFirst) {
      this.leaving.add(node);
      this.startNode(index);
    }
    await node.drain(withinMs);
    this.redis?.serverWent();
    this.trace(`${node.name} has gone`);
    this.leaving.delete(node);
    if (this.nodes[index] === node) this.startNode(index);
  }

  /** The app publishes something, somewhere. */
  publish(): void {
    const up = this.nodes.filter(({ isUp }) => isUp);
    if (up.length === 0) return;
    const [path, id] = this.random.pick(TOPICS);
    this.random.pick(up).publish(path, id, this.fact());
  }

  /** Some time in the life of a process. */
  pause(ms: number, process: Process): Promise<void> {
    return new Promise((resolve) => {
      this.clock.after(ms, process, resolve);
    });
  }

  fact(): Fact {
    return { token: this.nextToken(), key: `k${String(this.random.below(6))}`, value: 0 };
  }
}

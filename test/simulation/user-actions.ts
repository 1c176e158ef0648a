import { isTautlineError } from '../../src/index.ts';
import type { Position, TautlineError } from '../../src/index.ts';
import { ballast, refusesAgain } from './contract.ts';
import type { Answer, Ask, Fact, TopicPath, Way } from './contract.ts';
import type { Listener } from './listener.ts';
import type { Attempt } from './ledger.ts';
import { loopOverEvents } from './user-loops.ts';
import { leaveStreams, readStream } from './user-streams.ts';
import { TOPICS } from './user.ts';
import type { User } from './user.ts';
import type { World } from './world.ts';

const MAX_LISTENERS = 8;
/** Longest deadline of a call, ms. */
const LONGEST_CALL_MS = 30_000;

/** What the user of a page does, drawn at random. */
export class UserActions {
  readonly #world: World;
  readonly #user: User;

  constructor(world: World, user: User) {
    this.#world = world;
    this.#user = user;
  }

  start(): void {
    const { clock, random, plan, isCalm } = this.#world;
    clock.after(random.pause(plan.userMs), this.#user.process, () => {
      if (isCalm()) return;
      this.#one();
      this.start();
    });
  }

  /** Streams that are left, in quiet. */
  leaveStreams(): Promise<void> {
    return leaveStreams(this.#world, this.#user, () => this.#attempt('tail', 'plain', 20_000));
  }

  /** Calls that end well, whatever was before, though their socket breaks. */
  prove(count: number): void {
    for (let index = 0; index < count; index++) {
      this.#call(index % 2 === 0 ? 'look' : 'act', 'plain', { timeoutMs: 20_000, isProof: true });
    }
    const { clock, network, random, plan } = this.#world;
    clock.after(random.below(plan.latencyMs[1] + 1), this.#user.process, () => {
      for (const socket of network.sockets) {
        if (socket.process === this.#user.process && socket.isLive) network.cutNow(socket);
      }
    });
  }

  #one(): void {
    const { random, plan } = this.#world;
    const rest = plan.restless ? 1 : 0;
    random.weighted<() => void>([
      [18, () => this.#call('look', this.#way())],
      [25, () => this.#call('act', this.#way())],
      [8, () => this.#call('put', this.#way())],
      [12, () => this.#publish()],
      [5, () => this.#publishLossy()],
      [4, () => this.#readStream()],
      [3, () => this.#loop()],
      [12, () => this.#listen()],
      [9, () => this.#unlisten()],
      [4, () => this.#listenAgain()],
      [2, () => this.#burst()],
      [0.5, () => this.#flood()],
      [1, () => this.#user.connection.wake()],
      [plan.identities === 'tokens' ? 1 : 0, () => this.#user.login(random.pick(['ann', 'bob']))],
      [plan.identities === 'cookie' ? 1 : 0, () => this.#user.drift(random.pick(['ann', 'bob']))],
      [rest, () => this.#user.connection.reconnect()],
      [plan.moves ? 3 : 0, () => this.#user.connection.reconnect({ seamless: true })],
      [plan.moves ? 1 : 0, () => this.#moveWithParts()],
      [rest, () => this.#suspend()],
      [rest / 2, () => this.#leave()],
    ])();
  }

  #way(): Way {
    return this.#world.random.weighted<Way>([
      [60, 'plain'],
      [10, 'deaf'],
      [4, 'hang'],
      [6, 'refuse'],
      [3, 'crash'],
    ]);
  }

  #timeoutMs(): number {
    const { random } = this.#world;
    return random.weighted<() => number>([
      [2, () => random.between(50, 500)],
      [4, () => random.between(1_000, 5_000)],
      [4, () => random.between(5_000, 30_000)],
    ])();
  }

  #attempt(kind: Attempt['kind'], way: Way, timeoutMs: number): Attempt {
    const { clock, ledger, plan } = this.#world;
    const user = this.#user;
    const { era, memories, leaves } = user;
    const { tooLarge } = this.#world.network;
    const acts = kind !== 'look' && kind !== 'put';
    const troubles = this.#world.redis?.troubles() ?? (() => 0);
    const attempt: Attempt = {
      token: this.#world.nextToken(),
      kind,
      way,
      process: user.process,
      era,
      identity: user.identity,
      identityMayDrift: plan.identities === 'cookie',
      deadlineAt: clock.now + timeoutMs,
      memories: () => user.memories - memories,
      troubles,
      memory: () => user.memories,
      mayEnd: ({ code, outcome, message }: TautlineError) => {
        if (code === 'DISCONNECTED') return outcome === 'unknown' && acts && this.#isForgotten(attempt);
        if (code === 'UNAUTHENTICATED') return plan.identities !== 'none' && (user.era !== era || user.leaves > leaves);
        if (code === 'TOO_LARGE')
          return (outcome === 'unknown' || kind === 'look') && this.#world.network.tooLarge > tooLarge;
        if (code === 'UNKNOWN_OUTCOME') return plan.isTight || this.#isElsewhere(attempt, message);
        // The reader of a stream hears of it behind the items that were here.
        if (code === 'CLOSED') return user.closing || (kind === 'tail' && user.leaves > leaves);
        if (code === 'FORBIDDEN' || code === 'INTERNAL') return kind === 'publish';
        if (code === 'REFUSED') return kind === 'put' && refusesAgain(attempt.token);
        return code === 'RATE_LIMITED';
      },
      aborted: false,
      hearsLate: false,
      isProof: false,
      begun: 0,
      done: 0,
      result: 'pending',
    };
    ledger.made(attempt);
    return attempt;
  }

  /** The server that the page speaks to remembers nothing of it: it was sent to another memory. */
  #isForgotten({ token, memories, hearsLate, troubles }: Attempt): boolean {
    const { redis, plan } = this.#world;
    // What servers remember together is everywhere.
    if (redis !== undefined && troubles() === 0 && plan.windowMs > LONGEST_CALL_MS) {
      return redis.isForeign(this.#user.memoryOf(token));
    }
    return memories() > 0 && (hearsLate || !this.#user.isRemembered(token));
  }

  /**
   * A stream is on the server that made it. Where a server went, or could not say that it lives, nobody knows of its calls;
   * nor where it has seen nothing of the client for a window. One that has no room for a call does not ask what others know.
   */
  #isElsewhere({ kind, troubles }: Attempt, message: string): boolean {
    const { redis, plan } = this.#world;
    if (redis === undefined) return false;
    const isForgotten = plan.windowMs < LONGEST_CALL_MS && message.includes('no longer remembered');
    return kind === 'tail' || troubles() > 0 || isForgotten || message.includes(': more than ');
  }

  #call(kind: 'look' | 'act' | 'put', way: Way, { timeoutMs = this.#timeoutMs(), isProof = false } = {}): void {
    const { random } = this.#world;
    const attempt = this.#attempt(kind, way, timeoutMs);
    attempt.isProof = isProof;
    const takesMs = random.chance(0.5) ? 0 : random.below(random.chance(0.1) ? 5_000 : 300);
    const beforeMs = random.below(takesMs + 1);
    const { token } = attempt;
    const input: Ask = { token, way, beforeMs, afterMs: takesMs - beforeMs, ...this.#ballast(token) };
    const signal = isProof ? undefined : this.#signal(attempt);
    this.#follow(attempt, this.#user.client[kind](input, { timeoutMs, signal }));
  }

  #signal(attempt: Attempt): AbortSignal | undefined {
    const { random, clock, ledger } = this.#world;
    if (!random.chance(0.1)) return undefined;
    const controller = new AbortController();
    clock.after(random.below(random.chance(0.5) ? 20 : 2_000), this.#user.process, () => {
      ledger.aborted(attempt);
      controller.abort();
    });
    return controller.signal;
  }

  #follow(attempt: Attempt, promise: PromiseLike<Answer | Position>): void {
    const { ledger, publications, violation } = this.#world;
    promise.then(
      (answer) => {
        if (!('token' in answer)) {
          const at = publications.positionOf(attempt.token);
          if (at?.join(':') !== answer.join(':'))
            violation(`publish ${String(attempt.token)} got the position of another`);
        }
        ledger.answered(attempt, 'token' in answer ? answer : undefined);
      },
      (error: unknown) => {
        if (isTautlineError(error)) ledger.failed(attempt, error);
        else violation(`${attempt.kind} ${String(attempt.token)} failed with ${String(error)}`);
      },
    );
  }

  #topic(): readonly [TopicPath, string] {
    return this.#world.random.pick(TOPICS);
  }

  #publish(): void {
    const timeoutMs = this.#timeoutMs();
    const [path, id] = this.#topic();
    const attempt = this.#attempt('publish', 'plain', timeoutMs);
    const signal = this.#signal(attempt);
    this.#follow(attempt, this.#user.client[path]({ id }).publish(this.#fact(attempt.token), { timeoutMs, signal }));
  }

  #publishLossy(): void {
    const { random, ledger } = this.#world;
    const timeoutMs = this.#timeoutMs();
    const [path, id] = this.#topic();
    const attempt = this.#attempt('lossy', 'plain', timeoutMs);
    const conflate = random.pick([undefined, 'one', 'two']);
    this.#user.client[path]({ id })
      .publish(this.#fact(attempt.token, 0.4), { delivery: 'lossy', conflate, timeoutMs })
      .then(
        (outcome) => ledger.dropped(attempt, outcome),
        (error: unknown) => ledger.failed(attempt, error as TautlineError),
      );
  }

  /** Large ones are on their way when the page moves, and small ones follow. */
  #moveWithParts(): void {
    for (let count = 0; count < 3; count++) this.#publishLossy();
    this.#user.connection.reconnect({ seamless: true });
    this.#publishLossy();
  }

  #fact(token: number, largeOnes?: number): Fact {
    return { token, key: `k${String(this.#world.random.below(6))}`, value: 0, ...this.#ballast(token, largeOnes) };
  }

  /** Some are large enough to go in parts; none so large that a socket may be lost over it: then it would be given up. */
  #ballast(token: number, largeOnes = 0.1): Pick<Ask, 'ballast'> {
    const { random } = this.#world;
    if (!random.chance(largeOnes)) return {};
    return { ballast: ballast(token, random.chance(0.05) ? 11_000 : random.between(600, 5_000)) };
  }

  #listen(): void {
    const user = this.#user;
    if (user.closing || user.listeners.size >= MAX_LISTENERS) return;
    user.listen(...this.#topic());
  }

  #unlisten(): void {
    const { listeners } = this.#user;
    if (listeners.size > 0) this.#user.unlisten(this.#world.random.pick([...listeners]));
  }

  /** As a component that is mounted twice. */
  #listenAgain(): void {
    const user = this.#user;
    if (user.closing) return;
    const [path, id] = this.#topic();
    const first = user.listen(path, id);
    const { clock, random } = this.#world;
    const again = (): void => {
      user.unlisten(first);
      if (!user.closing && user.listeners.size < MAX_LISTENERS) user.listen(path, id);
    };
    if (random.chance(0.3)) again();
    else if (random.chance(0.5)) clock.after(random.below(2_000), user.process, again);
    else this.#mountTwice(first, path, id);
  }

  #readStream(): void {
    const { random } = this.#world;
    const attempt = this.#attempt('tail', 'plain', this.#timeoutMs());
    const count = random.between(1, 80);
    const readMs = random.pick([0, 0, 20, 100, 1_000]);
    attempt.hearsLate = readMs > 0;
    void readStream(this.#world, this.#user, attempt, {
      count,
      itemMs: random.pick([0, 0, 5, 60]),
      readMs,
      leaveAfter: random.chance(0.2) ? random.between(1, count) : Infinity,
      ...(random.chance(0.2) && { leaveAfterMs: random.below(1_000) }),
    });
  }

  #loop(): void {
    const { random } = this.#world;
    if (this.#user.closing) return;
    const [path, id] = this.#topic();
    void loopOverEvents(this.#world, this.#user, {
      path,
      id,
      buffer: random.pick([1, 3, 20, 256]),
      readMs: random.pick([0, 20, 300, 2_000]),
      count: random.between(1, 60),
      takesGaps: random.chance(0.6),
    });
  }

  /** Leaves, and comes back when the topic was just given up, while the first answer is still under way. */
  #mountTwice(first: Listener, path: TopicPath, id: string): void {
    const { clock, random, network } = this.#world;
    const user = this.#user;
    for (const { process, readyState, down } of network.sockets) {
      if (process === user.process && readyState === 1) down.stall(random.between(1_100, 2_000));
    }
    user.unlisten(first);
    clock.after(random.between(1_000, 1_200), user.process, () => {
      if (!user.closing && user.listeners.size < MAX_LISTENERS) user.listen(path, id);
    });
  }

  #burst(): void {
    const count = this.#world.random.between(10, 40);
    for (let index = 0; index < count; index++) {
      if (index % 4 === 3) this.#publish();
      else this.#call(index % 4 === 0 ? 'look' : 'act', this.#way());
    }
  }

  /** Asks for more and more, and gives up each time; the handlers do not. */
  #flood(): void {
    const { clock, plan } = this.#world;
    const { process, client } = this.#user;
    for (let round = 0; round < 5; round++) {
      clock.after(round * 150, process, () => {
        for (let index = 0; index < plan.calls; index++) {
          const attempt = this.#attempt(index % 2 === 0 ? 'look' : 'act', 'deaf', 130);
          const input: Ask = { token: attempt.token, way: 'deaf', beforeMs: 3_000, afterMs: 0 };
          this.#follow(attempt, client[attempt.kind as 'look' | 'act'](input, { timeoutMs: 130 }));
        }
      });
    }
  }

  #suspend(): void {
    const { clock, random, isCalm } = this.#world;
    const user = this.#user;
    if (user.closing || user.suspended) return;
    user.suspended = true;
    user.connection.suspend();
    clock.after(random.between(100, 6_000), user.process, () => {
      if (user.suspended && !isCalm()) user.comeBack();
    });
  }

  #leave(): void {
    const { clock, random, isCalm } = this.#world;
    const user = this.#user;
    if (user.closing) return;
    user.closing = true;
    user.suspended = false;
    const options = random.chance(0.5) ? { drain: true, timeoutMs: random.between(100, 3_000) } : {};
    void user.connection.close(options).then(() => {
      for (const listener of [...user.listeners]) user.forget(listener);
      clock.after(random.below(2_000), user.process, () => {
        if (!isCalm() && user.connection.status.state === 'closed') user.comeBack();
      });
    });
  }
}

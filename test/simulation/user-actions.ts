import { isTautlineError } from '../../src/index.ts';
import type { Position, TautlineError } from '../../src/index.ts';
import type { Answer, Ask, TopicPath, Way } from './contract.ts';
import type { Attempt } from './ledger.ts';
import { TOPICS } from './user.ts';
import type { User } from './user.ts';
import type { World } from './world.ts';

const MAX_LISTENERS = 8;

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

  /** Calls that end well, whatever was before. */
  prove(count: number): void {
    for (let index = 0; index < count; index++) {
      this.#call(index % 2 === 0 ? 'look' : 'act', 'plain', { timeoutMs: 20_000, mayAbort: false });
    }
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
      [12, () => this.#listen()],
      [9, () => this.#unlisten()],
      [4, () => this.#listenAgain()],
      [2, () => this.#burst()],
      [1, () => this.#user.connection.wake()],
      [plan.identities === 'tokens' ? 1 : 0, () => this.#user.login(random.pick(['ann', 'bob']))],
      [plan.identities === 'cookie' ? 0.5 : 0, () => this.#user.drift(random.pick(['ann', 'bob']))],
      [rest, () => this.#user.connection.reconnect()],
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
    const { era, memories } = user;
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
      mayEnd: ({ code, outcome }: TautlineError) => {
        if (code === 'DISCONNECTED')
          return outcome === 'unknown' && (kind === 'act' || kind === 'publish') && this.#forgets(attempt);
        if (code === 'UNAUTHENTICATED') return plan.identities !== 'none' && (user.era !== era || user.closing);
        if (code === 'CLOSED') return user.closing;
        if (code === 'FORBIDDEN') return kind === 'publish';
        return code === 'RATE_LIMITED';
      },
      aborted: false,
      begun: 0,
      done: 0,
      result: 'pending',
    };
    ledger.made(attempt);
    return attempt;
  }

  /** Whether the server may have forgotten the caller since. */
  #forgets({ memories }: Attempt): boolean {
    return memories() > 0 || this.#world.canForget;
  }

  #call(kind: 'look' | 'act' | 'put', way: Way, { timeoutMs = this.#timeoutMs(), mayAbort = true } = {}): void {
    const { random } = this.#world;
    const attempt = this.#attempt(kind, way, timeoutMs);
    const takesMs = random.chance(0.5) ? 0 : random.below(random.chance(0.1) ? 5_000 : 300);
    const beforeMs = random.below(takesMs + 1);
    const input: Ask = { token: attempt.token, way, beforeMs, afterMs: takesMs - beforeMs };
    const signal = mayAbort ? this.#signal(attempt) : undefined;
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
      .publish(this.#fact(attempt.token), { delivery: 'lossy', conflate, timeoutMs })
      .then(
        (outcome) => ledger.dropped(attempt, outcome),
        (error: unknown) => ledger.failed(attempt, error as TautlineError),
      );
  }

  #fact(token: number): { token: number; key: string; value: number } {
    return { token, key: `k${String(this.#world.random.below(6))}`, value: 0 };
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
    if (random.chance(0.5)) again();
    else clock.after(random.below(2_000), user.process, again);
  }

  #burst(): void {
    const count = this.#world.random.between(10, 40);
    for (let index = 0; index < count; index++) {
      if (index % 4 === 3) this.#publish();
      else this.#call(index % 4 === 0 ? 'look' : 'act', this.#way());
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

import type { Deadline } from '../../primitives/deadlines.ts';
import { whenReady } from '../app/now-or-later.ts';
import type { Engine } from '../engine.ts';
import { resolveNumbers } from '../app/server-options.ts';
import { checkIdentity, type Admission } from '../peers/admission.ts';
import { randomName } from '../random-name.ts';
import type { Broker } from './broker.ts';
import { KeptFeed } from './kept-feed.ts';

/** Options of {@link Server.findPeers}. */
export interface FindPeersOptions {
  /** Whose clients. */
  readonly identity: string;
  /** How long other servers have to answer, ms. @default 1_000 */
  readonly withinMs?: number | undefined;
}

/** A client with a socket on one of the servers that share a broker. */
export interface FoundPeer {
  /** Name that the client made up for itself. One that moves has a socket on two servers for a moment. */
  readonly client: string;
  /** Name of its server, which it has as long as it runs. */
  readonly server: string;
  /** Topics that it is subscribed to. */
  readonly subscriptions: number;
}

/** What {@link Server.findPeers} gives. */
export interface FoundPeers {
  readonly peers: readonly FoundPeer[];
  /** All servers have answered; else one of them did not in time, or died without a word. */
  readonly isComplete: boolean;
}

/** What servers ask each other. `here` and `gone`: which there are. */
type Message =
  | readonly [what: 'here' | 'gone', from: string]
  | readonly ['ask', from: string, question: string, identity: string]
  | readonly [
      'tell',
      from: string,
      question: string,
      peers: ReadonlyArray<readonly [client: string, subscriptions: number]>,
    ];

interface Question {
  readonly peers: FoundPeer[];
  /** Servers that have not answered. */
  readonly waiting: Set<string>;
  readonly answered: (isComplete: boolean) => void;
}

/** Topic of the broker on which servers ask each other. */
const TOPIC = '$peers';

/** All servers have said by then that they are there, ms. */
const ALL_HERE_MS = 1000;

/** Finds the clients of somebody on all servers that share a broker. */
export class PeerFinder {
  readonly #engine: Engine;
  readonly #admission: Admission;
  readonly #broker: Broker;
  readonly #own = randomName();
  readonly #feed: KeptFeed;
  /** The other servers, as far as they have said something. */
  readonly #servers = new Set<string>();
  /** From when on all are known; by the monotonic clock, ms. */
  #allKnownAt = Infinity;
  readonly #questions = new Map<string, Question>();
  #closed = false;

  constructor(engine: Engine, admission: Admission, broker: Broker) {
    this.#engine = engine;
    this.#admission = admission;
    this.#broker = broker;
    this.#feed = new KeptFeed(engine, broker, TOPIC, {
      followed: () => this.#arrive(),
      told: (message) => this.#take(message as Message),
      reset: () => this.#arrive(),
    });
    if (broker.isShared === true) this.#feed.follow();
  }

  /** Rejects for options that can't be, and with what the broker throws, which can't be asked then. */
  async find({ identity, ...given }: FindPeersOptions): Promise<FoundPeers> {
    const { withinMs } = resolveNumbers('findPeers: ', { withinMs: 1000 }, given);
    checkIdentity('findPeers', identity);
    const peers = this.#here(identity).map(([client, subscriptions]) => ({ client, server: this.#own, subscriptions }));
    if (this.#broker.isShared !== true) return { peers, isComplete: true };
    if (this.#closed) return { peers, isComplete: false };
    const { deadlines } = this.#engine;
    const question = randomName();
    let deadline: Deadline | undefined;
    try {
      const answered = new Promise<boolean>((resolve) => {
        this.#questions.set(question, { peers, waiting: new Set(this.#servers), answered: resolve });
        deadline = deadlines.add(performance.now() + withinMs, () => resolve(this.#giveUp(question)));
      });
      // Neither is waited for longer than that: a broker that never answers, and servers that do not.
      await Promise.race([this.#tell(['ask', this.#own, question, identity]), answered]);
      this.#look(question);
      return { isComplete: await answered, peers };
    } finally {
      this.#questions.delete(question);
      if (deadline !== undefined) deadlines.remove(deadline);
    }
  }

  close(): void {
    this.#feed.close();
    this.#closed = true;
    // Where it can't be told they find out.
    if (this.#broker.isShared === true) this.#say(['gone', this.#own]);
    for (const { answered } of this.#questions.values()) answered(false);
  }

  #arrive(): void {
    this.#allKnownAt = performance.now() + ALL_HERE_MS;
    this.#sayHere();
  }

  /** Until it is said: others would not know that they have to wait for this one. */
  #sayHere(): void {
    const { deadlines } = this.#engine;
    this.#say(['here', this.#own], () => {
      if (!this.#closed) deadlines.add(performance.now() + ALL_HERE_MS, () => this.#sayHere());
    });
  }

  #take(message: Message): void {
    const [what, from] = message;
    if (from === this.#own) return;
    const isNew = !this.#servers.has(from);
    if (what === 'gone') this.#servers.delete(from);
    else this.#servers.add(from);
    if (what === 'here' && isNew) this.#sayHere();
    else if (what === 'ask') this.#say(['tell', this.#own, message[2], this.#here(message[3])]);
    else if (what === 'tell') this.#answer(message[2], from, message[3]);
    else if (what === 'gone') for (const question of this.#questions.keys()) this.#answer(question, from, []);
  }

  #answer(id: string, server: string, found: ReadonlyArray<readonly [client: string, subscriptions: number]>): void {
    const question = this.#questions.get(id);
    if (question === undefined) return;
    question.waiting.delete(server);
    for (const [client, subscriptions] of found) question.peers.push({ client, server, subscriptions });
    this.#look(id);
  }

  #look(id: string): void {
    const question = this.#questions.get(id);
    if (question?.waiting.size === 0 && performance.now() >= this.#allKnownAt) question.answered(true);
  }

  /** Its time is over. Who has not answered is not waited for again until it says something. */
  #giveUp(id: string): boolean {
    const { waiting } = this.#questions.get(id)!;
    for (const server of waiting) this.#servers.delete(server);
    return waiting.size === 0 && performance.now() >= this.#allKnownAt;
  }

  #here(identity: string): Array<readonly [client: string, subscriptions: number]> {
    return [...this.#admission.peers(identity)].map(({ client, subscriptions }) => [client, subscriptions]);
  }

  /** What fails is reported while the server is open. */
  #say(message: Message, failed: () => void = () => undefined): void {
    void whenReady(
      () => this.#tell(message),
      () => undefined,
      (error) => {
        if (!this.#closed) this.#engine.report(error, { during: 'broker' });
        failed();
      },
    );
  }

  #tell(message: Message): unknown {
    return this.#broker.publish(TOPIC, JSON.stringify(message));
  }
}

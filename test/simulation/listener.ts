import type { Gap, Position, Subscription, SubscriptionState, TautlineError, TopicListeners } from '../../src/index.ts';
import type { Fact, State } from './contract.ts';
import type { Publications } from './publications.ts';

/** What a listener is held against. */
export interface ListenerOptions {
  /** Of who listens, and to what. */
  readonly name: string;
  readonly topic: string;
  readonly hasSnapshot: boolean;
  readonly publications: Publications;
  /** Nothing of it is ever lost. */
  readonly keepsHistory: boolean;
  readonly violation: (text: string) => void;
  /** Whether the server may end it with this. */
  readonly mayEnd: (error: TautlineError) => boolean;
  /** Whether this page may hear of the topic now. */
  readonly mayHear: () => boolean;
}

const same = (one: Position | undefined, other: Position | undefined): boolean =>
  one?.[0] === other?.[0] && one?.[1] === other?.[1];

/** One subscription of a page: everything it is told has to follow from what it was told before. */
export class Listener implements TopicListeners<Fact, State> {
  readonly topic: string;
  state: SubscriptionState = 'subscribing';
  gaps = 0;
  heard = 0;
  /** Times that it went on after a loss without one. */
  resumed = 0;
  subscription: Subscription | undefined;
  readonly #options: ListenerOptions;
  /** Up to here it heard everything. */
  #at: Position | undefined;
  /** Where the topic stood when it became live: what came later may not be left out. */
  #headAtLive: Position | undefined;
  /** What the snapshot and the events after it add up to. */
  #folded: Record<string, number> | undefined;
  #owedSnapshot = true;
  #wasLive = false;

  constructor(options: ListenerOptions) {
    this.topic = options.topic;
    this.#options = options;
  }

  readonly event = (fact: Fact, position: Position): void => {
    const { publications, hasSnapshot, mayHear } = this.#options;
    this.heard++;
    const published = publications.at(this.topic, position);
    const what = `event ${String(fact.token)} at ${position.join(':')}`;
    const isWhole = published?.token === fact.token && published.ballast === fact.ballast;
    if (!isWhole) this.#violation(`${what} is not what was published there`);
    if (!mayHear()) this.#violation(`${what} is for somebody else`);
    if (this.state === 'subscribing') this.#violation(`${what} came before it was live`);
    if (this.#at === undefined) this.#checkFirst(position);
    else if (this.#at[0] !== position[0]) this.#violation(`${what} is of another epoch than ${this.#at.join(':')}`);
    else if (position[1] !== this.#at[1] + 1) this.#violation(`${what} follows on ${this.#at.join(':')}`);
    this.#at = position;
    if (!hasSnapshot) return;
    if (this.#folded === undefined) this.#violation(`${what} came before a snapshot`);
    else this.#folded[fact.key] = fact.value;
  };

  readonly gap = ({ from, to, error }: Gap): void => {
    this.gaps++;
    if (this.#options.keepsHistory) this.#violation(`gap to ${to.join(':')}, though nothing was lost`);
    if (error !== undefined) this.#violation(`could not be read: ${error.message}`);
    if (this.#at === undefined && from !== undefined) this.#checkFirst([from[0], from[1] + 1]);
    else if (!same(from, this.#at)) this.#violation(`gap from ${String(from)}, at ${String(this.#at)}`);
    if (from?.[0] === to[0] && to[1] <= from[1]) this.#violation(`gap back from ${from.join(':')} to ${to.join(':')}`);
    this.#at = to;
    this.#owedSnapshot = true;
    this.#folded = undefined;
  };

  readonly snapshot = (state: State, position: Position): void => {
    const { publications, hasSnapshot, mayHear } = this.#options;
    const what = `snapshot at ${position.join(':')}`;
    if (!hasSnapshot || !this.#owedSnapshot) this.#violation(`${what} was not asked for`);
    if (!mayHear()) this.#violation(`${what} is for somebody else`);
    if (this.#at?.[0] === position[0] && position[1] < this.#at[1]) this.#violation(`${what} goes back`);
    const stale = publications.staleKey(this.topic, position, state);
    if (stale !== undefined) this.#violation(`${what} lacks a change of ${stale} that was published before`);
    this.#owedSnapshot = false;
    this.#folded = { ...state };
    this.#at = position;
  };

  readonly status = (state: SubscriptionState, error?: TautlineError): void => {
    this.#wasLive ||= state === 'live';
    if (this.state === 'recovering' && state === 'live') this.resumed++;
    this.state = state;
    if (state === 'subscribing') this.#restart();
    if (state === 'live') this.#headAtLive ??= this.#options.publications.head(this.topic) ?? ['', 0];
    if (state !== 'ended' || error === undefined || this.#options.mayEnd(error)) return;
    // The server failed before it was ever live: whoever subscribes is told.
    if (error.code === 'INTERNAL' && !this.#wasLive) return;
    this.#violation(`ended with ${error.code}: ${error.message}`);
  };

  /** At the end, in quiet, some time after a last publication. */
  checkAtHead(): void {
    if (this.state !== 'live') return this.#violation(`is ${this.state} at the end`);
    const head = this.#options.publications.head(this.topic);
    // Of a topic without a state it need not have heard anything yet.
    if (!same(this.#at ?? this.#headAtLive, head))
      this.#violation(`is at ${String(this.#at)} at the end, not at ${String(head)}`);
    if (!this.#options.hasSnapshot) return;
    this.checkState(this.#folded, 'what it heard adds up');
  }

  checkState(state: State | undefined, what: string): void {
    const text = (value: State | undefined): string =>
      JSON.stringify(Object.entries(value ?? {}).sort(([one], [other]) => (one < other ? -1 : 1)));
    const is = text(this.#options.publications.state(this.topic));
    if (text(state) !== is) this.#violation(`${what} to ${text(state)}, not ${is}`);
  }

  /** The first that it hears of may not lie behind something published since it was live. */
  #checkFirst(position: Position): void {
    const [epoch, offset] = this.#headAtLive ?? ['', 0];
    if (epoch === position[0] && offset + 1 < position[1]) {
      this.#violation(`begins with ${position.join(':')}, though it was live at ${epoch}:${String(offset)}`);
    }
  }

  #restart(): void {
    this.#at = undefined;
    this.#headAtLive = undefined;
    this.#folded = undefined;
    this.#owedSnapshot = true;
  }

  #violation(text: string): void {
    this.#options.violation(`${this.#options.name} on ${this.topic}: ${text}`);
  }
}

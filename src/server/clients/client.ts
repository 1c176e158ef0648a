import { SerialQueue } from '../../primitives/serial-queue.ts';
import { TokenBucket } from '../../primitives/token-bucket.ts';
import type { ResolvedLimits } from '../app/server-options.ts';
import { CallMemory, type AbortedCalls } from '../calls/call-memory.ts';
import type { Claims } from '../calls/claims.ts';
import type { Losses } from '../outbound/large-messages.ts';
import { randomName } from '../random-name.ts';
import { StreamStore } from '../streams/stream-store.ts';
import { KeyedQueue } from '../topics/keyed-queue.ts';

/** A socket as its client sees it. */
export interface ClientSocket {
  /** A newer socket took over. */
  retire(): void;
  /** The client is gone. */
  close(code: number, reason: string): void;
  /** The same, and nothing of what waits is handed over any more. */
  cutOff(code: number, reason: string): void;
}

/** What its being in a room has to know of it. */
export interface ClientStay {
  /** It has no socket, or another one, on which it has not said that it is there. */
  away(): void;
  /** It has said again that it is there. */
  back(): void;
  /** Other credentials are in force, or something has changed: where the app refuses it now, it ends. */
  authorizeAgain(context: unknown): void;
  /** It is gone for good, or not allowed to be there any more. */
  end(): void;
}

/** The memory of one client: what the server remembers of it over many sockets. */
export class Client {
  /** Random, so that a client whose memory was lost can tell. */
  readonly memory: string;
  readonly id: string;
  readonly identity: string;
  readonly calls: CallMemory;
  /** Where servers share what they remember of it. */
  readonly claims: Claims | undefined;
  /** Mutations start in the order in which they came. */
  readonly mutations: SerialQueue = new SerialQueue();
  /** Publishes to one topic take effect in the order in which they came. */
  readonly publishes: KeyedQueue = new KeyedQueue();
  /** What its subscriptions have the app and the broker work at: questions to `authorize`, feeds, snapshots. */
  reads = 0;
  /** Number of the newest socket. */
  n = 0;
  /** The newest socket, while it lives. */
  socket: ClientSocket | undefined;
  /** The one before, which goes on until the newest has shown that its welcome arrived: it may never. */
  serving: ClientSocket | undefined;
  /** The one before that, until it has drained. */
  retired: ClientSocket | undefined;
  readonly #limits: ResolvedLimits;
  #rate: TokenBucket | undefined;
  #gone: AbortController | undefined;
  #isGone = false;
  #streams: StreamStore | undefined;
  #losses: Losses | undefined;
  #lostAt: Losses | undefined;
  #waiting: Map<object, () => void> | undefined;
  #stays: Map<string, ClientStay> | undefined;

  constructor(
    id: string,
    identity: string,
    limits: ResolvedLimits,
    onBytes: (delta: number) => void,
    abortedCalls: AbortedCalls,
    memory: string = randomName(),
    claims?: Claims,
  ) {
    this.id = id;
    this.memory = memory;
    this.claims = claims;
    this.identity = identity;
    this.calls = new CallMemory(limits, onBytes, abortedCalls);
    this.#limits = limits;
  }

  get streams(): StreamStore {
    return (this.#streams ??= new StreamStore(this.#limits, this.calls));
  }

  /** As {@link CallMemory.raise}, also where servers share the memory. */
  raise(below: number, except: readonly number[]): number {
    this.claims?.floor(below, except);
    return this.calls.raise(below, except);
  }

  /** Aborts when nothing of it is remembered any more. */
  get gone(): AbortSignal {
    this.#gone ??= new AbortController();
    if (this.#isGone) this.#gone.abort(gone());
    return this.#gone.signal;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** Nothing of it is remembered any more: aborts what runs. */
  clear(): void {
    this.#isGone = true;
    this.#gone?.abort(gone());
    this.calls.clear();
    this.eachStay((stay) => stay.end());
  }

  /** It has no socket. */
  get isAway(): boolean {
    return this.socket === undefined && this.retired === undefined;
  }

  /** The rooms that it is in, by topic. */
  get stays(): Map<string, ClientStay> {
    return (this.#stays ??= new Map());
  }

  eachStay(tell: (stay: ClientStay) => void): void {
    if (this.#stays !== undefined) for (const stay of [...this.#stays.values()]) tell(stay);
  }

  /** The app is asked whether it still may be in the rooms that it is in. */
  authorizeStays(context: unknown): void {
    this.eachStay((stay) => stay.authorizeAgain(context));
  }

  /** Messages that it may send. */
  get rate(): TokenBucket {
    const { messageBurst: capacity, messagesPerSecond: perSecond } = this.#limits;
    return (this.#rate ??= new TokenBucket({ capacity, perSecond }, performance.now()));
  }

  /** What its sockets were lost over, perhaps. */
  get losses(): Losses {
    return (this.#losses ??= new Map());
  }

  /** And how far each of that had come. */
  get lostAt(): Losses {
    return (this.#lostAt ??= new Map());
  }

  /** Subscriptions that wait until there is less to do than {@link Client.reads}, the longest first, and how each goes on. */
  get waiting(): Map<object, () => void> {
    return (this.#waiting ??= new Map());
  }
}

function gone(): DOMException {
  return new DOMException('the client is gone', 'AbortError');
}

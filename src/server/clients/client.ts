import { SerialQueue } from '../../primitives/serial-queue.ts';
import { CallMemory } from '../calls/call-memory.ts';
import type { CallMemoryLimits } from '../calls/call-memory.ts';
import type { Losses } from '../outbound/large-messages.ts';
import { randomName } from '../random-name.ts';
import { StreamStore } from '../streams/stream-store.ts';
import type { StreamLimits } from '../streams/stream-store.ts';
import { KeyedQueue } from '../topics/keyed-queue.ts';

/** A socket as its client sees it. */
export interface ClientSocket {
  /** A newer socket took over. */
  retire(): void;
  /** The client is gone. */
  close(code: number, reason: string): void;
}

/** The memory of one client: what the server remembers of it over many sockets. */
export class Client {
  /** Random, so that a client whose memory was lost can tell. */
  readonly memory: string = randomName();
  readonly id: string;
  readonly identity: string;
  readonly calls: CallMemory;
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
  readonly #limits: StreamLimits;
  #streams: StreamStore | undefined;
  #losses: Losses | undefined;
  #lostAt: Losses | undefined;
  #waiting: Map<object, () => void> | undefined;

  constructor(id: string, identity: string, limits: CallMemoryLimits & StreamLimits, onBytes: (delta: number) => void) {
    this.id = id;
    this.identity = identity;
    this.calls = new CallMemory(limits, onBytes);
    this.#limits = limits;
  }

  get streams(): StreamStore {
    return (this.#streams ??= new StreamStore(this.#limits, this.calls));
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

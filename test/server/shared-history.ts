import { memoryBroker, type Broker, type FeedListener } from '../../src/server/index.ts';
import { Gate } from './peer.ts';

const COMMANDS = '$commands';

/** What several servers share, each by a line of its own that may be away for a while. */
export class SharedHistory {
  readonly #inner = memoryBroker();
  #opening: Gate | undefined;

  line(): Line {
    const opening = (): Promise<void> | undefined => this.#opening?.opened;
    return new Line(this.#inner, opening, () => (this.#opening = new Gate()));
  }
}

class Line {
  /** Nothing can be published, and what is told waits for {@link Line.deliver}. */
  isAway = false;
  /** Nobody is told anything from now on, until the gate is opened. */
  readonly holdSubscriptions: () => Gate;
  readonly broker: Broker;
  #commands: FeedListener | undefined;
  readonly #waiting: Array<() => void> = [];

  constructor(inner: Broker, opening: () => Promise<void> | undefined, holdSubscriptions: () => Gate) {
    this.holdSubscriptions = holdSubscriptions;
    this.broker = {
      isShared: true,
      publish: (...args) => (this.isAway ? Promise.reject(new Error('the broker is away')) : inner.publish(...args)),
      subscribe: async (name, listener) => {
        if (name === COMMANDS) {
          await opening();
          this.#commands = listener;
        }
        const feed = await inner.subscribe(name, {
          event: (event) => this.#tell(name, () => listener.event(event)),
          reset: () => listener.reset(),
        });
        return {
          get head() {
            return feed.head;
          },
          read: async (...args) => {
            if (this.isAway) throw new Error('the broker is away');
            return feed.read(...args);
          },
          oldest: () => feed.oldest!(),
          close: () => feed.close(),
        };
      },
      close: () => undefined,
    };
  }

  /** Something is told in the history of commands. */
  heard(): void {
    return;
  }

  /** What was told while it was away. */
  deliver(): void {
    for (const tell of this.#waiting.splice(0)) tell();
  }

  /** The history of commands is lost, with what nobody has read of it. */
  lose(): void {
    this.#waiting.length = 0;
    this.#commands!.reset();
  }

  #tell(name: string, tell: () => void): void {
    if (name === COMMANDS) this.heard();
    if (this.isAway) this.#waiting.push(tell);
    else tell();
  }
}

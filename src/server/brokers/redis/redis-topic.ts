import type { Position } from '../../../protocol/messages.ts';
import type { FeedListener, StoredEvent } from '../broker.ts';

/** Publications that are read from Redis at once. */
const READ_LIMIT = 256;

/** The newest that is known of a topic: its position, and the mark of that publication. */
export interface Head {
  readonly position: Position;
  readonly mark: string;
}

/** What a read found. */
export interface Found {
  readonly head: Position;
  /** Offset of the oldest publication that there is; the next one's where there is none. */
  readonly oldest: number;
  /** `undefined` where the history does not cover the position. */
  readonly events: readonly MarkedEvent[] | undefined;
}

interface MarkedEvent extends StoredEvent {
  readonly mark: string;
}

/** What a topic asks Redis. Each fails when there is no answer in time. */
export interface TopicQuestions {
  head(known: Head | undefined): Promise<Head>;
  read(after: Position, limit: number): Promise<Found>;
}

/**
 * One topic that this server follows. What comes by its channel is taken where it continues what is known; else what is
 * missing is read from the stream. So nothing has to be kept while something is asked, and nothing depends on the
 * channel alone: what it lost is found by whoever looks at the head.
 */
export class RedisTopic {
  readonly listeners: Set<FeedListener> = new Set();
  readonly #questions: TopicQuestions;
  readonly #failed: (error: unknown) => void;
  #head: Head | undefined;
  /** Redis is asked: what comes meanwhile is read from the stream, and it may be more than was read. */
  #asking = false;
  #mayBeMore = false;
  #closed = false;

  constructor(questions: TopicQuestions, failed: (error: unknown) => void) {
    this.#questions = questions;
    this.#failed = failed;
  }

  /** Newest position that the listeners know. */
  get position(): Position {
    return this.#head!.position;
  }

  /** Learns where the topic stands. From here on its channel counts: it must be subscribed to already. */
  async begin(): Promise<void> {
    this.#asking = true;
    try {
      this.#head = await this.#questions.head(undefined);
    } finally {
      this.#asking = false;
    }
    if (this.#mayBeMore) this.#catchUp();
  }

  /** A message of the channel: `epoch:offset:mark before:mark:payload`. */
  heard(message: string): void {
    if (this.#asking || this.#head === undefined) {
      this.#mayBeMore = true;
      return;
    }
    const [epoch, offset, before, mark] = message.split(':', 4) as [string, string, string, string];
    const { position, mark: last } = this.#head;
    const at = Number(offset);
    if (epoch === position[0] && at === position[1] + 1 && before === last) {
      const payload = message.slice(epoch.length + offset.length + before.length + mark.length + 4);
      this.#take({ offset: at, payload, mark });
    } else if (!(epoch === position[0] && at === position[1] && mark === last)) this.look();
  }

  /** Redis has this head now. Messages on their way may explain a difference; to look costs little. */
  compare([epoch, offset]: Position): void {
    const [known, at] = this.#head?.position ?? [];
    if (epoch !== known || offset !== at) this.look();
  }

  /** Asks Redis for its head, and fetches what is missing. */
  look(): void {
    if (!this.#asking && this.#head !== undefined && !this.#closed) this.#catchUp();
  }

  close(): void {
    this.#closed = true;
  }

  #catchUp(): void {
    this.#asking = true;
    this.#fetch()
      .catch(this.#failed)
      .finally(() => (this.#asking = false));
  }

  async #fetch(): Promise<void> {
    do {
      this.#mayBeMore = false;
      const known = this.#head!;
      const head = await this.#questions.head(known);
      if (head.position[0] !== known.position[0]) this.#lose(head);
      while (!this.#closed && this.position[1] < head.position[1] && (await this.#read(head))) continue;
    } while (this.#mayBeMore && !this.#closed);
  }

  /** Takes the next stretch of the stream; `false` when it has none. */
  async #read(head: Head): Promise<boolean> {
    const { position } = this;
    const { events } = await this.#questions.read(position, READ_LIMIT);
    if (this.#closed) return false;
    if (events === undefined) this.#lose(head);
    else for (const event of events) this.#take(event);
    return this.position !== position;
  }

  #take({ offset, payload, mark }: MarkedEvent): void {
    this.#head = { position: [this.position[0], offset], mark };
    for (const listener of [...this.listeners]) listener.event({ offset, payload });
  }

  #lose(head: Head): void {
    this.#head = head;
    if (this.#closed) return;
    for (const listener of [...this.listeners]) listener.reset();
  }
}

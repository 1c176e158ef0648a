import type { Position } from '../../protocol/messages.ts';
import type { FeedListener, StoredEvent } from './broker.ts';

/** Publications that are read at once. */
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

/** A publication with a mark that no other one has. */
export interface MarkedEvent extends StoredEvent {
  readonly mark: string;
}

/** What a topic asks of where its history is. Each fails when there is no answer in time. */
export interface TopicQuestions {
  head(known: Head | undefined): Promise<Head>;
  read(after: Position, limit: number): Promise<Found>;
}

/**
 * One topic that this server follows, whose history is kept elsewhere. What is told is taken where it continues what is
 * known; else what is missing is read from the history. So nothing has to be kept while something is asked, and nothing
 * depends on what is told alone: what was lost of it is found by whoever looks at the head.
 */
export class FollowedTopic {
  readonly listeners: Set<FeedListener> = new Set();
  readonly #questions: TopicQuestions;
  readonly #failed: (error: unknown) => void;
  #head: Head | undefined;
  /** The history is asked: what is told meanwhile is read from it, and it may be more than was read. */
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

  /** Learns where the topic stands. From here on what is told counts: it must be listened to already. */
  async begin(): Promise<void> {
    this.#asking = true;
    try {
      this.#head = await this.#questions.head(undefined);
    } finally {
      this.#asking = false;
    }
    if (this.#mayBeMore) this.#catchUp();
  }

  /** A publication is told, with the mark of the one before it. */
  heard(epoch: string, before: string, event: MarkedEvent): void {
    if (this.#isBehind()) return;
    const { position, mark: last } = this.#head!;
    if (epoch === position[0] && event.offset === position[1] + 1 && before === last) this.#take(event);
    else if (!(epoch === position[0] && event.offset === position[1] && event.mark === last)) this.look();
  }

  /** It is told that there is a publication at this offset; what is known already was told late. */
  told(offset: number): void {
    if (!this.#isBehind() && offset > this.position[1]) this.look();
  }

  /** This is the head now, and its mark where it was asked for. What is on its way may explain a difference; to look costs little. */
  compare([epoch, offset]: Position, mark: string = this.#head?.mark ?? ''): void {
    const { position: [known, at] = [], mark: last = '' } = this.#head ?? {};
    if (epoch !== known || offset !== at || mark !== last) this.look();
  }

  /** Asks for the head, and fetches what is missing. */
  look(): void {
    if (!this.#asking && this.#head !== undefined && !this.#closed) this.#catchUp();
  }

  close(): void {
    this.#closed = true;
  }

  /** What is told now can't be taken: it will be read. */
  #isBehind(): boolean {
    const isBehind = this.#asking || this.#head === undefined;
    if (isBehind) this.#mayBeMore = true;
    return isBehind;
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

  /** Takes the next stretch of the history; `false` when it has none. */
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

import type { Position } from '../../protocol/messages.ts';
import type { Feed, FeedListener } from './broker.ts';
import { FollowedTopic, type Found, type Head } from './followed-topic.ts';

/** What is asked of where the histories are, and of what tells of publications. */
export interface HistoryQuestions {
  /** Resolves when what is published to the topic is told. */
  listen(name: string): Promise<unknown>;
  /** Nobody follows the topic any more. */
  leave(name: string): void;
  head(name: string, known: Head | undefined): Promise<Head>;
  /** For subscribers: within what the history is to hold. */
  read(name: string, after: Position, limit: number): Promise<Found>;
  /** For the feeds, which may have missed more. */
  catchUp(name: string, after: Position, limit: number): Promise<Found>;
}

/** The topics that this server follows, and their feeds. */
export class FollowedTopics {
  readonly #questions: HistoryQuestions;
  readonly #onError: (error: unknown) => void;
  readonly #topics = new Map<string, { readonly topic: FollowedTopic; readonly begun: Promise<void> }>();

  constructor(questions: HistoryQuestions, onError: (error: unknown) => void) {
    this.#questions = questions;
    this.#onError = onError;
  }

  get names(): string[] {
    return [...this.#topics.keys()];
  }

  get(name: string): FollowedTopic | undefined {
    return this.#topics.get(name)?.topic;
  }

  async subscribe(name: string, listener: FeedListener): Promise<Feed> {
    const { topic, begun } = this.#topics.get(name) ?? this.#follow(name);
    // An object of its own for each feed: the same listener may be there twice.
    const entry: FeedListener = { event: (event) => listener.event(event), reset: () => listener.reset() };
    topic.listeners.add(entry);
    const close = (): void => {
      if (topic.listeners.delete(entry) && topic.listeners.size === 0) this.#leave(name, topic);
    };
    try {
      await begun;
    } catch (error) {
      close();
      throw error;
    }
    return {
      get head() {
        return topic.position;
      },
      read: async (after, limit) => (await this.#questions.read(name, after, limit)).events,
      oldest: async () => {
        const { head, oldest } = await this.#questions.read(name, topic.position, 1);
        return [head[0], oldest - 1];
      },
      close,
    };
  }

  /** Asks for the head of each, and fetches what is missing. */
  look(): void {
    for (const { topic } of this.#topics.values()) topic.look();
  }

  close(): void {
    for (const [name, { topic }] of this.#topics) this.#leave(name, topic);
  }

  #follow(name: string): { readonly topic: FollowedTopic; readonly begun: Promise<void> } {
    const questions = {
      head: (known: Head | undefined) => this.#questions.head(name, known),
      read: (after: Position, limit: number) => this.#questions.catchUp(name, after, limit),
    };
    const topic = new FollowedTopic(questions, this.#onError);
    // First what tells of it, then the head: nothing lies between them.
    const followed = { topic, begun: this.#questions.listen(name).then(() => topic.begin()) };
    this.#topics.set(name, followed);
    return followed;
  }

  #leave(name: string, topic: FollowedTopic): void {
    topic.close();
    if (this.#topics.get(name)?.topic !== topic) return;
    this.#topics.delete(name);
    this.#questions.leave(name);
  }
}

import type { RedisPort } from './redis-port.ts';

/** Listens to channels of which only it matters that something was said; each as long as somebody watches it. */
export class ChannelWatch {
  readonly #subscriber: RedisPort;
  readonly #onError: (error: unknown) => void;
  readonly #listeners = new Map<string, Set<() => void>>();

  constructor(subscriber: RedisPort, onError: (error: unknown) => void) {
    this.#subscriber = subscriber;
    this.#onError = onError;
    subscriber.onMessage((channel) => this.#tell(channel));
  }

  /** Calls back at each message, and once when the channel is listened to: what was said before was missed. */
  watch(channel: string, listener: () => void): () => void {
    const entry = (): void => listener();
    const watching = this.#listeners.get(channel);
    if (watching === undefined) this.#begin(channel, entry);
    else watching.add(entry);
    return () => this.#leave(channel, entry);
  }

  #begin(channel: string, entry: () => void): void {
    this.#listeners.set(channel, new Set([entry]));
    this.#subscriber.subscribe(channel).then(() => this.#tell(channel), this.#onError);
  }

  #leave(channel: string, entry: () => void): void {
    const watching = this.#listeners.get(channel);
    if (watching?.delete(entry) !== true || watching.size > 0) return;
    this.#listeners.delete(channel);
    this.#subscriber.unsubscribe(channel).catch(this.#onError);
  }

  #tell(channel: string): void {
    for (const entry of [...(this.#listeners.get(channel) ?? [])]) entry();
  }
}

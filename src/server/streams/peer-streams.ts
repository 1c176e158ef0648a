import { encodeError } from '../../protocol/encode.ts';
import type { ClientMessage } from '../../protocol/messages.ts';
import type { KnownCall } from '../calls/call-memory.ts';
import type { Client } from '../clients/client.ts';
import type { Engine } from '../engine.ts';
import { StreamFeed } from './stream-feed.ts';
import type { FeedLink } from './stream-feed.ts';

type OpenMessage = Extract<ClientMessage, readonly ['open', ...unknown[]]>;

const NO_HEADERS = Object.freeze({});

/** Options of {@link PeerStreams}. */
export interface PeerStreamsOptions {
  readonly engine: Engine;
  readonly client: Client;
  readonly push: (message: string) => void;
  readonly isCongested: () => boolean;
  /** Items wait: {@link PeerStreams.resume} is wanted when there is room. */
  readonly fellBehind: () => void;
}

/** The streams of one socket: what was opened on it and has not ended on it. */
export class PeerStreams implements FeedLink {
  readonly #options: PeerStreamsOptions;
  readonly #feeds = new Map<number, StreamFeed>();
  /** Those with items that wait for room, the longest waiting first. */
  readonly #behind = new Set<StreamFeed>();

  constructor(options: PeerStreamsOptions) {
    this.#options = options;
  }

  /** Some of them are waiting for room. */
  get isBehind(): boolean {
    return this.#behind.size > 0;
  }

  get isCongested(): boolean {
    return this.#options.isCongested();
  }

  push(message: string): void {
    this.#options.push(message);
  }

  fellBehind(feed: StreamFeed): void {
    this.#behind.add(feed);
    this.#options.fellBehind();
  }

  ended(feed: StreamFeed): void {
    this.#feeds.delete(feed.id);
    this.#behind.delete(feed);
  }

  /** Starts a stream, or goes on with one that is known. */
  open(message: OpenMessage, context: unknown): void {
    const [, id, path, , after, upTo] = message;
    const { engine, client } = this.#options;
    if (engine.bound.procedures.get(path)?.procedure.kind !== 'stream') {
      engine.observer?.tell({ type: 'refused', code: 'NOT_FOUND' });
      return this.push(encodeError(id, { code: 'NOT_FOUND', message: 'no stream has this path' }, ''));
    }
    const key = `open ${path}`;
    const here = this.#feeds.get(id);
    const feed = here ?? new StreamFeed(id, this);
    const taken = client.calls.take(id, 'stream', key, feed);
    if (taken.kind === 'new' || taken.kind === 'refused') {
      this.#feeds.set(id, feed);
      const refusal = this.#refusal(taken.kind, after);
      if (refusal === undefined) return this.#start(taken.call, feed, message, context);
      // Kept like any answer: a copy of the message still on its way on an older socket must not start it after this.
      client.calls.settle(taken.call, encodeError(id, refusal, ''));
      return engine.observer?.tell({ type: 'refused', code: refusal.code });
    }
    const stream = client.streams.get(id);
    if (stream?.call.key !== key) {
      if (taken.kind === 'answered') this.push(taken.message);
      return;
    }
    stream.more(after, upTo);
    if (here !== undefined) return;
    this.#feeds.set(id, feed);
    feed.follow(stream);
    // What is missing would be a hole.
    if (!stream.isWhole) return client.calls.lose(stream.call);
    feed.pump();
    if (taken.kind === 'answered') feed.answer(id, taken.message);
  }

  /** What is said of a stream holds on whatever socket it is said: it may be ahead of the `open` on this one. */
  more(id: number, after: number, upTo: number): void {
    this.#options.client.streams.get(id)?.more(after, upTo);
  }

  /** Nobody wants it any more. `false`: it was not opened on this socket. */
  cancel(id: number): boolean {
    if (!this.#feeds.has(id)) return false;
    const { calls, streams } = this.#options.client;
    const stream = streams.get(id);
    if (stream !== undefined) calls.cancel(stream.call);
    return true;
  }

  /** There is room: those that waited longest go first. */
  resume(): void {
    for (const feed of [...this.#behind]) {
      if (this.isCongested) return;
      this.#behind.delete(feed);
      feed.pump();
    }
  }

  /** The socket is gone, or silent from now on: its streams go on, and are taken up elsewhere. */
  close(): void {
    for (const feed of this.#feeds.values()) feed.close();
    this.#feeds.clear();
    this.#behind.clear();
  }

  #refusal(kind: 'new' | 'refused', after: number): { readonly code: string; readonly message: string } | undefined {
    const { streams } = this.#options.engine.limits;
    if (kind === 'refused' || this.#feeds.size > streams) {
      return { code: 'RATE_LIMITED', message: `more than ${streams} streams` };
    }
    // Its first items were another run's.
    return after > 0 ? { code: 'UNKNOWN_OUTCOME', message: 'this stream is not remembered' } : undefined;
  }

  #start(
    call: KnownCall,
    feed: StreamFeed,
    [, , path, headers, , upTo, json, meta]: OpenMessage,
    context: unknown,
  ): void {
    const { engine, client } = this.#options;
    const stream = client.streams.start(call);
    feed.follow(stream);
    stream.more(0, upTo);
    engine.observer?.follow(call, path);
    const bound = engine.bound.procedures.get(path)!;
    const run = { call, calls: client.calls, bound, context, headers: headers ?? NO_HEADERS, json, meta, stream };
    engine.dispatcher.limitTime(run);
    void engine.dispatcher.start(run);
  }
}

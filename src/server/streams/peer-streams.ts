import { encodeError } from '../../protocol/encode.ts';
import type { ClientMessage } from '../../protocol/messages.ts';
import type { BoundProcedure } from '../app/handlers.ts';
import { describeAborted } from '../calls/call-memory.ts';
import type { KnownCall } from '../calls/known-call.ts';
import { NO_HEADERS } from '../calls/run.ts';
import type { Arrival } from '../calls/run.ts';
import type { Client } from '../clients/client.ts';
import type { LargeMessages } from '../outbound/large-messages.ts';
import type { PeerLink } from '../peers/peer-link.ts';
import type { ServerStream } from './server-stream.ts';
import { StreamFeed } from './stream-feed.ts';
import type { FeedLink } from './stream-feed.ts';

type OpenMessage = Extract<ClientMessage, readonly ['open', ...unknown[]]>;

/** A stream that begins. */
interface Starting {
  readonly call: KnownCall;
  readonly bound: BoundProcedure;
  readonly feed: StreamFeed;
  readonly message: OpenMessage;
  readonly arrival: Arrival;
}

/** Whose streams they are. */
export interface StreamingPeer {
  readonly client: Client;
  readonly large: LargeMessages;
  /** Items wait: {@link PeerStreams.resume} is wanted when there is room. */
  fellBehind(): void;
}

/** The streams of one socket: what was opened on it and has not ended on it. */
export class PeerStreams implements FeedLink {
  readonly #link: PeerLink;
  readonly #peer: StreamingPeer;
  readonly #feeds = new Map<number, StreamFeed>();
  /** Those with items that wait for room, the longest waiting first. */
  readonly #behind = new Set<StreamFeed>();

  constructor(link: PeerLink, peer: StreamingPeer) {
    this.#link = link;
    this.#peer = peer;
  }

  /** Some of them are waiting for room. */
  get isBehind(): boolean {
    return this.#behind.size > 0;
  }

  get large(): LargeMessages {
    return this.#peer.large;
  }

  get isCongested(): boolean {
    return this.#link.isCongested;
  }

  push(message: string): void {
    this.#link.push(message, 'bulk');
  }

  settle(message: string): void {
    this.#link.push(message, 'ordered answer');
  }

  fellBehind(feed: StreamFeed): void {
    this.#behind.add(feed);
    this.#peer.fellBehind();
  }

  lose(stream: ServerStream): void {
    this.#peer.client.calls.lose(stream.call);
  }

  ended(feed: StreamFeed): void {
    this.#feeds.delete(feed.id);
    this.#behind.delete(feed);
  }

  /** Starts a stream, or goes on with one that is known. */
  open(message: OpenMessage, arrival: Arrival): void {
    const [, id, path, , after, upTo] = message;
    const { engine } = this.#link;
    const { client } = this.#peer;
    const bound = engine.bound.procedures.get(path);
    if (bound?.procedure.kind !== 'stream') {
      engine.observer?.tell({ type: 'refused', code: 'NOT_FOUND' });
      return this.settle(encodeError(id, { code: 'NOT_FOUND', message: 'no stream has this path' }, ''));
    }
    const { key } = bound;
    const here = this.#feeds.get(id);
    const feed = here ?? new StreamFeed(id, this);
    const taken = client.calls.take(id, 'stream', key, feed);
    if (taken.kind === 'new' || taken.kind === 'refused') {
      this.#feeds.set(id, feed);
      const refusal = this.#refusal(taken.kind, after);
      if (refusal === undefined) return this.#start({ call: taken.call, bound, feed, message, arrival });
      // Kept like any answer: a copy of the message still on its way on an older socket must not start it after this.
      client.calls.settle(taken.call, encodeError(id, refusal, ''));
      return engine.observer?.tell({ type: 'refused', code: refusal.code });
    }
    const stream = client.streams.get(id);
    if (stream?.call.key !== key) {
      if (taken.kind === 'answered') this.settle(taken.message);
      return;
    }
    stream.more(after, upTo);
    if (here !== undefined) return;
    this.#feeds.set(id, feed);
    feed.follow(stream);
    // What is missing would be a hole.
    if (!stream.isWhole) return client.calls.lose(stream.call);
    feed.pump();
    if (taken.kind === 'answered' && this.#feeds.has(id)) feed.answer(id, taken.message);
  }

  /** Nobody wants it any more. `false`: it was not opened on this socket. */
  cancel(id: number): boolean {
    if (!this.#feeds.has(id)) return false;
    const { calls, streams } = this.#peer.client;
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
    const { streams } = this.#link.engine.limits;
    if (kind === 'refused' || this.#feeds.size > streams) {
      const message = `more than ${streams} streams${describeAborted(this.#peer.client.calls)}`;
      return { code: 'RATE_LIMITED', message };
    }
    // Its first items were another run's.
    return after > 0 ? { code: 'UNKNOWN_OUTCOME', message: 'this stream is not remembered' } : undefined;
  }

  #start({ call, bound, feed, message, arrival }: Starting): void {
    const [, , path, headers, , upTo, json, meta] = message;
    const { dispatcher, observer } = this.#link.engine;
    const { calls, streams, claims } = this.#peer.client;
    const stream = streams.start(call);
    feed.follow(stream);
    stream.more(0, upTo);
    observer?.follow(call, path, this.#peer.client.identity);
    const run = { call, calls, bound, arrival, headers: headers ?? NO_HEADERS, json, meta, stream };
    if (claims === undefined) dispatcher.run(run);
    else claims.take({ call, calls, idempotent: bound.procedure.idempotent, run: () => dispatcher.run(run) });
  }
}

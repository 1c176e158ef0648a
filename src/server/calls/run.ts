import type { Headers } from '../../protocol/messages.ts';
import type { BoundProcedure } from '../app/handlers.ts';
import type { ServerStream } from '../streams/server-stream.ts';
import type { CallMemory } from './call-memory.ts';
import type { KnownCall } from './known-call.ts';

/** How a message came in. */
export interface Arrival {
  /** What `authenticate` said of its sender. */
  readonly context: unknown;
  /** What it carries was looked through when its frame was read: see `Codec.decode`. */
  readonly isVetted: boolean;
  /** When its frame came, by the monotonic clock, ms. */
  readonly at: number;
}

/** What a procedure runs with. */
export interface Run {
  readonly call: KnownCall;
  readonly calls: CallMemory;
  readonly bound: BoundProcedure;
  readonly arrival: Arrival;
  readonly headers: Headers;
  readonly json: unknown;
  readonly meta: unknown;
  /** Where the items go, of a stream. */
  readonly stream: ServerStream | undefined;
}

/** What calls without headers have. */
export const NO_HEADERS: Headers = Object.freeze({});

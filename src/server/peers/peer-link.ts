import type { Engine } from '../engine.ts';
import type { Delivery } from '../outbound/frame-writer.ts';
import type { Transit } from '../outbound/large-messages.ts';
import type { ServerRequest } from './server-socket.ts';

/** The socket of a peer, as what serves the peer uses it. */
export interface PeerLink {
  readonly engine: Engine;
  readonly request: ServerRequest;
  /** Bytes that an answer waits behind. */
  readonly ahead: number;
  /** How wide the window is to be in which all clients of the server come back after a loss, ms. */
  readonly spreadMs: number;
  /** So many of them that events and items have to wait. */
  readonly isCongested: boolean;
  /** Some that were pushed wait for room: {@link PeerLink.pump} looks whether there is some. */
  readonly isHolding: boolean;
  pump(): void;
  /** Grows by the looks between which bytes moved that prove the peer alive. */
  progress(): number;
  push(message: string, delivery: Delivery): void;
  /** How far the message has come that was pushed last, where it goes in parts. */
  transit(): Transit | undefined;
  /** Nobody wants this answer: `true` when it goes in parts, and the rest of it never will. */
  dropAnswer(id: number): boolean;
  /** The peer answered a ping. */
  ponged(n: number): void;
  close(code: number, reason: string): void;
  /** The same, and nothing of what waits is handed over any more. */
  cutOff(code: number, reason: string): void;
}

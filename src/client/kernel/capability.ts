import type { ContractTopic } from '../../contract/contract.ts';
import type { Procedure } from '../../contract/procedure.ts';
import type { TautlineError } from '../../errors.ts';
import type { Codec } from '../../payload.ts';
import type { Deadlines } from '../../primitives/deadlines.ts';
import type { SerialQueue } from '../../primitives/serial-queue.ts';
import type { CloseCause, ConnectionStatus } from '../../transport/transport.ts';
import type { AuthOption } from '../../transport/transport-options.ts';
import type { TransportParts } from '../../transport/transport-parts.ts';
import type { ConnectionEvents, ConnectionStats } from './connection.ts';
import type { Happening, HappeningName } from './happening.ts';
import type { LinkState } from './link-state.ts';
import type { LossyLane } from '../requests/lossy-lane.ts';
import type { Outbox } from '../requests/outbox.ts';
import type { RequestOptions } from '../requests/request-options.ts';
import type { Requests } from '../requests/requests.ts';
import type { Taker } from './taker.ts';

/** Makes what a client offers in the place of a procedure or a topic. */
export type Offer<Node> = (node: Node, path: string, codec: Codec) => unknown;

/** Goes around every call of an app that has interceptors; `send` sends it once. */
export type Around = (
  what: { readonly kind: 'query' | 'mutation' | 'stream' | 'publish'; readonly path: string; readonly topic?: string },
  input: unknown,
  options: RequestOptions,
  send: (input: unknown, options: RequestOptions) => Promise<unknown>,
) => Promise<unknown>;

/** What a connection does for a capability. */
export interface Kernel {
  /** What the app sees. */
  readonly status: ConnectionStatus;
  /** The same, but for a close that still waits. */
  readonly transportStatus: ConnectionStatus;
  readonly outbox: Outbox;
  readonly requests: Requests;
  readonly deadlines: Deadlines;
  /** The order in which calls and publishes were made, also where a schema is asynchronous. */
  readonly order: SerialQueue;
  /** Of a call that names none, ms. */
  readonly timeoutMs: number;
  /** Counts the identities that the app has spoken for: what came before the last change is nobody else's. */
  readonly identities: number;
  /** There where the app has interceptors. */
  readonly around: Around | undefined;
  /** [0, 1). */
  readonly random: () => number;
  /** Monotonic clock, ms. */
  readonly now: () => number;
  /** Reports what no caller waits for. */
  readonly report: (error: unknown) => void;
  /** Says that something happened, for whoever keeps a record. */
  note(what: HappeningName, about?: object): void;
  emit<Name extends keyof ConnectionEvents>(event: Name, ...args: Parameters<ConnectionEvents[Name]>): void;
  /** Why a request can't even wait. */
  refusal(
    request: { readonly path: string; readonly bytes: number },
    signal: AbortSignal | undefined,
  ): TautlineError | undefined;
  /** What makes the function of a contract's node, by its kind. @throws TypeError where the capability is not used */
  offer(kind: keyof NonNullable<Extension['offers']>, path: string): Offer<never>;
  /** The loop over a topic's events. @throws TypeError where nothing makes one */
  topicLoop(parts: object, options: object): unknown;
  /** Takes publishes that may be dropped. @throws TypeError where nothing does */
  lossyLane(): LossyLane;
  /** Something is not settled, waits to be written, or is listened to. */
  readonly isNeeded: boolean;
  /** Something needs the connection that did not before. */
  rose(): void;
  /** What needed it may be over. */
  eased(): void;
  connect(): void;
  rest(): void;
}

/** What a capability adds to a connection. All of it may be left out. */
export interface Extension {
  /** Messages of the server, by name. */
  readonly takes?: Readonly<Record<string, Taker>>;
  /** What it puts into a client, by the kind of the contract's node. */
  readonly offers?: {
    readonly query?: Offer<Procedure>;
    readonly mutation?: Offer<Procedure>;
    readonly stream?: Offer<Procedure>;
    readonly topic?: Offer<ContractTopic>;
    readonly presence?: Offer<ContractTopic>;
  };
  readonly transport?: TransportParts;
  readonly around?: Around;
  /** Makes the loop over a topic's events. */
  readonly topicLoop?: (parts: never, options: never) => unknown;
  /** A socket opened; nothing was written yet. */
  readonly opened?: (link: LinkState) => void;
  /** Writes what may go behind the greeting; gives its bytes. */
  readonly ride?: (link: LinkState) => number;
  /** A socket was welcomed, and is now the one that is spoken on. */
  readonly welcomed?: (link: LinkState) => void;
  /** Asks it for what is wanted, before anything else is written. */
  readonly ask?: (link: LinkState) => void;
  /** The connection moved on to another socket; this one may yet answer. */
  readonly left?: (link: LinkState) => void;
  /** A socket is about to be left for another identity: the last words on it. */
  readonly leaving?: (link: LinkState) => void;
  /** A socket is gone, and whatever was under way on it. */
  readonly lost?: (link: LinkState) => void;
  /** Everything that waits is about to be ended: what may be dropped is dropped. */
  readonly dropped?: () => void;
  /** The connection belongs to another identity: nothing of the former's may show. */
  readonly becameAnother?: () => void;
  /** The connection entered a state. */
  readonly entered?: (status: ConnectionStatus) => void;
  /** The connection is closed, and what waits for it ends. */
  readonly closed?: (cause: CloseCause) => void;
  /** Something of it is unsettled, or listened to. */
  readonly isNeeded?: () => boolean;
  /** It is idle, or on its way from there to its first socket: that is not offline. */
  readonly isOpening?: () => boolean;
  readonly rose?: () => void;
  readonly eased?: () => void;
  readonly setAuth?: (auth: AuthOption | undefined) => void;
  readonly drained?: () => Promise<void>;
  readonly noted?: (what: HappeningName, about?: object) => void;
  readonly happenings?: () => readonly Happening[];
  /** Figures of its own for `stats()`. */
  readonly stats?: () => Partial<ConnectionStats>;
}

/** A part of the client that a connection can do without: `connect(url, { use: [topics(), streams()] })`. */
export interface Capability<Name extends string = string> {
  readonly name: Name;
}

/** A {@link Capability} as the connection sees it. */
interface Extending extends Capability {
  readonly extend: (kernel: Kernel) => Extension;
}

/** Makes a capability of what it adds to a connection. */
export function capability<Name extends string>(name: Name, extend: (kernel: Kernel) => Extension): Capability<Name> {
  const made: Extending & Capability<Name> = { name, extend };
  return made;
}

/** What a capability adds to this connection. */
export function extensionOf(given: Capability, kernel: Kernel): Extension {
  return (given as Extending).extend(kernel);
}

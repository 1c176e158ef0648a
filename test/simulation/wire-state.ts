import type { Position, Welcome } from '../../src/protocol/messages.ts';
import { PartReader } from '../../src/protocol/parts.ts';
import { UNFINISHED_TO_CLIENT, UNFINISHED_TO_SERVER, UNITS_TO_CLIENT } from '../helpers/parts.ts';

/** What one client has said on all its sockets, as long as it has one name. */
export interface ClientWire {
  /** The socket that was welcomed last: nothing new is said on another. */
  newest: SocketWire | undefined;
  /** The socket that each id was written on last. */
  readonly lastOn: Map<number, SocketWire>;
  /** Number of the last item that each stream may send. */
  readonly upTo: Map<number, number>;
  newestId: number;
  floor: readonly number[];
  sockets: number;
}

/** Whose memory the servers have said that it is. */
export interface MemoryOwner {
  readonly client: string;
  readonly identity: string;
}

/** What one server has said of one memory. */
export interface MemoryWire {
  n: number;
  newest: SocketWire;
}

/** One topic on one socket, as the server tells it. */
export interface TopicWire {
  n: number;
  position: Position;
  /** The snapshot has to come before anything else. */
  owesSnapshot: boolean;
}

/** What has passed on one socket. */
export interface SocketWire {
  readonly name: string;
  /** The server that it came to. */
  node: string;
  client: ClientWire | undefined;
  clientName: string;
  n: number;
  bytes: number;
  calls: number;
  welcome: Welcome | undefined;
  /** Ids that the client sent and that are not settled, as it sees it; and which the server got. */
  readonly window: Set<number>;
  readonly streams: Set<number>;
  readonly got: Set<number>;
  readonly answered: Set<number>;
  resent: number;
  sentNew: boolean;
  /** Topics that the client has asked for without an answer, and what the server was asked last. */
  readonly asking: Set<string>;
  readonly asked: Map<string, number>;
  readonly topics: Map<string, TopicWire>;
  /** The server has ended it, or another has taken over: what comes is not read. */
  closed: boolean;
  retired: boolean;
  /** The socket that goes on until this one has spoken after its welcome. */
  replaces: SocketWire | undefined;
  /** The client has ended it, or has left it for another while it lived: then what is on it goes later. */
  isOver: boolean;
  wasLeft: boolean;
  serverSpoke: boolean;
  /** Put the frames together that go in parts: as they are written, either way, and as they arrive at the client. */
  readonly up: PartReader;
  readonly down: PartReader;
  readonly arrived: PartReader;
  /** Frames that the server has begun and not ended: the end of a stream may wait behind one. */
  readonly unfinished: Set<string>;
  /** Pings of the server that the client has not answered: what is large may wait for that, and more behind it. */
  readonly pinged: Set<number>;
}

/** A socket on which nothing has passed. */
export function socketWire(name: string): SocketWire {
  return {
    name,
    node: '',
    client: undefined,
    clientName: '',
    n: 0,
    bytes: 0,
    calls: 0,
    welcome: undefined,
    window: new Set(),
    streams: new Set(),
    got: new Set(),
    answered: new Set(),
    resent: 0,
    sentNew: false,
    asking: new Set(),
    asked: new Map(),
    topics: new Map(),
    closed: false,
    retired: false,
    replaces: undefined,
    isOver: false,
    wasLeft: false,
    serverSpoke: false,
    up: new PartReader(16 * 1024 * 1024, UNFINISHED_TO_SERVER),
    down: new PartReader(UNITS_TO_CLIENT, UNFINISHED_TO_CLIENT),
    arrived: new PartReader(UNITS_TO_CLIENT, UNFINISHED_TO_CLIENT),
    unfinished: new Set(),
    pinged: new Set(),
  };
}

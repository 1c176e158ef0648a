import type { ClientMessage, Hello, Position, ServerMessage, Welcome } from '../../src/protocol/messages.ts';
import { MARK } from '../helpers/parts.ts';
import type { ClientWire, MemoryOwner, MemoryWire, SocketWire } from './wire-state.ts';

/** What a client may send before it is welcome (Calls across sockets, 3). */
const CALLS_BEFORE_WELCOME = 8;
const BYTES_BEFORE_WELCOME = 64 * 1024;
const FRAME_BEFORE_WELCOME = 16 * 1024;
/** An older socket is closed at the latest after this (Calls across sockets, 6), ms. */
const RETIRED_MS = 5_000;

/** What needs an answer, and what is said on the newest socket alone. */
const ASKS: ReadonlySet<string> = new Set(['call', 'open', 'publish', 'auth']);
const NEW: ReadonlySet<string> = new Set([...ASKS, 'subscribe', 'unsubscribe', 'floor']);

/** What the rules need of the world. */
export interface WireWorld {
  readonly violation: (text: string) => void;
  /** Runs something at the servers, later. */
  readonly later: (ms: number, run: () => void) => void;
}

/** Follows every message between clients and servers, and holds it against PROTOCOL.md: what no caller could see. */
export class WireRules {
  readonly #world: WireWorld;
  readonly #clients = new Map<string, ClientWire>();
  /** By name; what each server has said of it, by its name and the server's. */
  readonly #owners = new Map<string, MemoryOwner>();
  readonly #memories = new Map<string, MemoryWire>();
  readonly #subscribeNumbers = new Map<string, number>();
  /** Topics of which a page has a state that its position belongs to: a fresh one for another listener changes nothing. */
  readonly #stateful = new Set<string>();
  /** What each page said first on its newest socket. */
  readonly hellos: Map<string, Hello> = new Map();

  constructor(world: WireWorld) {
    this.#world = world;
  }

  /** The client has told that an id is settled. */
  isSettled(client: string, id: number): boolean {
    return isSettled(this.#clients.get(client)?.floor ?? [1], id);
  }

  /** A client writes a frame. */
  clientSends(socket: SocketWire, frame: string): readonly ClientMessage[] {
    const messages = this.#whole<ClientMessage>(socket, 'up', frame);
    if (socket.welcome === undefined) this.#checkSize(socket, messages, frame.length);
    for (const message of messages) this.#clientSays(socket, message);
    return messages;
  }

  /** It has arrived. */
  serverGets(socket: SocketWire, messages: readonly ClientMessage[]): void {
    const { replaces: older } = socket;
    socket.replaces = undefined;
    if (older !== undefined) this.#retire(older, socket);
    for (const message of messages) {
      if (ASKS.has(message[0])) socket.got.add(message[1] as number);
      if (message[0] === 'open') allow(socket, message[1], message[5]);
      if (message[0] === 'more') allow(socket, message[1], message[3]);
      if (message[0] === 'cancel') this.#cancelled(socket, message[1]);
      if (message[0] === 'subscribe') socket.asked.set(message[2], message[1]);
    }
  }

  serverSends(socket: SocketWire, frame: string): void {
    for (const message of this.#whole<ServerMessage>(socket, 'down', frame)) this.#serverSays(socket, message);
  }

  /** One that serves is taken over by another when that has spoken. */
  serverCloses(socket: SocketWire, code: number): void {
    if (code !== 4409) return;
    this.#world.later(1, () => {
      for (const { newest } of this.#memories.values())
        if (newest.replaces === socket) this.#violation(socket, `is closed before ${newest.name} has spoken`);
    });
  }

  /** A frame of the server has arrived. */
  clientGets(socket: SocketWire, frame: string): void {
    for (const message of this.#whole<ServerMessage>(socket, 'arrived', frame)) {
      if (message[0] === 'welcome') {
        socket.welcome = message[1];
        const { newest } = socket.client!;
        if (newest !== undefined && !newest.isOver) newest.wasLeft = true;
        socket.client!.newest = socket;
      }
      if (message[0] === 'snapshot') this.#stateful.add(`${pageOf(socket)} ${message[1]}`);
      if (message[0] === 'subscribed' && message[4] === 'gap') {
        this.#stateful.delete(`${pageOf(socket)} ${message[2]}`);
      }
      const isAnswer = message[0] === 'subscribed' || message[0] === 'unsubscribed';
      if (isAnswer && socket.asked.get(message[2]) === message[1]) socket.asking.delete(message[2]);
      if (message[0] === 'reply' || message[0] === 'error' || message[0] === 'done') {
        socket.window.delete(message[1]);
        socket.streams.delete(message[1]);
      }
    }
  }

  /** The messages of a frame, of one in parts with the last of them. */
  #whole<Message>(socket: SocketWire, way: 'up' | 'down' | 'arrived', frame: string): readonly Message[] {
    if (!frame.startsWith(MARK)) return JSON.parse(frame) as readonly Message[];
    const whole = socket[way].take(frame);
    const [s = '', left] = frame.split(',', 2);
    if (way === 'down' && left !== '0') socket.unfinished.add(s);
    else if (way === 'down') socket.unfinished.delete(s);
    if (whole !== frame) return whole === undefined ? [] : (JSON.parse(whole) as readonly Message[]);
    this.#violation(socket, `${frame.slice(0, 20)} is no part that may come there`);
    return [];
  }

  #clientSays(socket: SocketWire, message: ClientMessage): void {
    if ((socket.client === undefined) !== (message[0] === 'hello')) {
      return this.#violation(socket, `${message[0]} where hello belongs, or hello where it does not`);
    }
    const { newest } = socket.client ?? {};
    if (newest !== undefined && newest !== socket && socket.welcome !== undefined && NEW.has(message[0])) {
      this.#violation(socket, `${message[0]} is said on a socket that ${newest.name} has succeeded`);
    }
    switch (message[0]) {
      case 'hello':
        return this.#hello(socket, message[1]);
      case 'call':
        return this.#asks(socket, message[1], message[2] !== 'look');
      case 'open':
        return this.#opens(socket, message[1]);
      case 'publish':
        return message[1] === 0 ? this.#acts(socket, 'publish 0') : this.#asks(socket, message[1], true);
      case 'auth':
        socket.client!.newestId = Math.max(socket.client!.newestId, message[1]);
        return this.#acts(socket, 'auth');
      case 'floor':
        return this.#floor(socket, message.slice(1) as unknown as readonly number[]);
      case 'subscribe':
        return this.#subscribes(socket, message);
      case 'pong':
        socket.pinged.delete(message[1]);
        return;
      case 'unsubscribe':
        socket.asking.delete(message[1]);
        return;
      default:
    }
  }

  #hello(socket: SocketWire, hello: Hello): void {
    const { client: name, n, floor } = hello;
    this.hellos.set(pageOf(socket), hello);
    const client = this.#clients.get(name) ?? {
      newest: undefined,
      lastOn: new Map(),
      upTo: new Map(),
      newestId: 0,
      floor: [1],
      sockets: 0,
    };
    this.#clients.set(name, client);
    if (n <= client.sockets) this.#violation(socket, `hello number ${String(n)} after ${String(client.sockets)}`);
    client.sockets = n;
    socket.client = client;
    socket.clientName = name;
    socket.n = n;
    this.#floor(socket, floor);
  }

  /** Something that needs an answer. */
  #asks(socket: SocketWire, id: number, acts: boolean): void {
    const client = socket.client!;
    const what = `id ${String(id)}`;
    if (acts) this.#acts(socket, what);
    this.#writes(socket, id);
    // Queries with higher ids may have overtaken it in parts.
    const isNew = !client.lastOn.has(id);
    const waited = client.lastOn.get(id)?.wasLeft === true;
    client.lastOn.set(id, socket);
    if (acts && !isNew && !waited) {
      if (id < socket.resent) this.#violation(socket, `${what} is sent again after ${String(socket.resent)}`);
      if (socket.sentNew) this.#violation(socket, `${what} is sent again after new ones`);
      socket.resent = id;
    } else if (acts && isNew) socket.sentNew = true;
    client.newestId = Math.max(client.newestId, id);
    socket.window.add(id);
    const most = socket.welcome?.limits.calls ?? CALLS_BEFORE_WELCOME;
    if (socket.window.size > most)
      this.#violation(socket, `${String(socket.window.size)} calls in a window of ${String(most)}`);
  }

  #opens(socket: SocketWire, id: number): void {
    const client = socket.client!;
    this.#acts(socket, `stream ${String(id)}`);
    this.#writes(socket, id);
    client.newestId = Math.max(client.newestId, id);
    socket.streams.add(id);
    const most = socket.welcome?.limits.streams ?? 0;
    if (socket.streams.size > most)
      this.#violation(socket, `${String(socket.streams.size)} streams of ${String(most)}`);
  }

  #writes(socket: SocketWire, id: number): void {
    const what = `id ${String(id)}`;
    const isTwice = socket.window.has(id) || socket.streams.has(id) || socket.answered.has(id);
    if (isSettled(socket.client!.floor, id))
      this.#violation(socket, `${what} is written, though the floor has settled it`);
    if (isTwice) this.#violation(socket, `${what} is written twice`);
  }

  #acts(socket: SocketWire, what: string): void {
    if (socket.welcome === undefined) this.#violation(socket, `${what} acts, and was written before the welcome`);
  }

  #floor(socket: SocketWire, floor: readonly number[]): void {
    const client = socket.client!;
    if (floor[0]! < client.floor[0]!) this.#violation(socket, `the floor falls to ${String(floor[0])}`);
    client.floor = floor;
    for (const ids of [socket.window, socket.streams]) for (const id of ids) if (isSettled(floor, id)) ids.delete(id);
  }

  #subscribes(
    socket: SocketWire,
    [, n, topic, from]: Extract<ClientMessage, readonly ['subscribe', ...unknown[]]>,
  ): void {
    if (socket.asking.has(topic) && from != null) this.#violation(socket, `asks for ${topic} before it was answered`);
    socket.asking.add(topic);
    const page = pageOf(socket);
    if (isState(topic) && from != null && !this.#stateful.has(`${page} ${topic}`)) {
      this.#violation(socket, `asks for ${topic} from a position before its state has come`);
    }
    const last = this.#subscribeNumbers.get(page) ?? 0;
    if (n <= last) this.#violation(socket, `subscribe ${String(n)} after ${String(last)}`);
    this.#subscribeNumbers.set(page, n);
  }

  #cancelled(socket: SocketWire, id: number, withinMs = 1): void {
    this.#world.later(withinMs, () => {
      if (socket.closed || socket.retired) return;
      if (socket.unfinished.size + socket.pinged.size > 0) this.#cancelled(socket, id, 50);
      else if (socket.got.has(id) && !socket.answered.has(id) && !isSettled(socket.client!.floor, id)) {
        this.#violation(socket, `id ${String(id)} was cancelled, and is not settled`);
      }
    });
  }

  #serverSays(socket: SocketWire, message: ServerMessage): void {
    if (socket.serverSpoke === (message[0] === 'welcome')) {
      this.#violation(socket, `${message[0]} where welcome belongs, or welcome where it does not`);
    }
    socket.serverSpoke = true;
    switch (message[0]) {
      case 'welcome':
        return this.#welcome(socket, message[1]);
      case 'reply':
      case 'error':
      case 'done':
        return this.#answers(socket, message[1]);
      case 'ping':
        socket.pinged.add(message[1]);
        return;
      case 'item':
        return this.#item(socket, message[1], message[2]);
      case 'subscribed':
        return this.#subscribed(socket, message);
      case 'snapshot':
        return this.#snapshot(socket, message[1], message[2]);
      case 'event':
        return this.#event(socket, message[1], message[2]);
      default:
    }
  }

  #welcome(socket: SocketWire, { memory, identity }: Welcome): void {
    const { clientName: client, n, node } = socket;
    const owner = this.#owners.get(memory) ?? { client, identity };
    this.#owners.set(memory, owner);
    if (owner.client !== client) this.#violation(socket, 'is given the memory of another client');
    if (owner.identity !== identity) this.#violation(socket, 'is given a memory that belongs to another identity');
    const known = this.#memories.get(`${memory} ${node}`);
    if (known === undefined) {
      this.#memories.set(`${memory} ${node}`, { n, newest: socket });
      return;
    }
    if (n <= known.n) this.#violation(socket, `number ${String(n)} is welcomed after ${String(known.n)}`);
    const older = known.newest;
    known.n = n;
    known.newest = socket;
    const serving = older.replaces?.closed === false ? older.replaces : undefined;
    older.replaces = undefined;
    socket.replaces = serving ?? older;
    // Of two that have not spoken the first is given up.
    if (serving !== undefined) this.#retire(older, socket);
  }

  /** It has to be closed soon. */
  #retire(older: SocketWire, socket: SocketWire): void {
    older.retired = true;
    this.#world.later(RETIRED_MS + 100, () => {
      if (!older.closed) this.#violation(older, `is open ${String(RETIRED_MS)} ms after ${socket.name} took over`);
    });
  }

  #answers(socket: SocketWire, id: number): void {
    if (!socket.got.has(id)) this.#violation(socket, `id ${String(id)} is answered where it was not sent`);
    if (socket.answered.has(id)) this.#violation(socket, `id ${String(id)} is answered twice`);
    socket.answered.add(id);
  }

  #item(socket: SocketWire, id: number, seq: number): void {
    const most = socket.client!.upTo.get(id) ?? 0;
    if (seq > most)
      this.#violation(socket, `item ${String(seq)} of ${String(id)}, of ${String(most)} that were asked for`);
    if (!socket.got.has(id)) this.#violation(socket, `an item of ${String(id)} where it was not opened`);
    if (socket.answered.has(id)) this.#violation(socket, `item ${String(seq)} of ${String(id)} comes after its end`);
  }

  #subscribed(
    socket: SocketWire,
    [, n, topic, position, word]: Extract<ServerMessage, readonly ['subscribed', ...unknown[]]>,
  ): void {
    const before = socket.topics.get(topic);
    const asked = socket.asked.get(topic);
    if (asked === undefined || n > asked)
      this.#violation(socket, `subscribed ${String(n)} to ${topic} was not asked for`);
    if (before !== undefined && n < before.n)
      this.#violation(socket, `subscribed ${String(n)} to ${topic} after ${String(before.n)}`);
    socket.topics.set(topic, { n, position, owesSnapshot: isState(topic) && word !== 'resumed' });
  }

  #snapshot(socket: SocketWire, topic: string, position: Position): void {
    const wire = socket.topics.get(topic);
    if (wire?.owesSnapshot !== true || wire.position.join() !== position.join()) {
      return this.#violation(socket, `a snapshot of ${topic} at ${position.join(':')} that belongs nowhere`);
    }
    wire.owesSnapshot = false;
  }

  #event(socket: SocketWire, topic: string, offset: number): void {
    const wire = socket.topics.get(topic);
    const what = `event ${String(offset)} of ${topic}`;
    if (wire === undefined) return this.#violation(socket, `${what} comes before its subscribed`);
    if (wire.owesSnapshot) this.#violation(socket, `${what} comes before the snapshot`);
    if (offset !== wire.position[1] + 1) this.#violation(socket, `${what} follows on ${wire.position.join(':')}`);
    wire.position = [wire.position[0], offset];
  }

  #checkSize(socket: SocketWire, messages: readonly ClientMessage[], bytes: number): void {
    if (bytes > FRAME_BEFORE_WELCOME) this.#violation(socket, `a frame of ${String(bytes)} bytes before the welcome`);
    if (messages[0]?.[0] !== 'hello') socket.bytes += bytes;
    for (const [name] of messages) if (name === 'call') socket.calls++;
    if (socket.calls > CALLS_BEFORE_WELCOME)
      this.#violation(socket, `${String(socket.calls)} calls before the welcome`);
    if (socket.bytes > BYTES_BEFORE_WELCOME)
      this.#violation(socket, `${String(socket.bytes)} bytes before the welcome`);
  }

  #violation(socket: SocketWire, text: string): void {
    this.#world.violation(`on ${socket.name}: ${text}`);
  }
}

function allow(socket: SocketWire, id: number, upTo: number): void {
  const { upTo: allowed } = socket.client!;
  allowed.set(id, Math.max(allowed.get(id) ?? 0, upTo));
}

const pageOf = ({ name }: SocketWire): string => name.split('#')[0]!;
const isState = (topic: string): boolean => /^(boards|shots|rooms)\//.test(topic);

function isSettled([below, ...except]: readonly number[], id: number): boolean {
  return id < below! && !except.includes(id);
}

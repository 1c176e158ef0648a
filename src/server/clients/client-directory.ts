import type { Deadline, Deadlines } from '../../primitives/deadlines.ts';
import * as CloseCode from '../../protocol/close-code.ts';
import { Client } from './client.ts';
import type { ClientSocket } from './client.ts';
import type { AbortedCalls } from '../calls/call-memory.ts';
import type { CallStore } from '../calls/call-store.ts';
import { Claims } from '../calls/claims.ts';
import type { Report } from '../app/reporter.ts';
import type { ResolvedLimits } from '../app/server-options.ts';

/** Who says hello, after `authenticate` has spoken. */
export interface Greeting {
  readonly client: string;
  readonly n: number;
  readonly floor: readonly [id: number, ...except: number[]];
  readonly identity: string;
  /** As the call store names it; `undefined` where there is none, or it is away. */
  readonly memory: string | undefined;
}

/** The client that a socket now belongs to, or the code that refuses the socket. */
export type Attached =
  | { readonly client: Client; readonly isNew: boolean; readonly refused?: undefined }
  | { readonly refused: number; readonly reason: string };

/** How the sockets of a client that is put out are closed. */
export interface Ending {
  readonly code: number;
  readonly reason: string;
}

/** Why an older socket is closed. */
export const NEWER = 'a newer socket of this client exists';

/** A client comes back after it, as after any code that no table names. */
const COME_BACK = 4000;
const LOST = 'what was remembered of calls is lost';

/** Why another's socket is closed. */
export const OTHERS = 'this client belongs to another identity';

/** Options of a {@link ClientDirectory}. */
export interface ClientDirectoryOptions {
  readonly limits: ResolvedLimits;
  readonly windowMs: number;
  readonly deadlines: Deadlines;
  readonly neglected: AbortedCalls;
  /** Clients of this identity are not counted: it is everyone's. */
  readonly anonymous: string | undefined;
  readonly callStore: CallStore | undefined;
  readonly report: Report;
}

/**
 * All clients that the server remembers. One without a socket is forgotten by age, by count and by bytes, which is
 * always safe: it finds another name of its memory and knows.
 */
export class ClientDirectory {
  readonly #options: ClientDirectoryOptions;
  readonly #clients = new Map<string, Client>();
  /** Clients without a socket, the longest gone first, and when each is forgotten. */
  readonly #away = new Map<Client, Deadline>();
  readonly #awayOf = new Map<string, Set<Client>>();
  /** Clients whose answers take more than `answerBytes`. */
  readonly #over = new Set<Client>();
  #bytes = 0;

  constructor(options: ClientDirectoryOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#clients.size;
  }

  /** Clients at whose work the server is, or whose answers it keeps. */
  clients(): Iterable<Client> {
    return this.#clients.values();
  }

  /** Gives a socket to its client; an older socket of it is retired (PROTOCOL.md, calls across sockets, rule 6). */
  attach({ client: id, n, floor, identity, memory }: Greeting, socket: ClientSocket): Attached {
    let client = this.#clients.get(id);
    // What all servers say counts: what this one remembers under another name is no more.
    if (client !== undefined && memory !== undefined && client.memory !== memory) {
      for (const left of [client.socket, client.serving, client.retired]) left?.close(COME_BACK, LOST);
      this.forget(client);
      client = undefined;
    }
    const isNew = client === undefined;
    if (client !== undefined && client.identity !== identity) {
      return { refused: CloseCode.OTHER_IDENTITY, reason: OTHERS };
    }
    if (client !== undefined && n <= client.n) {
      return { refused: CloseCode.TAKEN_OVER, reason: NEWER };
    }
    client ??= this.#make(id, identity, memory);
    this.#cameBack(client);
    client.n = n;
    client.raise(floor[0], floor.slice(1));
    const older = client.socket;
    client.socket = socket;
    // Of two that have not spoken since their welcome the client has given up the first.
    if (client.serving !== undefined) older?.close(CloseCode.TAKEN_OVER, NEWER);
    else client.serving = older;
    return { client, isNew };
  }

  /** A welcomed socket spoke. If it is the newest, the one before is retired. */
  spoke(client: Client, socket: ClientSocket): void {
    const older = client.serving;
    if (older === undefined || client.socket !== socket) return;
    client.serving = undefined;
    client.retired?.close(CloseCode.TAKEN_OVER, NEWER);
    client.retired = older;
    older.retire();
    // What it said on the older one may not be so any more: it may have said that elsewhere.
    client.eachStay((stay) => stay.away());
  }

  /** A socket of the client is gone. With 1000 on the newest one the client said that it will not come back. */
  detach(client: Client, socket: ClientSocket, code: number | undefined): void {
    if (client.retired === socket) client.retired = undefined;
    if (client.serving === socket) client.serving = undefined;
    if (client.socket === socket) {
      client.socket = client.serving;
      client.serving = undefined;
      if (code === CloseCode.NORMAL) {
        client.claims?.forget(client.n);
        return this.forget(client);
      }
    }
    if (client.isAway) this.#wentAway(client);
  }

  /** All clients of an identity are gone for good, with a socket or between two. */
  endAll(identity: string, why: Ending): void {
    for (const client of [...this.#clients.values()]) if (client.identity === identity) this.end(client, why);
  }

  /** One is. */
  end(client: Client, { code, reason }: Ending): void {
    // First: what runs is aborted, and says nothing more on a socket.
    for (const socket of [client.socket, client.serving, client.retired]) socket?.cutOff(code, reason);
    client.claims?.forget(client.n);
    this.forget(client);
  }

  /** Nothing of the client is remembered: what runs of it is aborted. */
  forget(client: Client): void {
    if (this.#clients.get(client.id) !== client) return;
    this.#clients.delete(client.id);
    this.#cameBack(client);
    client.clear();
    for (const left of [client.socket, client.serving, client.retired]) left?.close(CloseCode.NORMAL, '');
  }

  close(): void {
    for (const client of [...this.#clients.values()]) this.forget(client);
  }

  #make(id: string, identity: string, memory: string | undefined): Client {
    const { limits, neglected, callStore: store, deadlines, report } = this.#options;
    const claims =
      store === undefined || memory === undefined
        ? undefined
        : new Claims({ client: id, memory }, { store, deadlines, report, gone: () => this.#lost(client) });
    const count = (delta: number): void => this.#count(client, delta);
    const client: Client = new Client(id, identity, limits, count, neglected, memory, claims);
    this.#clients.set(id, client);
    return client;
  }

  /** The store has lost what it remembered: the client comes back, finds another name and knows. */
  #lost(client: Client): void {
    for (const socket of [client.socket, client.serving, client.retired]) socket?.cutOff(COME_BACK, LOST);
    this.forget(client);
  }

  #wentAway(client: Client): void {
    if (this.#clients.get(client.id) !== client || this.#away.has(client)) return;
    const { limits, windowMs, deadlines, anonymous } = this.#options;
    client.claims?.leave(client.n, windowMs);
    client.eachStay((stay) => stay.away());
    this.#away.set(
      client,
      deadlines.add(performance.now() + windowMs, () => this.forget(client)),
    );
    if (client.identity !== anonymous) {
      const same = this.#awayOf.get(client.identity) ?? new Set();
      this.#awayOf.set(client.identity, same.add(client));
      if (same.size > limits.clientsPerIdentity) this.#forgetFirst(same);
    }
    if (this.#away.size > limits.clients) this.#forgetFirst(this.#away.keys());
  }

  #cameBack(client: Client): void {
    const deadline = this.#away.get(client);
    if (deadline === undefined) return;
    this.#options.deadlines.remove(deadline);
    this.#away.delete(client);
    const same = this.#awayOf.get(client.identity);
    same?.delete(client);
    if (same?.size === 0) this.#awayOf.delete(client.identity);
  }

  #forgetFirst(clients: Iterable<Client>): void {
    for (const first of clients) return this.forget(first);
  }

  /** Where all answers take too much, those that take more than they are promised go first, then clients that are gone. */
  #count(client: Client, delta: number): void {
    const { memoryBytes } = this.#options.limits;
    this.#bytes += delta;
    if (client.calls.isOver) this.#over.add(client);
    else if (this.#over.size > 0) this.#over.delete(client);
    if (delta <= 0) return;
    for (const over of this.#over) {
      if (this.#bytes <= memoryBytes) return;
      over.calls.trim();
    }
    if (this.#bytes > memoryBytes) this.#forgetFirst(this.#away.keys());
  }
}

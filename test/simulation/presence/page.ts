import { connect, createClient } from '../../../src/index.ts';
import type { Client, Connection, Position, Stay } from '../../../src/index.ts';
import type { Process } from '../clock.ts';
import type { Tap } from '../network.ts';
import { contract, ROOMS, topicOf, type Info, type RoomId, type Tree } from './presence-contract.ts';
import type { PresenceWorld } from './presence-world.ts';

interface Held {
  readonly stay: Stay<Info>;
  word: number;
}

/** What a page has said of a room, and whether a server knows. */
interface Standing {
  /** The one that spoke last at the end. */
  readonly held: Held[];
  /** Since then a server has had it there without a pause that anybody may see, ms. */
  since: number | undefined;
  /** Since then it may be without a server that has it there, ms. */
  lostAt: number | undefined;
}

/** One tab of somebody: it enters rooms, leaves them, and follows all. */
export class Page {
  readonly process: Process;
  readonly user: string;
  readonly connection: Connection;
  readonly client: Client<Tree>;
  /** Its tab was closed: it says nothing more. */
  isGone = false;
  readonly #world: PresenceWorld;
  readonly #standings = new Map<RoomId, Standing>(
    ROOMS.map((room) => [room, { held: [], since: undefined, lostAt: undefined }]),
  );
  readonly #said = new Set<string>();
  /** Ids said on the newest socket that no other one carried, by what they are about. */
  readonly #asked = new Map<string, { readonly room: RoomId; readonly at: number }>();

  constructor(world: PresenceWorld, name: string, user: string) {
    this.#world = world;
    this.user = user;
    this.process = { name, frozenUntil: 0 };
    const { clock, network, random } = world;
    this.connection = clock.as(this.process, () =>
      connect('ws://simulation.test/', {
        WebSocket: network.socketsOf(this.process, this.#tap),
        lifecycle: false,
        random: random.next,
        connectTimeoutMs: 2_000,
        heartbeat: { timeoutMs: 1_000, probeMs: 500 },
        auth: () => user,
      }),
    );
    this.client = createClient(contract, this.connection);
    this.connection.on('error', (error) => this.#violation(`reports ${String(error)}`));
    this.connection.on('status', (status) => {
      world.trace(`${name} is ${status.state}`);
      if (status.state !== 'connected') this.lose();
      if (status.state !== 'waiting') return;
      clock.after(random.below(400), this.process, () => {
        if (this.connection.status === status) this.connection.reconnect();
      });
    });
    clock.as(this.process, () => ROOMS.forEach((room) => this.#follow(room)));
  }

  /** Whether it wants to be there. */
  isIn(room: RoomId): boolean {
    return !this.isGone && this.#at(room).held.length > 0;
  }

  /** What it said last there. */
  word(room: RoomId): number | undefined {
    return this.#at(room).held.at(-1)?.word;
  }

  /** Since when nobody may see it gone, ms. */
  presentSince(room: RoomId, quietMs: number): number | undefined {
    const { since, lostAt } = this.#at(room);
    if (this.isGone || since === undefined) return undefined;
    return lostAt !== undefined && this.#world.clock.now - lostAt >= quietMs ? undefined : since;
  }

  /** What it sees. */
  state(room: RoomId): ReadonlyArray<{ id: string; info: Info; connections: number }> | undefined {
    return this.client.here({ id: room }).state.get();
  }

  enter(room: RoomId): void {
    const word = this.#world.nextWord();
    this.#world.trace(`${this.process.name} enters ${room}: ${String(word)}`);
    const standing = this.#at(room);
    if (standing.held.length === 0) standing.since = undefined;
    standing.held.push({ stay: this.client.here({ id: room }).enter({ word }), word });
  }

  update(room: RoomId): void {
    const { held } = this.#at(room);
    const one = held.shift();
    if (one === undefined) return;
    one.word = this.#world.nextWord();
    this.#world.trace(`${this.process.name} says in ${room}: ${String(one.word)}`);
    held.push(one);
    one.stay.update({ word: one.word });
  }

  leave(room: RoomId): void {
    const standing = this.#at(room);
    this.#world.trace(`${this.process.name} leaves ${room}`);
    standing.held.pop()?.stay.leave();
    if (standing.held.length === 0) standing.since = undefined;
  }

  /** Its tab is closed: with a word, or without. */
  close(saysGoodbye: boolean): void {
    const { clock, network, trace } = this.#world;
    trace(`${this.process.name} is closed${saysGoodbye ? '' : ' without a word'}`);
    this.isGone = true;
    if (saysGoodbye) return clock.as(this.process, () => void this.connection.close());
    this.process.frozenUntil = Infinity;
    for (const socket of [...network.sockets]) if (socket.process === this.process) network.cut(socket);
  }

  /** A server may have lost it just now. */
  lose(): void {
    for (const standing of this.#standings.values()) standing.lostAt ??= this.#world.clock.now;
  }

  #at(room: RoomId): Standing {
    return this.#standings.get(room)!;
  }

  /** Follows it until it is gone. Each event follows on the one before, or a gap is told. */
  #follow(room: RoomId): void {
    let at: Position | undefined;
    this.client.here({ id: room }).subscribe({
      snapshot: (_state, position) => (at = position),
      event: (_event, position) => {
        if (at?.[0] !== position[0] || at[1] + 1 !== position[1])
          this.#violation(`hears ${topicOf(room)} at ${String(position)} after ${String(at)}`);
        at = position;
      },
      gap: ({ to }) => (at = to),
      status: (state, error) => {
        if (state !== 'ended' || error === undefined || this.isGone) return;
        // Whoever was never live is told that the server failed.
        if (error.code !== 'INTERNAL') this.#violation(`follows ${topicOf(room)} no more: ${error.message}`);
        this.#world.clock.after(1_000, this.process, () => this.#follow(room));
      },
    });
  }

  #violation(what: string): void {
    if (!this.isGone) this.#world.violation(`${this.process.name} ${what}`);
  }

  readonly #tap: Tap = {
    says: (frame) => {
      if (frame.startsWith('[["hello"')) this.#asked.clear();
      for (const [, id, room] of frame.matchAll(/\["publish",([1-9]\d*),"rooms\/(\w)\/here",(?!\[\])/g)) {
        if (!this.#said.has(id!)) this.#asked.set(id!, { room: room as RoomId, at: this.#world.clock.now });
        this.#said.add(id!);
      }
    },
    hears: (frame) => {
      for (const [, id] of frame.matchAll(/\["reply",(\d+)/g)) {
        const asked = this.#asked.get(id!);
        if (asked !== undefined) this.#taken(asked.room, asked.at);
      }
    },
    isClosed: () => this.lose(),
  };

  /** A server has said that it has it there. It may have lost it since it was asked: a page that froze hears that late. */
  #taken(room: RoomId, askedAt: number): void {
    const standing = this.#at(room);
    const { now } = this.#world.clock;
    const { lostAt } = standing;
    if (lostAt !== undefined && askedAt < lostAt) return;
    standing.lostAt = undefined;
    if (standing.held.length === 0) return;
    if (lostAt !== undefined && now - lostAt >= this.#world.quietMs) standing.since = now;
    standing.since ??= now;
  }
}

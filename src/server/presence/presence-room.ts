import type { Present, PresenceEvent } from '../../contract/presence.ts';
import { isTautlineError } from '../../errors.ts';
import type { Deadline, Deadlines } from '../../primitives/deadlines.ts';

/** What a client said of its user. */
export interface Said {
  readonly info: unknown;
  /** The same as the wire has it, to compare. */
  readonly text: string;
}

/** What a room needs. */
export interface PresenceRoomOptions {
  readonly deadlines: Deadlines;
  /** Tells those who follow it; with a key, what is told again is told once. Rejects where it can't, and has reported that. */
  readonly publish: (event: PresenceEvent<unknown>, key: string) => Promise<unknown>;
  /** Begins the keys of this room, and of no other. */
  readonly name: string;
  /** Nobody is there, and all is told. */
  readonly empty: () => void;
}

/** What could not be told is told again after this time, ms. */
const AGAIN_MS = 2000;

interface Told extends Present<unknown> {
  readonly text: string;
}

interface Telling {
  readonly event: PresenceEvent<unknown>;
  readonly key: string;
  readonly told: Told | undefined;
}

/**
 * Who is in one room, and what those who follow it were told of that. What differs is told, one after the other, until
 * nothing does: a publication that fails is made again, and whoever came and went meanwhile is not told of.
 */
export class PresenceRoom {
  readonly #options: PresenceRoomOptions;
  /** By person, the clients that are there, the one that spoke last at the end. */
  readonly #members = new Map<string, Map<object, Said>>();
  readonly #told = new Map<string, Told>();
  /** Those of whom something may have to be told, the longest first. */
  readonly #changed = new Set<string>();
  #tellings = 0;
  /** At work, or waiting to try again. */
  #isTelling = false;
  #failed: Telling | undefined;
  #again: Deadline | undefined;
  #closed = false;

  constructor(options: PresenceRoomOptions) {
    this.#options = options;
  }

  /** All who are there, in the order in which they came. */
  get members(): Array<Present<unknown>> {
    return [...this.#members.keys()].map((id) => present(this.#now(id)!));
  }

  enter(id: string, client: object, said: Said): void {
    const clients = this.#members.get(id) ?? new Map<object, Said>();
    this.#members.set(id, clients);
    if (clients.get(client)?.text === said.text) return;
    clients.delete(client);
    clients.set(client, said);
    this.#tell(id);
  }

  leave(id: string, client: object): void {
    const clients = this.#members.get(id);
    clients?.delete(client);
    if (clients?.size === 0) this.#members.delete(id);
    this.#tell(id);
  }

  /** Tells nothing more. */
  close(): void {
    this.#closed = true;
    if (this.#again !== undefined) this.#options.deadlines.remove(this.#again);
  }

  #now(id: string): Told | undefined {
    const clients = this.#members.get(id);
    const last = clients && [...clients.values()].at(-1);
    return last && { id, ...last, connections: clients.size };
  }

  #tell(id: string): void {
    this.#changed.add(id);
    if (!this.#isTelling && !this.#closed) void this.#tellAll();
  }

  /** Never rejects. */
  async #tellAll(): Promise<void> {
    this.#isTelling = true;
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      try {
        await this.#options.publish(next.event, next.key);
      } catch (error) {
        if (!isHopeless(error)) return this.#later(next);
      }
      const { told, event } = next;
      if (told === undefined) this.#told.delete(event.member.id);
      else this.#told.set(told.id, told);
    }
    this.#isTelling = false;
    if (this.#members.size === 0 && !this.#closed) this.#options.empty();
  }

  /** It may have been told all the same: it is told again, by the same key, before what has changed since. */
  #later(telling: Telling): void {
    const { deadlines } = this.#options;
    if (this.#closed) return;
    this.#failed = telling;
    this.#again = deadlines.add(performance.now() + AGAIN_MS, () => void this.#tellAll());
  }

  #next(): Telling | undefined {
    if (this.#closed) return undefined;
    const failed = this.#failed;
    this.#failed = undefined;
    if (failed !== undefined) return failed;
    for (const id of this.#changed) {
      this.#changed.delete(id);
      const told = this.#now(id);
      const before = this.#told.get(id);
      if (told?.text === before?.text && told?.connections === before?.connections) continue;
      const type = told === undefined ? 'left' : before === undefined ? 'joined' : 'updated';
      const member = present(told ?? before!);
      return { event: { type, member }, key: `${this.#options.name}:${++this.#tellings}`, told };
    }
    return undefined;
  }
}

function present({ id, info, connections }: Told): Present<unknown> {
  return { id, info, connections };
}

/** No later attempt will do better. */
function isHopeless(error: unknown): boolean {
  return isTautlineError(error) && (error.code === 'BAD_INPUT' || error.code === 'BAD_PAYLOAD');
}

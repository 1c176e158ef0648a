import type { PresenceEvent } from '../../contract/presence.ts';
import { isTautlineError } from '../../errors.ts';
import type { Deadline, Deadlines } from '../../primitives/deadlines.ts';
import type { Report } from '../app/reporter.ts';
import type { PresenceStore } from './presence-store.ts';
import { hasOwn, isSame, isSameServer, noteStored, personOf, withOwn, type Person, type Said } from './registers.ts';

/** What a room needs. */
export interface PresenceRoomOptions {
  readonly topic: string;
  /** Name of this server in the store, which may change. */
  readonly server: () => string;
  readonly store: PresenceStore;
  readonly deadlines: Deadlines;
  readonly report: Report;
  /** Tells those who follow it; with a key, what is told again is told once. Rejects where it can't, and has reported that. */
  readonly publish: (type: PresenceEvent<unknown>['type'], id: string, person: Person, key: string) => Promise<unknown>;
  /** Begins the keys of this room, and of no other. */
  readonly name: string;
  /** Nobody is there, and all is told. */
  readonly empty: () => void;
}

/** What could not be stored or told is tried again after this time, ms. */
const AGAIN_MS = 2000;

/** The clients of somebody who is not here. */
const NONE: ReadonlyMap<string, Said> = new Map();

interface Telling {
  readonly id: string;
  readonly now: Person | undefined;
  readonly type: PresenceEvent<unknown>['type'];
  readonly person: Person;
  readonly key: string;
}

/**
 * Who is in one room by this server, and what becomes of that. One person after the other, it is stored, then told, and then
 * looked at once more: whoever tells last of somebody has seen what all have stored of him. What fails is done again, and
 * whoever came and went meanwhile is not told of.
 */
export class PresenceRoom {
  readonly #options: PresenceRoomOptions;
  /** By person, the clients that are there, the one that spoke last at the end. */
  readonly #here = new Map<string, Map<string, Said>>();
  /** Those of whom something may have to be told, the longest first, and the servers that died with clients of theirs. */
  readonly #changed = new Map<string, Set<string>>();
  /** Those whom the store lists as this server's, by which name of it, and what it has of them, as far as is known. */
  readonly #listed = new Map<string, string>();
  readonly #known = new Map<string, string>();
  /** What was told at last of the one it is at, and of those with whom it was interrupted. */
  readonly #told = new Map<string, Person | undefined>();
  #tellings = 0;
  /** At work, or waiting to try again. */
  #isBusy = false;
  #failed: Telling | undefined;
  #again: Deadline | undefined;
  #closed = false;

  constructor(options: PresenceRoomOptions) {
    this.#options = options;
  }

  enter(id: string, client: string, text: string): void {
    const clients = this.#here.get(id) ?? new Map<string, Said>();
    this.#here.set(id, clients);
    if (clients.get(client)?.text === text) return;
    clients.delete(client);
    clients.set(client, { client, text });
    this.#change(id);
  }

  leave(id: string, client: string): void {
    const clients = this.#here.get(id);
    clients?.delete(client);
    if (clients?.size === 0) this.#here.delete(id);
    this.#change(id);
  }

  /** Tells of somebody in the place of a server that is dead, or of a name that this one had. */
  adopt(id: string, dead: string): void {
    this.#change(id, dead);
  }

  /** The server has another name. */
  storeAgain(): void {
    for (const id of this.#here.keys()) this.#change(id);
  }

  /** Does nothing more. */
  close(): void {
    this.#closed = true;
    if (this.#again !== undefined) this.#options.deadlines.remove(this.#again);
  }

  #change(id: string, dead?: string): void {
    const gone = this.#changed.get(id) ?? new Set();
    this.#changed.set(id, dead === undefined ? gone : gone.add(dead));
    if (!this.#isBusy && !this.#closed) void this.#work();
  }

  /** Never rejects. */
  async #work(): Promise<void> {
    this.#isBusy = true;
    try {
      if (this.#failed !== undefined) await this.#publish(this.#failed);
      for (const [id, gone] of this.#changed) {
        await this.#settle(id, gone);
        if (this.#closed) return;
      }
    } catch (error) {
      if (this.#closed) return;
      const { report, topic, deadlines } = this.#options;
      if (this.#failed === undefined) report(error, { during: 'broker', path: topic });
      this.#again = deadlines.add(performance.now() + AGAIN_MS, () => void this.#work());
      return;
    }
    this.#isBusy = false;
    if (this.#here.size === 0) this.#options.empty();
  }

  async #settle(id: string, gone: Set<string>): Promise<void> {
    const { topic, store } = this.#options;
    const server = this.#options.server();
    this.#changed.delete(id);
    try {
      const { isLost, isOther } = await this.#store(id, server, gone);
      const isUnknown = [...gone].some((dead) => !isSameServer(dead, server));
      await this.#tellOf(id, isLost, isOther || isUnknown);
      // A store that has lost something has what this server had said before.
      if (!hasOwn(this.#known.get(id)!, server, this.#here.get(id) ?? NONE)) return this.#settleAgain(id, gone);
      this.#told.delete(id);
      for (const dead of gone) await store.release(dead, topic, id);
      if (this.#here.has(id)) return;
      // What fails may have been done all the same.
      this.#listed.delete(id);
      await store.release(server, topic, id);
      this.#known.delete(id);
    } catch (error) {
      this.#settleAgain(id, gone);
      throw error;
    }
  }

  #settleAgain(id: string, gone: ReadonlySet<string>): void {
    const changed = this.#changed.get(id) ?? new Set();
    this.#changed.set(id, changed);
    for (const dead of gone) changed.add(dead);
  }

  /**
   * Has the store say what is so on this server. Gives whether it had lost that, or others had taken it out; and whether it
   * had something else than what was told, as after a step that failed and was done: a snapshot may have shown that.
   */
  async #store(id: string, server: string, gone: ReadonlySet<string>): Promise<{ isLost: boolean; isOther: boolean }> {
    const { topic, store } = this.#options;
    const isInterrupted = this.#told.has(id);
    let [isLost, isOther] = [false, false];
    for (let stored = this.#known.get(id) ?? ''; ;) {
      const listed = this.#listed.get(id);
      if (listed !== server) await store.hold(server, topic, id);
      this.#listed.set(id, server);
      if (listed !== undefined && listed !== server) await store.release(listed, topic, id);
      // What is told of him is what was stored, where each came to tell.
      if (!isInterrupted && !isLost) this.#told.set(id, personOf(stored));
      const instead = withOwn(stored, server, this.#here.get(id)?.values() ?? [], gone);
      const found = await store.replace(topic, id, stored, instead);
      this.#known.set(id, found);
      if (found === instead) break;
      isLost ||= found === '';
      isOther ||= isInterrupted && !isSame(personOf(found), this.#told.get(id));
      // With what is not so any more it may have lost who is whose.
      if (stored !== '') this.#listed.delete(id);
      stored = found;
    }
    noteStored(this.#known.get(id)!, server, this.#here.get(id) ?? NONE);
    return { isLost, isOther };
  }

  /** Tells until what is stored was told. What was lost, and what a dead server did, is told in any case. */
  async #tellOf(id: string, isLost: boolean, isUnknown: boolean): Promise<void> {
    const { topic, store, name } = this.#options;
    let isDue = isLost || isUnknown;
    for (;;) {
      const was = this.#told.get(id);
      const stored = this.#known.get(id)!;
      const now = personOf(stored);
      const hasLeft = now?.connections === 0;
      // A snapshot may have had one of whom nothing was told.
      if (isDue || !isSame(was, now) || (hasLeft && was === undefined)) {
        const type = !isThere(now) ? 'left' : isThere(was) && !isLost ? 'updated' : 'joined';
        const person = isThere(now) || !isThere(was) ? now : was;
        if (person !== undefined) await this.#publish({ id, now, type, person, key: `${name}:${++this.#tellings}` });
        isDue = false;
      } else if (!hasLeft) return;
      // Another server may have stored something since, and told it before this one did.
      this.#known.set(id, await store.replace(topic, id, stored, hasLeft ? '' : stored));
    }
  }

  /** It may have been told all the same when it fails: then it is told again, by the same key, before anything else. */
  async #publish(telling: Telling): Promise<void> {
    const { id, now, type, person, key } = telling;
    this.#failed = telling;
    try {
      await this.#options.publish(type, id, person, key);
    } catch (error) {
      if (!isHopeless(error)) throw error;
    }
    this.#failed = undefined;
    this.#told.set(id, now);
  }
}

function isThere(person: Person | undefined): person is Person {
  return person !== undefined && person.connections > 0;
}

/** No later attempt will do better. */
function isHopeless(error: unknown): boolean {
  return isTautlineError(error) && (error.code === 'BAD_INPUT' || error.code === 'BAD_PAYLOAD');
}

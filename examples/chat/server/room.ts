import { HISTORY_SIZE, type Message } from '../contract.ts';

/** What the room tells: whoever made it publishes this. */
export interface RoomEvents {
  readonly message: (message: Message) => void;
  readonly user: (user: { name: string; here: boolean }) => void;
}

/** A person: known by the session that its page made up; the name is what others see. */
interface Member {
  readonly name: string;
  /** Runs while the person has no connection. */
  leaving?: NodeJS.Timeout | undefined;
}

/** Someone who lost the connection keeps the name this long: nobody leaves and comes back for a short hole. */
const LEAVE_AFTER_MS = 20_000;

/** Everything the chat knows. It lives in this process only, and is gone when the process is. */
export class Room {
  readonly #events: RoomEvents;
  readonly #members = new Map<string, Member>();
  /** Which session is at the other end of each line. */
  readonly #lines = new Map<string, string>();
  readonly #messages = new Map<string, Message>();
  #lastAt = 0;

  constructor(events: RoomEvents) {
    this.#events = events;
  }

  /** The latest messages, oldest first. */
  get messages(): Message[] {
    return [...this.#messages.values()];
  }

  /** Names of those who are here. */
  get names(): string[] {
    return Array.from(this.#members.values(), ({ name }) => name);
  }

  nameOf(session: string): string | undefined {
    return this.#members.get(session)?.name;
  }

  /** A page of this session is on this line. */
  arrived(session: string, line: string): void {
    this.#lines.set(line, session);
    this.#watch(session);
  }

  /** A line is gone; its page may come back on another. */
  gone(line: string): void {
    const session = this.#lines.get(line);
    this.#lines.delete(line);
    if (session !== undefined) this.#watch(session);
  }

  /** Takes a name; `false` when somebody else has it. */
  join(session: string, name: string): boolean {
    for (const [other, member] of this.#members) {
      if (other !== session && key(member.name) === key(name)) return false;
    }
    const before = this.#members.get(session);
    if (before?.name === name) return true;
    if (before) this.#leave(session, before);
    this.#members.set(session, { name });
    this.#watch(session);
    this.#events.user({ name, here: true });
    return true;
  }

  /** Who has no line left leaves, unless one comes back soon. */
  #watch(session: string): void {
    const member = this.#members.get(session);
    if (!member) return;
    clearTimeout(member.leaving);
    if ([...this.#lines.values()].includes(session)) return;
    member.leaving = setTimeout(() => this.#leave(session, member), LEAVE_AFTER_MS);
  }

  #leave(session: string, member: Member): void {
    clearTimeout(member.leaving);
    this.#members.delete(session);
    this.#events.user({ name: member.name, here: false });
  }

  /** Adds a message, once: an id that is already there answers with what was said under it. */
  say(id: string, author: string, text: string): Message {
    const known = this.#messages.get(id);
    if (known) return known;
    // Times only rise, so that every page can put messages in the same order by them.
    this.#lastAt = Math.max(Date.now(), this.#lastAt + 1);
    const message: Message = { id, author, text, at: new Date(this.#lastAt) };
    // Commit first, then publish.
    this.#messages.set(id, message);
    for (const oldest of this.#messages.keys()) {
      if (this.#messages.size <= HISTORY_SIZE) break;
      this.#messages.delete(oldest);
    }
    this.#events.message(message);
    return message;
  }
}

/** Names that differ in upper and lower case only are the same name. */
function key(name: string): string {
  return name.normalize('NFKC').toLowerCase();
}

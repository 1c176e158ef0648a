import type { Present } from '../../contract/presence.ts';
import { TautlineError } from '../../errors.ts';
import type { Codec } from '../../payload.ts';
import type { Deadline, Deadlines } from '../../primitives/deadlines.ts';
import type { Position } from '../../protocol/messages.ts';
import { whenReady } from '../app/now-or-later.ts';
import { refusalOf } from '../app/refusal.ts';
import type { Report } from '../app/reporter.ts';
import type { ResolvedLimits, ResolvedTimes } from '../app/server-options.ts';
import type { Client, ClientStay } from '../clients/client.ts';
import { randomName } from '../random-name.ts';
import type { Publisher } from '../topics/publisher.ts';
import type { TopicHub } from '../topics/topic-hub.ts';
import type { FoundTopic } from '../topics/topic-index.ts';
import { PresenceLease } from './presence-lease.ts';
import { PresenceRoom } from './presence-room.ts';
import type { PresenceStore } from './presence-store.ts';
import { personOf, type Person } from './registers.ts';

/** Options of a {@link PresenceTable}. */
export interface PresenceTableOptions {
  readonly codec: Codec;
  readonly deadlines: Deadlines;
  readonly report: Report;
  readonly hub: TopicHub;
  readonly publisher: Publisher;
  readonly limits: ResolvedLimits;
  readonly times: ResolvedTimes;
  readonly store: PresenceStore;
  /** Clients of this identity are nobody in particular: each is somebody else. */
  readonly anonymous: string | undefined;
}

/** Longest info, as JSON: a room is told of as many as there are people in it. */
const MOST_CHARACTERS = 4096;

/** Where it stands in the topic is no business of the one who enters: he hears of himself as the others do. */
const TAKEN: Position = ['', 0];

/** Who is in which room of this server: what its clients say, and what becomes of them when they are gone. */
export class PresenceTable {
  readonly #options: PresenceTableOptions;
  readonly #rooms = new Map<string, PresenceRoom>();
  readonly #names = new WeakMap<Client, string>();
  /** Begins the keys of this server. */
  readonly #own = randomName();
  readonly #lease: PresenceLease;
  #opened = 0;
  #closed = false;

  constructor(options: PresenceTableOptions) {
    this.#options = options;
    const { store, deadlines, report } = options;
    this.#lease = new PresenceLease({
      store,
      deadlines,
      report,
      renamed: () => {
        for (const room of this.#rooms.values()) room.storeAgain();
      },
      adopt: (topic, member, dead) => this.#adopt(topic, member, dead),
    });
  }

  /** All who are in a room, on whichever server. */
  async members(name: string): Promise<Array<Present<unknown>>> {
    const stored = await this.#options.store.members(name);
    return stored.flatMap(([id, text]) => {
      const person = personOf(text);
      return person !== undefined && person.connections > 0 ? [this.#present(id, person)] : [];
    });
  }

  /** A client enters, says something else, or leaves. @throws TautlineError where it may not, or says too much */
  take(client: Client, found: FoundTopic, said: readonly unknown[]): Position {
    if (said.length === 0) this.leave(client, found.name);
    else if (!this.#closed) this.#enter(client, found, said[0]);
    return TAKEN;
  }

  /** It may not be there, or does not want to. */
  leave(client: Client, name: string): void {
    client.stays.get(name)?.end();
  }

  /** Tells nothing more: whoever is here comes back to another server, or to this one when it is there again. */
  close(): void {
    this.#closed = true;
    this.#lease.close();
    for (const room of this.#rooms.values()) room.close();
    this.#rooms.clear();
  }

  #enter(client: Client, found: FoundTopic, info: unknown): void {
    const { name } = found;
    const { codec, limits } = this.#options;
    const text = codec.encode(info);
    if (text.length > MOST_CHARACTERS) {
      throw refusal('TOO_LARGE', `the info takes ${text.length} characters; at most ${MOST_CHARACTERS} are taken`);
    }
    const { stays } = client;
    if (stays.size >= limits.subscriptions && !stays.has(name)) {
      throw refusal('RATE_LIMITED', `a client is in at most ${limits.subscriptions} rooms at a time`);
    }
    const id = this.#idOf(client);
    const room = this.#roomOf(found);
    room.enter(id, client.id, text);
    const stay = stays.get(name) ?? this.#stay(client, found, () => room.leave(id, client.id));
    stays.set(name, stay);
    stay.back();
    // Its socket may have gone while the app was asked.
    if (client.isAway) stay.away();
  }

  /** One without a socket has left when it does not say that it is there again. */
  #stay(client: Client, found: FoundTopic, leave: () => void): ClientStay {
    const { deadlines, times } = this.#options;
    let grace: Deadline | undefined;
    const back = (): void => {
      if (grace !== undefined) deadlines.remove(grace);
      grace = undefined;
    };
    const end = (): void => {
      back();
      if (client.stays.delete(found.name) && !this.#closed) leave();
    };
    return {
      away: () => (grace ??= deadlines.add(performance.now() + times.presenceGraceMs, end)),
      back,
      authorizeAgain: (context) => this.#authorizeAgain(found, context, end),
      end,
    };
  }

  /** Where the app fails to answer, he stays: he was let in, and nothing is delivered because of it. */
  #authorizeAgain(found: FoundTopic, context: unknown, end: () => void): void {
    const { hub, report } = this.#options;
    void whenReady(
      () => hub.authorize(found, context, 'publish'),
      (allowed) => allowed === true || end(),
      (error) => {
        if (refusalOf(error) === undefined) report(error, { during: 'authorize', path: found.bound.topic.path });
        else end();
      },
    );
  }

  #adopt(topic: string, member: string, dead: string): void {
    const found = this.#options.hub.find(topic);
    // Servers of another version may have other presences.
    if (found?.bound.topic.definition.enter !== undefined) this.#roomOf(found).adopt(member, dead);
  }

  #roomOf(found: FoundTopic): PresenceRoom {
    const { deadlines, publisher, store, report } = this.#options;
    const { name } = found;
    let room = this.#rooms.get(name);
    if (room === undefined) {
      room = new PresenceRoom({
        topic: name,
        server: () => this.#lease.name,
        store,
        deadlines,
        report,
        publish: (type, id, person, key) =>
          publisher.publish(found, { type, member: this.#present(id, person) }, { key }),
        name: `${this.#own}:${++this.#opened}`,
        empty: () => this.#rooms.delete(name),
      });
      this.#rooms.set(name, room);
    }
    return room;
  }

  #present(id: string, { text, connections }: Person): Present<unknown> {
    const slots = JSON.parse(`[${text}]`) as [json: unknown, meta: unknown];
    return { id, info: this.#options.codec.decode(...slots), connections };
  }

  #idOf(client: Client): string {
    if (client.identity !== this.#options.anonymous) return client.identity;
    const known = this.#names.get(client) ?? randomName();
    this.#names.set(client, known);
    return known;
  }
}

function refusal(code: 'TOO_LARGE' | 'RATE_LIMITED', message: string): TautlineError {
  return new TautlineError(code, message, { outcome: 'rejected' });
}

import { expect } from 'vitest';
import { z } from 'zod';
import {
  defineContract,
  isTautlineError,
  topic,
  type Client,
  type Gap,
  type Position,
  type TopicEvents,
} from '../../src/index.ts';
import type { ClientMessage } from '../../src/protocol/messages.ts';
import { settle, type ScriptedSocket } from '../helpers/scripted-server.ts';

/** A topic of the contract, and how its events are written: the offset is in each, so that a listener can be checked. */
export const TOPICS = { 'news/a': false, counts: true, board: true } as const;
export type TopicName = keyof typeof TOPICS;

/** A schema that takes a while, or none. */
function schema<Value>(value: z.ZodType<Value>, ms: number): z.ZodType<Value> {
  if (ms === 0) return value;
  return value.refine(() => new Promise((done) => setTimeout(done, ms, true)));
}

/** The topics, with schemas that take so long. */
export function topicsOf(ms: number) {
  return defineContract({
    news: topic('news/{channel}', { event: schema(z.object({ text: z.string() }), ms) }),
    counts: topic('counts', {
      event: schema(z.object({ key: z.string(), count: z.number() }), ms),
      snapshot: schema(z.record(z.string(), z.number()), ms),
      apply: (state, event) => ({ ...state, [event.key]: event.count }),
    }),
    board: topic('board', {
      event: schema(z.object({ at: z.number() }), ms),
      snapshot: schema(z.object({ size: z.number() }), ms),
    }),
  });
}

export type TopicsClient = Client<ReturnType<typeof topicsOf>['tree']>;

/** The history of one topic: as much as is kept of it. */
class Log {
  epoch = 1;
  head = 0;
  kept = 6;

  get position(): Position {
    return [`E${this.epoch}`, this.head];
  }

  covers([epoch, offset]: Position): boolean {
    return epoch === `E${this.epoch}` && offset <= this.head && offset >= this.head - this.kept;
  }
}

/** A server of one socket that does what the protocol says, but whose lines the test delivers, one by one. */
export class TopicServer {
  readonly logs: Record<TopicName, Log> = { 'news/a': new Log(), counts: new Log(), board: new Log() };
  socket: ScriptedSocket | undefined;
  /** Lines that are on their way. */
  lines: unknown[][] = [];
  #read = 0;
  readonly #subscribed = new Map<TopicName, number>();

  /** A new socket: what was on its way on the old one is lost. */
  attach(socket: ScriptedSocket): void {
    this.socket = socket;
    this.lines = [];
    this.#read = 0;
    this.#subscribed.clear();
  }

  /** Reads what the client sent, and answers. */
  read(): void {
    const { received } = this.socket!;
    for (const message of received.slice(this.#read)) this.#take(message);
    this.#read = received.length;
  }

  publish(name: TopicName): void {
    const log = this.logs[name];
    log.head++;
    if (this.#subscribed.has(name)) this.lines.push(event(name, log.head));
  }

  /** The history is lost: told to whoever is subscribed. */
  forget(name: TopicName): void {
    const log = this.logs[name];
    log.epoch++;
    log.head = 0;
    const n = this.#subscribed.get(name);
    if (n !== undefined) this.#begin(n, name, 'gap');
  }

  /** A line that somebody on the way lost. */
  lose(): void {
    const index = this.lines.findIndex(([word]) => word === 'event');
    if (index >= 0) this.lines.splice(index, 1);
  }

  async deliver(count: number): Promise<void> {
    const lines = this.lines.splice(0, count);
    if (lines.length > 0) await this.socket!.say(...lines);
  }

  #take(message: ClientMessage): void {
    if (message[0] === 'unsubscribe') this.#subscribed.delete(message[1] as TopicName);
    if (message[0] !== 'subscribe') return;
    const [, n, topic, asked] = message;
    const name = topic as TopicName;
    const log = this.logs[name];
    this.#subscribed.set(name, n);
    if (!asked || !log.covers(asked)) {
      this.#begin(n, name, asked ? 'gap' : 'live');
      return;
    }
    this.lines.push(['subscribed', n, name, asked, 'resumed']);
    for (let offset = asked[1] + 1; offset <= log.head; offset++) this.lines.push(event(name, offset));
  }

  #begin(n: number, name: TopicName, word: string): void {
    const { position } = this.logs[name];
    this.lines.push(['subscribed', n, name, position, word]);
    if (TOPICS[name])
      this.lines.push(['snapshot', name, position, name === 'counts' ? { at: position[1] } : { size: position[1] }]);
  }
}

function event(name: TopicName, offset: number): unknown[] {
  if (name === 'news/a') return ['event', name, offset, { text: String(offset) }];
  return ['event', name, offset, name === 'counts' ? { key: 'at', count: offset } : { at: offset }];
}

function offsetIn(value: object): number {
  return Number(Object.values(value).at(-1));
}

/** One who listens: checks that what it hears follows from what it heard. */
export class Witness {
  readonly name: TopicName;
  readonly #hasSnapshot: boolean;
  heard: Position | undefined;
  gaps = 0;
  left = false;
  #owedSnapshot: boolean;

  constructor(name: TopicName, takesSnapshots: boolean) {
    this.name = name;
    this.#hasSnapshot = TOPICS[name] && takesSnapshots;
    this.#owedSnapshot = this.#hasSnapshot;
  }

  readonly event = (value: object, position: Position): void => {
    expect(this.left).toBe(false);
    expect(offsetIn(value)).toBe(position[1]);
    if (this.heard !== undefined) expect(position).toEqual([this.heard[0], this.heard[1] + 1]);
    this.heard = position;
  };

  readonly snapshot = (value: object, position: Position): void => {
    expect(this.left).toBe(false);
    expect(this.#owedSnapshot).toBe(true);
    expect(offsetIn(value)).toBe(position[1]);
    // After a gap, it is the state at the place that was told.
    if (this.heard !== undefined) expect(position).toEqual(this.heard);
    this.#owedSnapshot = false;
    this.heard = position;
  };

  readonly gap = ({ from, to }: Gap): void => {
    expect(this.left).toBe(false);
    if (this.heard !== undefined) expect(from).toEqual(this.heard);
    expect(to[0] === from?.[0] && to[1] <= from[1]).toBe(false);
    this.gaps++;
    this.#owedSnapshot = this.#hasSnapshot;
    this.heard = to;
  };

  /** At rest: it has everything. */
  expectAt(head: Position): void {
    // One who began at the head and heard nothing since has not been told where that is.
    if (this.heard !== undefined) expect([this.name, this.heard]).toEqual([this.name, head]);
    expect([this.name, this.#owedSnapshot]).toEqual([this.name, false]);
  }
}

/** A loop over events that takes as many as it is told to. */
export class SlowLoop {
  readonly witness: Witness;
  readonly failures: unknown[] = [];
  readonly #events: TopicEvents<object>;
  #isBusy = false;

  constructor(client: TopicsClient, name: TopicName, buffer: number) {
    const witness = new Witness(name, true);
    this.witness = witness;
    this.#events = handle(client, name).events({
      buffer,
      gap: witness.gap,
      snapshot: witness.snapshot,
    });
  }

  /** Takes what there is, at most so many. */
  async take(count: number): Promise<void> {
    for (let index = 0; index < count && !this.#isBusy; index++) {
      this.#isBusy = true;
      void this.#events
        .next()
        .then(({ done, value }) => {
          this.#isBusy = false;
          if (done !== true) this.witness.event(value, this.#events.position!);
        })
        .catch((error: unknown) => {
          // The end of the run closes the connection.
          if (!isTautlineError(error, 'CLOSED')) this.failures.push(error);
        });
      await settle();
    }
  }

  leave(): void {
    this.witness.left = true;
    void this.#events.return();
  }
}

export function handle(client: TopicsClient, name: TopicName) {
  return name === 'news/a' ? client.news({ channel: 'a' }) : client[name]();
}

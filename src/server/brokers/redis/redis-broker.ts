import type { Position } from '../../../protocol/messages.ts';
import { resolveNumbers } from '../../app/server-options.ts';
import { randomName } from '../../random-name.ts';
import type { Broker, Feed, FeedListener, PublishOptions } from '../broker.ts';
import type { Found, Head } from '../followed-topic.ts';
import { FollowedTopics } from '../followed-topics.ts';
import { RedisConnection } from './redis-connection.ts';
import { redisClients, type RedisClients, type RedisPort } from './redis-port.ts';
import { HEAD, POSITIONS, PUBLISH, READ } from './scripts.ts';

/** Options of {@link redisBroker}. */
export interface RedisBrokerOptions extends RedisClients {
  /** How much of each topic can be caught up with. The same on all servers. */
  readonly history?: {
    /** Publications. @default 1_000 */
    readonly size?: number | undefined;
    /** How long after the last publication, ms. @default 300_000 */
    readonly ttlMs?: number | undefined;
  };
  /** How long Redis may be away, or take for an answer, before what was asked of it fails, ms. @default 5_000 */
  readonly timeoutMs?: number | undefined;
  /** How often each followed topic is compared with Redis, for what no message told, ms. @default 2_000 */
  readonly checkMs?: number | undefined;
  /** Gets what goes wrong where nobody waits for it, such as a comparison that fails. @default nothing is told */
  readonly onError?: ((error: unknown) => void) | undefined;
}

const DEFAULTS = { size: 1000, ttlMs: 300_000, timeoutMs: 5000, checkMs: 2000 };

/** A number of Redis, which a client may be set to give as text. */
type Count = number | string;

/** So many topics are compared with Redis at once. */
const COMPARED = 200;

/** So many times as long as its publications the count of a topic is kept: a position is good that long. */
const COUNT_LIVES = 12;

/**
 * Carries publications between any number of servers through Redis 6.2 or newer, or Valkey. Each publication gets its
 * position, is stored and is sent in one step inside Redis. What a connection missed is read from the history: a server
 * that lost Redis for a while misses nothing, as long as the history holds it. Needs no sticky sessions.
 *
 * The clients stay the app's: it connects them, listens to their `error` events, and closes them after the server.
 * @throws TypeError for a client that is neither of `redis` nor of `ioredis`, RangeError for numbers out of range.
 */
export function redisBroker(options: RedisBrokerOptions): Broker {
  return new RedisBroker(options);
}

class RedisBroker implements Broker {
  readonly isShared = true;
  readonly connection: RedisConnection;
  readonly #commands: RedisPort;
  readonly #subscriber: RedisPort;
  readonly #prefix: string;
  readonly #numbers: typeof DEFAULTS;
  readonly #onError: (error: unknown) => void;
  readonly #topics: FollowedTopics;
  readonly #timer: ReturnType<typeof setInterval>;
  #marks = 0;
  /** Marks of this process are its own. */
  readonly #markName = randomName().slice(0, 8);

  constructor({ history, onError, timeoutMs, checkMs, ...clients }: RedisBrokerOptions) {
    this.#numbers = resolveNumbers('redisBroker: ', DEFAULTS, { ...history, timeoutMs, checkMs });
    const { commands, subscriber, prefix } = redisClients('redisBroker', clients);
    this.#prefix = prefix;
    this.#onError = onError ?? (() => undefined);
    this.#commands = commands;
    this.#subscriber = subscriber;
    this.connection = new RedisConnection('redisBroker', this.#numbers.timeoutMs, this.#commands, this.#subscriber);
    this.#topics = new FollowedTopics(
      {
        listen: (name) => this.connection.inTime(this.#subscriber.subscribe(prefix + name)),
        // Nobody waits for it: a line that is gone has no subscriptions either.
        leave: (name) => void this.#subscriber.unsubscribe(prefix + name).catch(this.#onError),
        head: (name, known) => this.#head(name, known),
        read: (name, after, limit) => this.#read(name, after, limit),
        catchUp: (name, after, limit) => this.#read(name, after, limit),
      },
      this.#onError,
    );
    this.#subscriber.onReady(() => this.#resubscribed());
    this.#subscriber.onMessage((channel, message) => {
      if (channel.startsWith(prefix)) this.#heard(channel.slice(prefix.length), message);
    });
    this.#timer = setInterval(() => this.#check(), this.#numbers.checkMs);
    // It keeps no process alive, where there are processes.
    (this.#timer as Partial<{ unref(): void }>).unref?.();
  }

  async publish(name: string, payload: string, { key = '' }: PublishOptions = {}): Promise<Position> {
    const { size, ttlMs } = this.#numbers;
    const mark = `${this.#markName}${(++this.#marks).toString(36)}`;
    const answer = await this.#run(PUBLISH, this.#keys(name), [
      randomName(),
      this.#life,
      payload,
      mark,
      String(size),
      String(ttlMs),
      this.#prefix + name,
      key,
    ]);
    const [epoch, offset] = answer as [string, Count];
    return [epoch, Number(offset)];
  }

  subscribe(name: string, listener: FeedListener): Promise<Feed> {
    return this.#topics.subscribe(name, listener);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#topics.close();
    this.connection.close();
  }

  /** A message of a channel: `epoch:offset:mark before:mark:payload`. */
  #heard(name: string, message: string): void {
    const [epoch, offset, before, mark] = message.split(':', 4) as [string, string, string, string];
    const payload = message.slice(epoch.length + offset.length + before.length + mark.length + 4);
    this.#topics.get(name)?.heard(epoch, before, { offset: Number(offset), payload, mark });
  }

  /** The client subscribes anew by itself; what is asked on the same line after that finds all in force. */
  #resubscribed(): void {
    const barrier = `${this.#prefix}{}barrier:${randomName()}`;
    queueMicrotask(() => {
      this.connection
        .inTime(this.#subscriber.subscribe(barrier))
        .then(() => {
          this.#compareAll();
          return this.#subscriber.unsubscribe(barrier);
        })
        .catch(this.#onError);
    });
  }

  #check(): void {
    this.connection.look();
    // Where no topic is followed nothing else would find out that it answers again.
    if (this.connection.isSilent) this.#run(POSITIONS, [this.#keys('')[0]], [this.#life]).catch(this.#onError);
    this.#compareAll();
  }

  #compareAll(): void {
    const { names } = this.#topics;
    if (this.#commands.isCluster) this.#topics.look();
    else while (names.length > 0) this.#compare(names.splice(0, COMPARED)).catch(this.#onError);
  }

  async #compare(names: readonly string[]): Promise<void> {
    const known = names.map((name) => this.#topics.get(name)!);
    const answer = await this.#run(
      POSITIONS,
      names.map((name) => this.#keys(name)[0]),
      [this.#life],
    );
    const found = answer as readonly Count[];
    known.forEach((topic, index) => topic.compare([String(found[2 * index]), Number(found[2 * index + 1])]));
  }

  async #head(name: string, known: Head | undefined): Promise<Head> {
    const { position = ['', 0], mark = '' } = known ?? {};
    const answer = await this.#run(HEAD, this.#keys(name), [
      randomName(),
      this.#life,
      position[0],
      String(position[1]),
      mark,
    ]);
    const [epoch, offset, last] = answer as [string, Count, string];
    return { position: [epoch, Number(offset)], mark: last };
  }

  async #read(name: string, [epoch, offset]: Position, limit: number): Promise<Found> {
    const answer = await this.#run(READ, this.#keys(name), [epoch, String(offset), String(limit)]);
    const [now, last, oldest, ...found] = answer as [string, Count, Count, ...string[]];
    const head: Position = [now, Number(last)];
    if (epoch !== now || offset > head[1] || offset + 1 < Number(oldest)) {
      return { head, oldest: Number(oldest), events: undefined };
    }
    const events = Array.from({ length: found.length / 2 }, (_, index) => ({
      offset: offset + 1 + index,
      payload: found[2 * index]!,
      mark: found[2 * index + 1]!,
    }));
    return { head, oldest: Number(oldest), events };
  }

  /** How long the count of a topic lives, ms. */
  get #life(): string {
    return String(this.#numbers.ttlMs * COUNT_LIVES);
  }

  #keys(name: string): readonly [head: string, ...others: string[]] {
    const topic = `${this.#prefix}{${name}}`;
    return [`${topic}:head`, `${topic}:history`, `${topic}:keys`];
  }

  #run(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    return this.connection.run(script, keys, args);
  }
}

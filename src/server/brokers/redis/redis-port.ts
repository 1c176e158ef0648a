/** What a client tells of its line: `reconnecting`, `close` and `end`, as far as it does, when it is lost. */
export type LineEvent = 'ready' | 'reconnecting' | 'close' | 'end';

/**
 * A client of the package `redis` (node-redis), 5 or 6, as far as it is used here; a cluster's, too. It must be connected,
 * or about to be.
 */
export interface NodeRedisClient {
  /** A cluster's. */
  readonly masters?: unknown;
  /** Runs a script inside Redis. */
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  /** Listens to a channel; resolves when that is in force. */
  subscribe(channel: string, listener: (message: string, channel: string) => void): Promise<unknown>;
  /** Ends that. A cluster's is typed for listeners of buffers, too. */
  unsubscribe(channel: string, listener: never): Promise<unknown>;
  readonly isReady?: boolean;
  readonly isOpen: boolean;
  /** Hears each time that it is connected, or lost. */
  on(event: LineEvent, listener: () => void): unknown;
  /** Ends that. */
  off(event: LineEvent, listener: () => void): unknown;
}

/** A client of the package `ioredis`, 5 or 6, as far as it is used here; a cluster's, too. */
export interface IoRedisClient {
  readonly isCluster?: boolean;
  readonly status: string;
  /** Runs a script inside Redis. */
  eval(script: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>;
  /** Listens to a channel; resolves when that is in force. */
  subscribe(channel: string): Promise<unknown>;
  /** Ends that. */
  unsubscribe(channel: string): Promise<unknown>;
  /** Hears each time that it is connected, or lost. */
  on(event: LineEvent, listener: () => void): unknown;
  /** Hears each message of its channels. */
  on(event: 'message', listener: (channel: string, message: string) => void): unknown;
  /** Ends that. */
  off(event: LineEvent, listener: () => void): unknown;
  /** Ends that. */
  off(event: 'message', listener: (channel: string, message: string) => void): unknown;
}

/** A client of either. */
export type RedisClient = NodeRedisClient | IoRedisClient;

/** Either client, as the broker has it. */
export interface RedisPort {
  readonly isReady: boolean;
  /** Keys of different topics are in different places: no script takes both. */
  readonly isCluster: boolean;
  run(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown>;
  subscribe(channel: string): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  /** Hears of each message of any channel, until the port is closed. */
  onMessage(listener: (channel: string, message: string) => void): void;
  /** Hears each time that a line to Redis is there, until the port is closed. */
  onReady(listener: () => void): void;
  /** Hears when {@link RedisPort.isReady} may have changed, as far as the client tells. */
  onChange(listener: () => void): void;
  /** Takes its listeners off; the client stays the app's. */
  close(): void;
}

/** How an app gives its clients of Redis. */
export interface RedisClients {
  /** Runs what is asked of Redis. May be shared with the app. */
  readonly commands: RedisClient;
  /** Another client of the same Redis, for subscriptions alone: `commands.duplicate()`. */
  readonly subscriber: RedisClient;
  /** Begins all keys and channels. Servers that share something share it. @default 'tautline:' */
  readonly prefix?: string | undefined;
}

/** Looks at them. @throws TypeError for what can't work */
export function redisClients(
  owner: string,
  { commands, subscriber, prefix = 'tautline:' }: RedisClients,
): { readonly commands: RedisPort; readonly subscriber: RedisPort; readonly prefix: string } {
  if (typeof prefix !== 'string' || /[{}]/.test(prefix)) {
    throw new TypeError(`${owner}: prefix must be a text without braces, which mark what a cluster keeps together`);
  }
  if ((commands as unknown) === subscriber) {
    throw new TypeError(`${owner}: subscriber must be another client than commands: give commands.duplicate()`);
  }
  return {
    commands: redisPort(`${owner}: commands`, commands),
    subscriber: redisPort(`${owner}: subscriber`, subscriber),
    prefix,
  };
}

/** @throws TypeError for what is neither. */
function redisPort(name: string, client: RedisClient): RedisPort {
  const given = client as unknown as Readonly<Record<string, unknown>> | null | undefined;
  if (typeof given?.eval === 'function' && typeof given.subscribe === 'function') {
    if (typeof given.status === 'string') return ioRedisPort(client as IoRedisClient);
    if (typeof given.isOpen === 'boolean') return nodeRedisPort(client as NodeRedisClient);
  }
  throw new TypeError(`${name} must be a client of redis (5, 6) or ioredis (5, 6): createClient(…) or new Redis(…)`);
}

const LINE_EVENTS: readonly LineEvent[] = ['ready', 'reconnecting', 'close', 'end'];

function listen(client: RedisClient, event: LineEvent, listener: () => void): () => void {
  client.on(event, listener);
  return () => client.off(event, listener);
}

function ioRedisPort(client: IoRedisClient): RedisPort {
  const undo: Array<() => void> = [];
  return {
    get isReady() {
      return client.status === 'ready';
    },
    isCluster: client.isCluster === true,
    run: (script, keys, args) => client.eval(script, keys.length, ...keys, ...args),
    subscribe: (channel) => client.subscribe(channel),
    unsubscribe: (channel) => client.unsubscribe(channel),
    onMessage: (listener) => {
      client.on('message', listener);
      undo.push(() => client.off('message', listener));
    },
    onReady: (listener) => undo.push(listen(client, 'ready', listener)),
    onChange: (listener) => LINE_EVENTS.forEach((event) => undo.push(listen(client, event, listener))),
    close: () => undo.splice(0).forEach((off) => off()),
  };
}

function nodeRedisPort(client: NodeRedisClient): RedisPort {
  const undo: Array<() => void> = [];
  let heard: (channel: string, message: string) => void = () => undefined;
  const listener = (message: string, channel: string): void => heard(channel, message);
  return {
    get isReady() {
      // A cluster has no word for it.
      return client.isReady ?? client.isOpen;
    },
    isCluster: client.masters !== undefined,
    run: (script, keys, args) => client.eval(script, { keys: [...keys], arguments: [...args] }),
    subscribe: (channel) => client.subscribe(channel, listener),
    // Without the listener, one that is subscribed again before this is done would be deaf.
    unsubscribe: (channel) => client.unsubscribe(channel, listener as never),
    onMessage: (given) => {
      heard = given;
    },
    onReady: (given) => undo.push(listen(client, 'ready', given)),
    onChange: (given) => LINE_EVENTS.forEach((event) => undo.push(listen(client, event, given))),
    close: () => {
      heard = () => undefined;
      undo.splice(0).forEach((off) => off());
    },
  };
}

import type { Position, PresenceEvent } from '../../../src/index.ts';
import { createServer, memoryBroker } from '../../../src/server/index.ts';
import type { AuthenticateArgs, Broker, Feed, Server } from '../../../src/server/index.ts';
import type { ServerSocket, SocketHandler } from '../../../src/server/peers/server-socket.ts';
import type { Host } from '../network.ts';
import { contract, type Info, type Tree } from './presence-contract.ts';
import type { PresenceWorld } from './presence-world.ts';
import type { PresenceLine } from './shared-presences.ts';

/** One life of a server, from its start to its death. */
export class PresenceNode implements Host {
  readonly name: string;
  readonly server: Server<Tree>;
  isUp = true;
  isDraining = false;
  readonly #world: PresenceWorld;
  readonly #line: PresenceLine | undefined;
  readonly #broker: Broker;
  readonly #feeds = new Set<Feed>();

  constructor(world: PresenceWorld, name: string) {
    this.name = name;
    this.#world = world;
    const { graceMs, heartbeatMs } = world.plan;
    this.#line = world.store?.connect();
    this.#broker = world.broker?.connect() ?? memoryBroker();
    this.server = createServer(contract, {
      authenticate: ({ token = '' }: AuthenticateArgs) => ({ identity: token, context: undefined }),
      handlers: { here: { authorize: () => true } },
      broker: this.#telling(this.#broker),
      presenceStore: this.#line?.store,
      presenceGraceMs: graceMs,
      heartbeatMs,
      pongTimeoutMs: Math.ceil(heartbeatMs / 2),
      windowMs: 3 * graceMs,
      onError: (error) => {
        if (this.isUp && !world.hasTrouble) world.violation(`${name} reports ${String(error)}`);
      },
    });
  }

  accept(socket: ServerSocket): SocketHandler {
    return this.server.accept(socket, {});
  }

  /** Has its clients go elsewhere, and ends. */
  async drain(withinMs: number): Promise<void> {
    this.isDraining = true;
    await this.close(withinMs);
    this.isUp = false;
  }

  /** Its process ends: nothing of it goes on. */
  die(): void {
    this.isUp = false;
    this.#line?.die();
    void this.close();
  }

  async close(withinMs = 0): Promise<void> {
    await this.server.close({ withinMs });
    this.#line?.store.close();
    for (const feed of this.#feeds) feed.close();
    void this.#broker.close();
  }

  /** The broker: what is told is looked at, may fail, and is nothing after the death of this server. */
  #telling(broker: Broker): Broker {
    const world = this.#world;
    return {
      isShared: world.plan.isShared,
      publish: async (topic, payload, options): Promise<Position> => {
        if (!this.isUp) return new Promise(() => undefined);
        if (world.brokerFails === 'before') throw new Error('the broker is away');
        const told = world.known(topic, options?.key);
        if (told !== undefined) return told;
        if (topic.startsWith('rooms/')) world.told(topic, JSON.parse(payload) as PresenceEvent<Info>, this.name);
        const position = Promise.resolve(broker.publish(topic, payload, options));
        world.know(topic, options?.key, position);
        if (world.brokerFails === 'after') throw new Error('the broker is away');
        return position;
      },
      subscribe: async (topic, listener) => {
        const feed = await broker.subscribe(topic, listener);
        this.#feeds.add(feed);
        return feed;
      },
      close: () => undefined,
    };
  }
}

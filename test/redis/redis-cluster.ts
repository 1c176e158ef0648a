import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { createClient } from '@redis/client';
import { RedisServer } from './redis-server.ts';

/** Slots of a cluster of Redis, shared out among its nodes. */
const SLOTS = 16_384;

/** A cluster of Redis of one test file: three nodes on ports that were free, each with a third of the keys. */
export class RedisCluster {
  ports: readonly number[] = [];
  #nodes: readonly RedisServer[] = [];

  /** Resolves when each node knows all others, and whose each key is. */
  async start(): Promise<void> {
    this.ports = await freePorts(3);
    this.#nodes = this.ports.map((port) => new RedisServer({ port }));
    await Promise.all(this.#nodes.map((node) => node.start()));
    const admins = await Promise.all(this.ports.map((port) => adminOf(port)));
    const share = Math.ceil(SLOTS / admins.length);
    await Promise.all(
      admins.map(async (admin, index) => {
        const last = Math.min(SLOTS, (index + 1) * share) - 1;
        await admin.sendCommand(['CLUSTER', 'SET-CONFIG-EPOCH', `${index + 1}`]);
        await admin.sendCommand(['CLUSTER', 'ADDSLOTSRANGE', `${index * share}`, `${last}`]);
      }),
    );
    // Each to each: what one hears of the others by hearsay takes seconds.
    for (const admin of admins) {
      for (const port of this.ports) await admin.sendCommand(['CLUSTER', 'MEET', '127.0.0.1', `${port}`]);
    }
    for (const admin of admins) while (!(await isWhole(admin, admins.length))) await new Promise(setImmediate);
    for (const admin of admins) admin.destroy();
  }

  async remove(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.remove()));
  }
}

type Admin = Awaited<ReturnType<typeof adminOf>>;

/** Speaks to one node alone. */
async function adminOf(port: number) {
  const admin = createClient({ socket: { host: '127.0.0.1', port } });
  admin.on('error', () => undefined);
  return await admin.connect();
}

async function isWhole(admin: Admin, nodes: number): Promise<boolean> {
  const info = await admin.sendCommand<string>(['CLUSTER', 'INFO']);
  return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${nodes}`);
}

/** Ports that nobody listens to, nor to those 10 000 above them, where nodes speak to each other. */
async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (!ports.includes(port) && (await isFree(port)) && (await isFree(port + 10_000))) ports.push(port);
  }
  return ports;
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  const listening = once(probe, 'listening').then(
    () => (probe.address() as AddressInfo).port === port,
    () => false,
  );
  probe.listen(port, '127.0.0.1');
  const free = await listening;
  if (free) {
    probe.close();
    await once(probe, 'close');
  }
  return free;
}

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { scripted } from '../helpers/scripted-client.ts';

const world = scripted();
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const MiB = 1024 * 1024;

test('what a server says at length is not held by the record of it', async () => {
  world.start();
  const socket = await world.welcomed();
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let n = 0; n < 100; n++) {
    await socket.say(['goaway', { reason: String(n) + 'x'.repeat(MiB / 2), afterMs: 1e9, withinMs: 1e9 }]);
  }
  collect();
  // Held whole, they would take 50 MB.
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(10 * MiB);
  const told = world.connection.record().filter(({ what }) => what === 'goaway');
  expect(told).toHaveLength(100);
  for (const { details } of told) expect(JSON.stringify(details).length).toBeLessThan(400);
});

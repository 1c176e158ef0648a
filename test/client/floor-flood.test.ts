import { expect, test } from 'vitest';
import { scripted } from '../helpers/scripted-client.ts';
import { settle } from '../helpers/scripted-server.ts';

const world = scripted({ timeoutMs: 600_000 });

test('a server that pings without end is told one floor at a time', async () => {
  const client = world.start();
  const socket = await world.server.socket();
  await socket.welcome({ limits: { calls: 1000 } });
  const calls = Array.from({ length: 1000 }, () => client.add({ by: 1 }).safe());
  await settle();
  await socket.say(...Array.from({ length: 1000 }, (_, n) => ['ping', n]));
  expect(socket.all('pong')).toHaveLength(1000);
  expect(socket.all('floor')).toHaveLength(1);
  await socket.say(['ping', 1000]);
  expect(socket.all('floor')).toHaveLength(2);
  // Those that waited for a slot go when the first are answered.
  for (let round = 0; round < 2; round++) await socket.say(...socket.all('call').map(([, id]) => ['reply', id, 1]));
  await Promise.all(calls);
});

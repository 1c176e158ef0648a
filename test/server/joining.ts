import { vi } from 'vitest';
import type { start } from './fixture.ts';
import { clientName, Peer } from './peer.ts';

/** With fake timers: lets what waits for no timer happen. */
export const settle = () => vi.advanceTimersByTimeAsync(0);

/** A socket of a user, by whose name it is known. */
export async function join(server: ReturnType<typeof start>['server'], user: string, client = clientName(), n = 1) {
  const peer = new Peer(server, { url: `/ws?${user}` }).hello(client, n, { token: user });
  await settle();
  return Object.assign(peer, { name: client });
}

export const room = { roomId: '1' };

/** What was published to it in the room. */
export const events = (peer: Peer) => peer.all('event').map(([, , , { text }]) => text as string);

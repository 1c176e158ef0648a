import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** So many are made in one turn of the loop: what comes about together may share a frame. */
export const BURST = 50;

/** Resolves when none of the sockets has more to write than it wants. */
export async function drained(sockets: Iterable<Socket>): Promise<void> {
  for (const socket of sockets) if (socket.writableNeedDrain) await once(socket, 'drain');
}

/** Does something so many times, in bursts, and not faster than the sockets take it. */
export async function pushInBursts(
  count: number,
  push: () => unknown,
  sockets: Iterable<Socket>,
  burst: number = BURST,
): Promise<void> {
  for (let done = 0; done < count;) {
    const end = Math.min(count, done + burst);
    let last: unknown;
    for (; done < end; done++) last = push();
    await last;
    await drained(sockets);
    await nextTurn();
  }
}

import { SeamlessMoves } from '../../transport/moves/seamless-moves.ts';
import { capability, type Capability } from '../kernel/capability.ts';

/**
 * Moves from one socket to the next while the first still serves: when the server announces that it goes, and by
 * `connection.reconnect({ seamless: true })`. Without it the connection is lost for a moment, and comes back.
 */
export function moves(): Capability<'moves'> {
  return capability('moves', () => ({
    transport: { moves: ({ random }, owner) => new SeamlessMoves(owner, random) },
  }));
}

import { Credentials } from '../../src/transport/credentials/credentials.ts';
import { LifecycleEngine } from '../../src/transport/lifecycle/lifecycle-engine.ts';
import { SeamlessMoves } from '../../src/transport/moves/seamless-moves.ts';
import type { LinkUser, Transport } from '../../src/transport/transport.ts';
import type { TransportOptions } from '../../src/transport/transport-options.ts';
import { resolveTransportOptions } from '../../src/transport/transport-options.ts';
import { WebSocketTransport } from '../../src/transport/web-socket-transport.ts';

/** A transport with all that it can do without. */
export function createWebSocketTransport(user: LinkUser, options: TransportOptions): Transport {
  return new WebSocketTransport(user, resolveTransportOptions(options), {
    credentials: new Credentials(options.auth),
    watchHost: (resolved, actions) => new LifecycleEngine(resolved, actions),
    moves: ({ random }, owner) => new SeamlessMoves(owner, random),
  });
}

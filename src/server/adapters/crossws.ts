import { SUBPROTOCOL } from '../../protocol/messages.ts';
import type { Server } from '../create-server.ts';
import type { ServerRequest, SocketHandler } from '../peers/server-socket.ts';
import { checkOrigins, DEFAULT_ORIGINS, refusalOf } from './origins.ts';
import type { Origins } from './origins.ts';

/** Options of {@link crosswsHooks}. */
export interface CrosswsOptions {
  /** Which pages may connect. @default ['same', 'none']: those of the same host, and programs that are no browser */
  readonly origins?: Origins<Request> | undefined;
}

/** A `Peer` of crossws, as far as it is needed here. */
export interface CrosswsPeer {
  readonly request: Request;
  readonly remoteAddress?: string | undefined;
  readonly bufferedAmount: number;
  /** Hands over one text message. */
  send(data: string): unknown;
  /** Starts the closing handshake. */
  close(code?: number, reason?: string): void;
  /** Ends it without the handshake, where the runtime can. */
  terminate(): void;
}

/** A `Message` of crossws, as far as it is needed here. */
export interface CrosswsMessage {
  readonly rawData: unknown;
}

/** What becomes of an upgrade that is taken. */
export interface CrosswsUpgrade {
  readonly protocol: string;
}

/** Hooks of crossws that serve the engine. None of them throws. */
export interface CrosswsHooks {
  /** Refuses other origins with 403 and other subprotocols with 400. */
  upgrade(request: Request): CrosswsUpgrade | Response;
  /** Hands the peer to the engine. */
  open(peer: CrosswsPeer): void;
  /** A message came, text or binary. */
  message(peer: CrosswsPeer, message: CrosswsMessage): void;
  /** The peer's buffer has emptied. */
  drain(peer: CrosswsPeer): void;
  /** The peer is gone. */
  close(peer: CrosswsPeer, details: { readonly code?: number }): void;
}

/** Time for a peer to answer the closing handshake, ms: a dead one never does. */
const CLOSE_TIMEOUT_MS = 2000;

/**
 * Serves the engine through crossws 0.4, and with it where crossws runs: Node, Bun, Deno, h3, Nitro. Give the hooks to
 * its adapter, and close the server before that. Compression and the largest frame are options of the adapter; the
 * engine holds its own limit whatever they are. Peers must live as long as their process: no hibernation. A peer that
 * fell behind is looked at when crossws tells that it drained, else every 250 ms.
 *
 * @example
 * const adapter = crossws({ hooks: crosswsHooks(server, { origins: ['https://example.com'] }) });
 * @throws TypeError for an option of another kind.
 */
export function crosswsHooks(
  server: Pick<Server, 'accept'> & Partial<Pick<Server, 'turnedAway'>>,
  options: CrosswsOptions = {},
): CrosswsHooks {
  const { origins = DEFAULT_ORIGINS } = options;
  checkOrigins('crosswsHooks', origins);
  const handlers = new WeakMap<CrosswsPeer, SocketHandler>();
  const timers = new WeakMap<CrosswsPeer, ReturnType<typeof setTimeout>>();
  return {
    upgrade: (request) => {
      const [origin, host, protocols] = ['origin', 'host', 'sec-websocket-protocol'].map(
        (name) => request.headers.get(name) ?? undefined,
      );
      const status = refusalOf(origins, { origin, host, protocols }, request);
      if (status === undefined) return { protocol: SUBPROTOCOL };
      server.turnedAway?.({ status, origin, host });
      return new Response(null, { status });
    },
    open: (peer) => {
      const close = (code: number, reason: string): void => {
        peer.close(code, reason);
        timers.set(
          peer,
          setTimeout(() => peer.terminate(), CLOSE_TIMEOUT_MS),
        );
      };
      const socket = {
        send: (frame: string) => void peer.send(frame),
        close,
        later,
        get bufferedAmount() {
          return peer.bufferedAmount;
        },
      };
      handlers.set(peer, server.accept(socket, describe(peer)));
    },
    message: (peer, { rawData }) => {
      if (typeof rawData === 'string') handlers.get(peer)?.message(rawData);
      else handlers.get(peer)?.binary();
    },
    drain: (peer) => handlers.get(peer)?.drained(),
    close: (peer, { code }) => {
      clearTimeout(timers.get(peer));
      handlers.get(peer)?.closed(code);
      handlers.delete(peer);
    },
  };
}

/** All runtimes of crossws know `setImmediate`; what stands in for it elsewhere is as soon as a microtask. */
const later: (task: () => void) => void =
  (globalThis as { readonly setImmediate?: (task: () => void) => void }).setImmediate ?? queueMicrotask;

function describe({ request, remoteAddress }: CrosswsPeer): ServerRequest {
  const { pathname, search } = new URL(request.url);
  return {
    url: pathname + search,
    headers: Object.fromEntries(request.headers),
    ...(remoteAddress !== undefined && { remoteAddress }),
  };
}

import type { Peer, PeerName, Source } from './peer.ts';

/** Loads one of them and nothing of the others. */
export async function loadPeer(name: PeerName, source: Source): Promise<Peer> {
  switch (name) {
    case 'raw':
      return (await import('./raw.ts')).raw;
    case 'tautline':
      return (await import('./tautline.ts')).tautline(source);
    case 'socket.io':
      return (await import('./socket-io.ts')).socketIo;
    case 'trpc':
      return (await import('./trpc.ts')).trpc;
  }
}

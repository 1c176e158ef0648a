/* One side of one measurement, in a process of its own. */
import { answerParent, childArgument } from './answer-parent.ts';
import { connectClients } from './client-side.ts';
import { loadPeer } from './peers/load.ts';
import type { PeerName, RaisedLimits, Source } from './peers/peer.ts';
import { serve } from './server-side.ts';

/** What it is told at its start. */
export interface SideTask {
  readonly side: 'client' | 'server';
  readonly peer: PeerName;
  readonly source: Source;
  readonly limits: RaisedLimits;
}

const { side, peer, source, limits } = childArgument<SideTask>();
const start = side === 'server' ? serve : connectClients;
answerParent(await start(await loadPeer(peer, source), limits));

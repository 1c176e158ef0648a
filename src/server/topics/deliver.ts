import { encodeEvent } from '../../protocol/encode.ts';
import type { StoredEvent } from '../brokers/broker.ts';
import type { Position } from '../../protocol/messages.ts';
import type { Follower } from './follower.ts';

/** What {@link deliver} did: `all` there was, what there was room for, or what comes before something that is missing. */
export interface Delivered {
  readonly end: 'all' | 'room' | 'gap';
  readonly events: number;
  readonly gaps: number;
}

/**
 * Writes what history has behind the position of a follower. Of what is missing there, or can't be told, a gap is told;
 * a topic with a state begins anew with that.
 */
export function deliver(follower: Follower, stored: readonly StoredEvent[], hasState: boolean): Delivered {
  const [epoch] = follower.position;
  let events = 0;
  let gaps = 0;
  const end = (): Delivered['end'] => {
    for (const { offset, payload } of stored) {
      const { position, peer } = follower;
      if (!(offset > position[1])) continue;
      if (peer.congested) return 'room';
      const isHole = offset > position[1] + 1;
      if (isHole && hasState) return 'gap';
      if (isHole) follower.begin([epoch, offset - 1], 'gap');
      const next: Position = [epoch, offset];
      const may = follower.event(next, encodeEvent(follower.name, offset, payload));
      if (may === 'later') return 'room';
      if (may === 'never' && hasState) return 'gap';
      if (may === 'never') follower.begin(next, 'gap');
      else events++;
      if (isHole || may === 'never') gaps++;
    }
    return 'all';
  };
  return { end: end(), events, gaps };
}

import type { Position } from '../../protocol/messages.ts';
import type { LinkState } from '../kernel/link-state.ts';

/** So often the server is asked for what is missing, until it is taken for lost. */
export const HOLE_ASKS = 4;

/** What ends a subscription for good. All else is a failure of the server's. */
export const VERDICTS: ReadonlySet<string> = new Set(['FORBIDDEN', 'NOT_FOUND', 'UNAUTHENTICATED', 'BAD_REQUEST']);

/** From the lowest position of those who listen, sparing or not who is further; or from now, for a snapshot. */
export type NextSubscribe = 'lowest' | 'lowest, for all' | 'anew';

/** A `subscribe` that was written. */
export interface Asked {
  readonly n: number;
  readonly link: LinkState;
  /** None: for a beginning from now. */
  readonly from: Position | undefined;
  /** Where history does not cover `from`, whoever is further is asked for once more: one round, not for ever. */
  readonly spares: boolean;
}

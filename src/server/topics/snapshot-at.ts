import { brand, isBranded } from '../../brand.ts';
import type { Position } from '../../protocol/messages.ts';

/** No epoch is empty: this one is none of those there are. */
const BEFORE_EVERYTHING: Position = ['', 0];

/** A state of a topic, and where it stands: what is published after that follows. */
export interface PlacedState<State = unknown> {
  readonly state: State;
  readonly position: Position;
}

/** A state with the position that was stored together with it: see {@link snapshotAt}. */
export class SnapshotAt<State = unknown> implements PlacedState<State> {
  readonly state: State;
  readonly position: Position;

  constructor(state: State, position: Position) {
    this.state = state;
    this.position = position;
  }
}

brand(SnapshotAt, 'SnapshotAt');

/** The state of a topic, as it goes out. */
export interface EncodedSnapshot {
  readonly payload: string;
  /** The position that was stored with it. */
  readonly position: Position | undefined;
}

/** Whether a state comes with its position, by whatever copy of the package. */
export function isSnapshotAt(given: unknown): given is SnapshotAt {
  return isBranded(given, 'SnapshotAt');
}

/** Where a state of that position stands in the history with this head: all of another epoch was before it. */
export function placeIn([epoch]: Position, stored: Position): Position {
  return [epoch, stored[0] === epoch ? stored[1] : 0];
}

/** The error for a state from which the history does not go on. */
export function outsideOfHistory(name: string, stored: Position, head: Position): RangeError {
  return new RangeError(
    `the snapshot of ${name} stands at [${stored.join(', ')}], and the history, with its head at ` +
      `[${head.join(', ')}], does not go on from there. Store the state with the position that its own ` +
      'publish() gave, before the history has moved on, or let the broker keep more.',
  );
}

/**
 * What a `snapshot` handler returns for a state that is stored together with the position of the last publication in
 * it, as `publish` gave it: subscribers get the state, and exactly what was published after that position. A position
 * of an epoch that is gone stands for the beginning of the present one, and so does `null`: nothing was published yet.
 *
 * The history must go back to the position, and a position beyond its head is an error: the subscription is refused
 * with `INTERNAL`, and `onError` is told why.
 * @throws TypeError for a position that is none.
 *
 * @example
 * snapshot: async ({ params }) => {
 *   const { state, position } = await db.room(params.roomId);
 *   return snapshotAt(state, position);
 * }
 */
export function snapshotAt<State>(state: State, position: Position | null): SnapshotAt<State> {
  if (position === null) return new SnapshotAt(state, BEFORE_EVERYTHING);
  const [epoch, offset]: readonly unknown[] = Array.isArray(position) ? (position as readonly unknown[]) : [];
  if (typeof epoch === 'string' && epoch !== '' && Number.isSafeInteger(offset) && (offset as number) >= 0) {
    return new SnapshotAt(state, position);
  }
  throw new TypeError(
    `snapshotAt: ${JSON.stringify(position)} is no position; give it what publish() answered with, [epoch, offset]`,
  );
}

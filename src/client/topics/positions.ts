import { DEVELOPMENT } from '../../development.ts';
import type { Continuity, Position } from '../../protocol/messages.ts';
import { isPosition } from '../../protocol/shapes.ts';

/** A position that an app gives. @throws TypeError for what is none */
export function checkPosition(position: Position): Position {
  if (isPosition(position)) return position;
  throw new TypeError(
    DEVELOPMENT ? `a position is what listeners are given, ['epoch', 7], not ${JSON.stringify(position)}` : 'position',
  );
}

/** Whether everything up to `position` was heard. */
export function covers(heard: Position | undefined, position: Position): boolean {
  return heard?.[0] === position[0] && heard[1] >= position[1];
}

export function isSame(one: Position | undefined, other: Position): boolean {
  return one?.[0] === other[0] && one[1] === other[1];
}

/** Whether one place lies before another of the same history. */
export function isBefore(one: Position | undefined, other: Position | undefined): boolean {
  return one !== undefined && one[0] === other?.[0] && one[1] < other[1];
}

/** Whether `position` is the first after what was heard. */
export function isNext(heard: Position | undefined, position: Position): boolean {
  return heard?.[0] === position[0] && heard[1] + 1 === position[1];
}

/** Whether what follows joins on to what was taken: a gap at or below it in the same epoch is none. */
export function continues(from: Position, to: Position, continuity: Continuity): boolean {
  return continuity === 'resumed' || covers(from, to);
}

/** Whether events between what was heard and `to` may still be had: history failed only from `asked` on, or nobody asked it. */
export function isAhead(heard: Position | undefined, asked: Position | undefined, to: Position): boolean {
  return isBefore(heard, to) && (asked === undefined || isBefore(asked, heard));
}

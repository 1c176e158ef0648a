import { encodeFrame, encodeHello } from '../protocol/encode.ts';
import type { Hello } from '../protocol/messages.ts';
import { utf8Length } from '../protocol/utf8.ts';
import { FRAME_BYTES_BEFORE_WELCOME } from './link-state.ts';
import type { PendingCalls } from './pending-calls.ts';

/** The first frame of a socket; `undefined` when its token makes it larger than a server takes before its welcome. */
export function greeting(
  who: Pick<Hello, 'client' | 'n' | 'token' | 'codec'>,
  { floor, lowestFloor }: Pick<PendingCalls, 'floor' | 'lowestFloor'>,
): string | undefined {
  // The list of ids in flight is worth its bytes only where there is room for it.
  return [floor, lowestFloor]
    .map((ids) => encodeFrame([encodeHello({ ...who, floor: ids, sdk: 'tautline-js' })]))
    .find((frame) => utf8Length(frame) <= FRAME_BYTES_BEFORE_WELCOME);
}

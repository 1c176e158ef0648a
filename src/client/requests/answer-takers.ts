import type { WireError } from '../../protocol/messages.ts';
import { error, pong, reply } from '../../protocol/server-messages.ts';
import type { LinkState } from '../kernel/link-state.ts';
import type { Taker } from '../kernel/taker.ts';

/** Who is told what the server answers. */
interface Answered {
  settle(
    link: LinkState,
    id: number,
    error: WireError | undefined,
    json: unknown,
    meta: unknown,
    isVetted: boolean,
  ): void;
  covered(link: LinkState, message: number): void;
}

/** The messages of the server that answer something. */
export function answerTakers(answered: Answered): Readonly<Record<'reply' | 'error' | 'pong', Taker>> {
  return {
    reply: {
      ...reply,
      take: (link, message: readonly ['reply', number, unknown, unknown], isVetted) =>
        answered.settle(link, message[1], undefined, message[2], message[3], isVetted),
    },
    error: {
      ...error,
      take: (link, message: readonly ['error', number, WireError, unknown, unknown], isVetted) =>
        answered.settle(link, message[1], message[2], message[3], message[4], isVetted),
    },
    // Where there is flow control, that takes it. Without it a ping has the number of messages that were sent before it.
    pong: { ...pong, take: (link, [, n]: readonly ['pong', number]) => answered.covered(link, n) },
  };
}

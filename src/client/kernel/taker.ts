import type { MessageRule } from '../../protocol/read-frame.ts';
import type { LinkState } from './link-state.ts';

/** Takes one kind of message of the server, when it was read by its rule. */
export interface Taker extends MessageRule {
  // A method, so that each may say which message it takes.
  take(link: LinkState, message: never, isVetted: boolean): void;
}

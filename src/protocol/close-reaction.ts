import * as CloseCode from './close-code.ts';
import { utf8Length } from './utf8.ts';

/**
 * What a client does about a close code: `stop` for good; retry after a loss that may concern this client alone
 * (`retry`) or surely many (`retry-shared`), or a single time (`retry-once`); wait as for a `restart` or an `overload`; ask
 * for new `credentials`; or what PROTOCOL.md says of `taken-over` (4409), `other-identity` (4410), `too-large` (1009).
 */
export type CloseReaction =
  | 'stop'
  | 'retry'
  | 'retry-shared'
  | 'retry-once'
  | 'restart'
  | 'overload'
  | 'credentials'
  | 'taken-over'
  | 'other-identity'
  | 'too-large';

const REACTIONS: Readonly<Record<number, CloseReaction | undefined>> = {
  [CloseCode.NORMAL]: 'stop',
  [CloseCode.GOING_AWAY]: 'retry-shared',
  [CloseCode.PROTOCOL_ERROR]: 'retry-once',
  [CloseCode.UNSUPPORTED_DATA]: 'retry-once',
  [CloseCode.INVALID_PAYLOAD]: 'retry-once',
  [CloseCode.POLICY_VIOLATION]: 'stop',
  [CloseCode.MESSAGE_TOO_BIG]: 'too-large',
  [CloseCode.MANDATORY_EXTENSION]: 'stop',
  [CloseCode.INTERNAL_ERROR]: 'retry-shared',
  [CloseCode.SERVICE_RESTART]: 'restart',
  [CloseCode.TRY_AGAIN_LATER]: 'overload',
  [CloseCode.BAD_GATEWAY]: 'retry-shared',
  [CloseCode.TLS_HANDSHAKE]: 'retry-shared',
  [CloseCode.IANA_UNAUTHORIZED]: 'credentials',
  [CloseCode.IANA_FORBIDDEN]: 'stop',
  [CloseCode.MALFORMED_FRAME]: 'retry-once',
  [CloseCode.UNAUTHENTICATED]: 'credentials',
  [CloseCode.FORBIDDEN]: 'stop',
  [CloseCode.SUBPROTOCOL]: 'stop',
  [CloseCode.TAKEN_OVER]: 'taken-over',
  [CloseCode.OTHER_IDENTITY]: 'other-identity',
  [CloseCode.TOO_MANY]: 'overload',
};

/** How a client reacts to a close code. A code that no table names: 3500–3999 and 4500–4999 `stop`, others `retry`. */
export function closeReaction(code: number): CloseReaction {
  return REACTIONS[code] ?? (code >= 3500 && code < 5000 && code % 1000 >= 500 ? 'stop' : 'retry');
}

/** A control frame holds 125 bytes, two of them the code (RFC 6455 5.5). */
const MAX_REASON_BYTES = 123;

/** The longest beginning of a close reason that a close frame can carry: at most 123 bytes of UTF-8, whole characters. */
export function truncateReason(reason: string): string {
  // No character has fewer bytes than units: what is longer has to be cut anyway.
  const characters = Array.from(reason.slice(0, MAX_REASON_BYTES));
  while (utf8Length(characters.join('')) > MAX_REASON_BYTES) characters.pop();
  return characters.join('');
}

const DAY_MS = 86_400_000;

/** The delay in ms that a close reason like `retry-after=4200` asks for, at most a day; `undefined` when it asks for none. */
export function parseRetryAfter(reason: string): number | undefined {
  const digits = /^retry-after=(\d+)/.exec(reason)?.[1];
  return digits === undefined ? undefined : Math.min(Number(digits), DAY_MS);
}

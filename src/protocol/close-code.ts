/*
 * Close codes that Tautline sends or names. Below 3000: RFC 6455 7.4.1 and the IANA registry. Constants of their own, and
 * not one object: bundlers put each in its place, and leave out the rest.
 */

export const NORMAL = 1000;
export const GOING_AWAY = 1001;
export const PROTOCOL_ERROR = 1002;
export const UNSUPPORTED_DATA = 1003;
/** Never on the wire: the close frame had no code. */
export const NO_STATUS = 1005;
/** Never on the wire: the connection ended without a close frame. */
export const ABNORMAL = 1006;
export const INVALID_PAYLOAD = 1007;
export const POLICY_VIOLATION = 1008;
export const MESSAGE_TOO_BIG = 1009;
export const MANDATORY_EXTENSION = 1010;
export const INTERNAL_ERROR = 1011;
export const SERVICE_RESTART = 1012;
export const TRY_AGAIN_LATER = 1013;
export const BAD_GATEWAY = 1014;
/** Never on the wire: the TLS handshake failed. */
export const TLS_HANDSHAKE = 1015;
/** IANA: Unauthorized. */
export const IANA_UNAUTHORIZED = 3000;
/** IANA: Forbidden. */
export const IANA_FORBIDDEN = 3003;
/** IANA: Timeout. */
export const IANA_TIMEOUT = 3008;
export const MALFORMED_FRAME = 4400;
export const UNAUTHENTICATED = 4401;
export const FORBIDDEN = 4403;
export const SUBPROTOCOL = 4406;
export const TIMED_OUT = 4408;
export const TAKEN_OVER = 4409;
export const OTHER_IDENTITY = 4410;
export const TOO_MANY = 4429;

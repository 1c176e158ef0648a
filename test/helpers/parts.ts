/** What PROTOCOL.md says of parts, for tests, which may run against a build that has no names for it. */
export const MARK = '+';
export const UNFINISHED_TO_SERVER = 2;
export const UNFINISHED_TO_CLIENT = 4;
export const UNITS_TO_CLIENT: number = 16 * 1024 * 1024;

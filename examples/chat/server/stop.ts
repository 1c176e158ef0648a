/** Exit code with which the server says: stopped because a user asked for it. */
export const STOP_ASKED = 75;

/**
 * Whether this is the build for development: with checks of what a programmer wrote, and whole sentences in errors. The
 * build for production has `false` here and nothing of what hangs on it.
 */
export const DEVELOPMENT: boolean = true;

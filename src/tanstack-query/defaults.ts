/** What Tautline tells of an error, where it is one of its own. */
interface Told {
  readonly retryable?: unknown;
  readonly outcome?: unknown;
  readonly retryAfterMs?: unknown;
}

/** Attempts after the first. */
const RETRIES = 2;

const told = (error: unknown): Told => (typeof error === 'object' && error !== null ? error : {});

/** Options that the factories set, and the app may override. */
export interface Defaults {
  readonly networkMode: 'always';
  readonly retry: (failures: number, error: unknown) => boolean;
  readonly retryDelay: (failures: number, error: unknown) => number;
}

/**
 * The connection waits by itself, until the deadline of the call: nothing is held back for what the browser says of the
 * network. And what cannot succeed is not tried again.
 */
export const QUERY_DEFAULTS: Defaults = {
  networkMode: 'always',
  retry: (failures, error) => failures < RETRIES && told(error).retryable === true,
  retryDelay: (failures, error) => {
    const { retryAfterMs } = told(error);
    return typeof retryAfterMs === 'number' ? retryAfterMs : Math.min(1_000 * 2 ** failures, 30_000);
  },
};

/** What may have happened is not done again. */
export const MUTATION_DEFAULTS: Defaults = {
  ...QUERY_DEFAULTS,
  retry: (failures, error) => QUERY_DEFAULTS.retry(failures, error) && told(error).outcome !== 'unknown',
};

/** Of what does not grow old by itself: a topic keeps it, or it was made at a cost. */
export const LASTING_DEFAULTS: Defaults & { readonly staleTime: number; readonly structuralSharing: boolean } = {
  ...QUERY_DEFAULTS,
  staleTime: Infinity,
  structuralSharing: false,
};

/** What a connection notes. */
export type HappeningName =
  | 'status'
  | 'opened'
  | 'welcome'
  | 'lost'
  | 'probe'
  | 'goaway'
  | 'move'
  | 'wake'
  | 'reconnect'
  | 'close'
  | 'auth'
  | 'congested'
  | 'drained'
  | 'gap'
  | 'failed'
  | 'error';

/** What belongs to a happening: codes, reasons, delays, figures, names. */
export type HappeningDetails = Readonly<Record<string, string | number | boolean | undefined>>;

/** One thing that happened to a connection; plain JSON. */
export interface Happening {
  /** Wall clock, ms since the epoch. */
  readonly at: number;
  readonly what: HappeningName;
  /** Times that the same happened in a row, the first of them at `at`; absent for once. */
  readonly times?: number;
  readonly details: HappeningDetails;
}

import { brand, isBranded } from './brand.ts';
import { DEVELOPMENT } from './development.ts';

/** What an error proves about the work that was asked for. */
export type Outcome =
  /** It never left this client: asking again is safe. */
  | 'not-sent'
  /** The server answered that it did not do it. */
  | 'rejected'
  /** It may have been done: only an idempotent request may be repeated blindly. */
  | 'unknown';

/** Codes that Tautline gives by itself; a contract may not declare them. The first eight say that nothing was done. */
export const SYSTEM_CODES = [
  'BAD_INPUT',
  'BAD_PAYLOAD',
  'BAD_REQUEST',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'NOT_FOUND',
  'RATE_LIMITED',
  'TOO_LARGE',
  'TIMEOUT',
  'ABORTED',
  'DISCONNECTED',
  'OFFLINE',
  'CLOSED',
  'QUEUE_FULL',
  'BAD_OUTPUT',
  'UNKNOWN_OUTCOME',
  'INTERNAL',
  'GAP',
  'UNKNOWN',
] as const;

/** A code that Tautline gives by itself. A code that this version does not know arrives as `UNKNOWN`. */
export type SystemCode = (typeof SYSTEM_CODES)[number];

/** One problem that a schema found, in the shape of Standard Schema. */
export interface Issue {
  readonly message: string;
  readonly path?: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined;
}

/** What an error carries besides its code and its sentence. */
export interface TautlineErrorDetails<Data = unknown> {
  readonly outcome: Outcome;
  /** The same request may succeed later. @default false */
  readonly retryable?: boolean | undefined;
  /** Contract path of the procedure or topic, `messages.send`. */
  readonly path?: string | undefined;
  /** Data of a declared error, parsed by its schema. */
  readonly data?: Data | undefined;
  /** What the schema found, for `BAD_INPUT` and `BAD_OUTPUT`. */
  readonly issues?: readonly Issue[] | undefined;
  /** One sentence: what to do; the build for production has none. */
  readonly remedy?: string | false | undefined;
  /** Milliseconds after which the server invites another try. */
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

/** Where each code is explained: a page of the package. */
const PAGE = 'tautline/dist/errors.md';

/** So many errors a second have a stack: it takes a kilobyte or three, and of a flood one says as much as all. */
const hasStack = /* @__PURE__ */ sparing(100);

/** Whether something may be done once more: so many times a second. */
export function sparing(perSecond: number): () => boolean {
  let count = 0;
  let since = -Infinity;
  return () => {
    const now = performance.now();
    if (now - since >= 1_000) {
      since = now;
      count = 0;
    }
    return ++count <= perSecond;
  };
}

/**
 * The one error class: every call, publish and subscription that fails, fails with it.
 * Its message begins with the code. In the build for production it names the path, and the page that explains the code.
 * Of more than 100 in a second the others have no frames in their `stack`, where the engine can leave them out (V8).
 */
export class TautlineError<Code extends string = string, Data = unknown> extends Error {
  override readonly name = 'TautlineError';
  readonly code: Code;
  readonly outcome: Outcome;
  readonly retryable: boolean;
  readonly path: string | undefined;
  readonly data: Data;
  readonly issues: readonly Issue[] | undefined;
  readonly remedy: string | undefined;
  readonly retryAfterMs: number | undefined;

  /** @param message - What happened; `false` where there is no text for it, as in the build for production. */
  constructor(code: Code, message: string | false, details: TautlineErrorDetails<Data>) {
    const remedy = DEVELOPMENT && details.remedy ? ` ${details.remedy}` : '';
    const text = message === false ? `${details.path ?? 'tautline'}, see ${PAGE}#${code.toLowerCase()}` : message;
    const { stackTraceLimit } = Error as { readonly stackTraceLimit?: number };
    // Where it is frozen, or nothing to the engine, it stays as it is.
    const isBare = stackTraceLimit! > 0 && !hasStack() && Reflect.set(Error, 'stackTraceLimit', 0);
    super(`${code}: ${text}${remedy}`, details.cause === undefined ? undefined : { cause: details.cause });
    if (isBare) Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
    this.code = code;
    this.outcome = details.outcome;
    this.retryable = details.retryable ?? false;
    this.path = details.path;
    this.data = details.data as Data;
    this.issues = details.issues;
    this.remedy = details.remedy || undefined;
    this.retryAfterMs = details.retryAfterMs;
  }
}

brand(TautlineError, 'TautlineError');

/** Whether a value is a {@link TautlineError}, of whatever copy of the package; with a code, one of that code. */
export function isTautlineError(value: unknown): value is TautlineError;
export function isTautlineError<Code extends string>(value: unknown, code: Code): value is TautlineError<Code>;
export function isTautlineError(value: unknown, code?: string): boolean {
  return isBranded(value, 'TautlineError') && (code === undefined || (value as TautlineError).code === code);
}

/** So many of {@link SYSTEM_CODES}, the first, prove that the server has done nothing. */
const REJECTING_CODES = 8;

/** Whether a code is one of {@link SYSTEM_CODES}. */
export function isSystemCode(code: string): code is SystemCode {
  return SYSTEM_CODES.includes(code as SystemCode);
}

/** What an error code from the server proves: declared and refusing codes reject, all others leave it open. */
export function outcomeOfServerCode(code: string, declared: boolean): Outcome {
  return declared || SYSTEM_CODES.slice(0, REJECTING_CODES).includes(code as SystemCode) ? 'rejected' : 'unknown';
}

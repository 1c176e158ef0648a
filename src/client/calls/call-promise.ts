import type { TautlineError } from '../../errors.ts';

/** What {@link CallPromise.safe} resolves with: never rejects. */
export type Safe<Output, CallError> =
  | { readonly ok: true; readonly data: Output; readonly error?: undefined }
  | { readonly ok: false; readonly error: CallError; readonly data?: undefined };

/** A promise that rejects with a {@link TautlineError} of known codes, and can say so in types. */
export class CallPromise<Output, CallError = TautlineError> extends Promise<Output> {
  /** The same result as a value: `{ ok: true, data }` or `{ ok: false, error }`, `error.code` a closed union. */
  safe(): Promise<Safe<Output, CallError>> {
    return this.then(
      (data) => ({ ok: true, data }),
      (error: unknown) => ({ ok: false, error: error as CallError }),
    );
  }
}

// `await` takes it as the promise that it is, without another around it; and `then` gives plain ones (ECMA-262,
// PromiseResolve and SpeciesConstructor): only the call itself has `safe`.
void Object.defineProperty(CallPromise.prototype, 'constructor', { value: Promise });

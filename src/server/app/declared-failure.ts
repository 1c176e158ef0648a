import type { DeclaredErrorInputs } from '../../contract/infer.ts';
import type { Procedure } from '../../contract/procedure.ts';

/** Ends a call with an error that its procedure declares: the caller gets code and data, typed. */
export interface Fail<P extends Procedure = Procedure> {
  <Code extends keyof DeclaredErrorInputs<P> & string>(
    code: Code,
    data: DeclaredErrorInputs<P>[Code],
    message?: string,
  ): never;
}

/** What `fail` throws: a declared error on its way through the handler and the interceptors to the caller. */
export class DeclaredFailure extends Error {
  override readonly name = 'DeclaredFailure';
  readonly code: string;
  /** As the handler gave it, before its schema. */
  readonly data: unknown;

  constructor(code: string, data: unknown, message: string) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

/** Whether it was thrown by a `fail`. Never throws: what an app throws may be a proxy. */
export function isDeclaredFailure(error: unknown): error is DeclaredFailure {
  try {
    return error instanceof DeclaredFailure;
  } catch {
    return false;
  }
}

/** The `fail` of a procedure's handler. @throws DeclaredFailure; TypeError for a code that is not declared. */
export function failWith(procedure: Procedure): Fail {
  return (code: string, data: unknown, message?: string): never => {
    if (!Object.hasOwn(procedure.errors, code)) throw new TypeError(`${code} is not among the declared errors`);
    throw new DeclaredFailure(code, data, message ?? code);
  };
}

import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Issue } from '../errors.ts';

/**
 * Any Standard Schema (zod 4, valibot, arktype …). The constraint is weak on purpose: matching the full
 * interface costs the type checker four times as many instantiations, for the same inference.
 */
export interface AnySchema {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- see above
  readonly '~standard': any;
}

/**
 * A schema of zod. It says what it accepts and what it makes of it in two places, each read alone; Standard Schema says
 * both in one, and the type checker works out both where one is asked for.
 */
interface ZodSchema {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- only looked at
  readonly _zod: { readonly input: any; readonly output: any };
}

// `undefined` is asked for first: without `strictNullChecks` it extends every schema.

/** What a schema accepts; `None` where there is no schema. */
export type SchemaInput<S, None = never> = S extends undefined
  ? None
  : S extends ZodSchema
    ? S['_zod']['input']
    : S extends AnySchema
      ? NonNullable<S['~standard']['types']>['input']
      : None;

/** What a schema makes of it; `None` where there is no schema. */
export type SchemaOutput<S, None = never> = S extends undefined
  ? None
  : S extends ZodSchema
    ? S['_zod']['output']
    : S extends AnySchema
      ? NonNullable<S['~standard']['types']>['output']
      : None;

/** Result of {@link validate}: the parsed value, or what is wrong; with what the schema threw, if it did. */
export type Validation =
  | { readonly value: unknown; readonly issues?: undefined }
  | { readonly issues: readonly Issue[]; readonly cause?: unknown };

/**
 * Runs a schema. Answers at once unless the schema is asynchronous. A schema that throws or rejects is an issue
 * like any other: a value of the peer must not be able to crash its reader.
 */
export function validate(schema: AnySchema, value: unknown): Validation | Promise<Validation> {
  try {
    const result = (schema as StandardSchemaV1)['~standard'].validate(value);
    // Any thenable: a promise of another realm is no instance of this one's.
    return isThenable(result) ? Promise.resolve(result).catch(schemaThrew) : result;
  } catch (error) {
    return schemaThrew(error);
  }
}

function isThenable<Result>(result: Result | PromiseLike<Result>): result is PromiseLike<Result> {
  return typeof (result as Partial<PromiseLike<Result>> | undefined)?.then === 'function';
}

function schemaThrew(error: unknown): Validation {
  // Its text is for the own side alone: a schema that asks a database may throw what no peer should read.
  return { issues: [{ message: 'the schema threw' }], cause: error };
}

/** Whether a value is a Standard Schema. */
export function isSchema(value: unknown): value is AnySchema {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const standard = (value as { '~standard'?: { version?: unknown; validate?: unknown } | null })['~standard'];
  return (
    typeof standard === 'object' &&
    standard !== null &&
    standard.version === 1 &&
    typeof standard.validate === 'function'
  );
}

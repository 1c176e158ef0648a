import type { AnySchema } from './schema.ts';

/** What happens to a call when its connection is lost depends on its kind: that is why the contract names it. */
export type ProcedureKind = 'query' | 'mutation' | 'stream';

/** Declared errors of a procedure: the code, and the schema of its data. */
export type ErrorSchemas = Readonly<Record<string, AnySchema>>;

/** Schemas of a procedure. Without `input` it takes none; without `output` it answers nothing. */
export interface ProcedureOptions<
  I extends AnySchema | undefined = AnySchema | undefined,
  O extends AnySchema | undefined = AnySchema | undefined,
  E extends ErrorSchemas = ErrorSchemas,
> {
  readonly input?: I;
  readonly output?: O;
  /** Errors that the handler may fail with, by code; callers see them typed. */
  readonly errors?: E;
}

/** One procedure of a contract. */
export interface Procedure<
  K extends ProcedureKind = ProcedureKind,
  I extends AnySchema | undefined = AnySchema | undefined,
  O extends AnySchema | undefined = AnySchema | undefined,
  E extends ErrorSchemas = ErrorSchemas,
> {
  readonly kind: K;
  readonly input: I;
  readonly output: O;
  readonly errors: E;
  /** Running it twice does no harm: it is sent again where the server can't tell whether it ran. */
  readonly idempotent: boolean;
}

// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- no declared errors: no keys
type NoErrors = {};

function procedure<K extends ProcedureKind, I, O, E>(
  kind: K,
  { input, output, errors }: { input?: I; output?: O; errors?: E },
  idempotent: boolean,
) {
  return { kind, input: input as I, output: output as O, errors: errors ?? ({} as E), idempotent };
}

// NoInfer, below: what a contract's tree expects of a procedure says nothing about a schema that was left out.

/** Reads and changes nothing: it is sent again after a lost connection. */
export function query<
  const I extends AnySchema | undefined = undefined,
  const O extends AnySchema | undefined = undefined,
  const E extends ErrorSchemas = NoErrors,
>(options: ProcedureOptions<I, O, E> = {}): Procedure<'query', NoInfer<I>, NoInfer<O>, NoInfer<E>> {
  return procedure<'query', I, O, E>('query', options, true);
}

/**
 * Changes something: it takes effect at most once. After a lost connection it is sent again only to a server
 * that still remembers it, unless it is declared idempotent.
 */
export function mutation<
  const I extends AnySchema | undefined = undefined,
  const O extends AnySchema | undefined = undefined,
  const E extends ErrorSchemas = NoErrors,
>(
  options: ProcedureOptions<I, O, E> & {
    /** Running it twice does no harm. @default false */
    readonly idempotent?: boolean;
  } = {},
): Procedure<'mutation', NoInfer<I>, NoInfer<O>, NoInfer<E>> {
  return procedure<'mutation', I, O, E>('mutation', options, options.idempotent ?? false);
}

/** Answers with a sequence of items; `output` is the schema of one. */
export function stream<
  const I extends AnySchema | undefined = undefined,
  const O extends AnySchema | undefined = undefined,
  const E extends ErrorSchemas = NoErrors,
>(options: ProcedureOptions<I, O, E> = {}): Procedure<'stream', NoInfer<I>, NoInfer<O>, NoInfer<E>> {
  return procedure<'stream', I, O, E>('stream', options, false);
}

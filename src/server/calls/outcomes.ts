import { validate } from '../../contract/schema.ts';
import type { AnySchema, Validation } from '../../contract/schema.ts';
import { encodeError, encodeReply } from '../../protocol/encode.ts';
import { isDeclaredFailure } from '../app/declared-failure.ts';
import { isThenable } from '../app/now-or-later.ts';
import { outputFault } from '../app/output-fault.ts';
import type { PayloadWriter } from '../app/payload-writer.ts';
import { isAbort } from '../app/reporter.ts';
import type { Report } from '../app/reporter.ts';
import type { Run } from './run.ts';

const GENERIC = 'the server failed';

/**
 * What becomes of a call when its handler gave or threw something: parses outputs, and settles the call with what may be
 * told. Each result is nothing when it was done at once, and never rejects.
 */
export class Outcomes {
  readonly #writer: PayloadWriter;
  readonly #report: Report;

  constructor(writer: PayloadWriter, report: Report) {
    this.#writer = writer;
    this.#report = report;
  }

  /** The handler gave its output. */
  give(run: Run, output: unknown): void | Promise<void> {
    const schema = run.bound.procedure.output;
    if (schema === undefined) return this.#reply(run, '');
    const validation = validate(schema, output);
    if (isThenable(validation)) return validation.then((result) => this.#giveParsed(run, schema, result));
    return this.#giveParsed(run, schema, validation);
  }

  /** The next item of a stream. */
  giveItem(run: Run, item: unknown): void | Promise<void> {
    const schema = run.bound.procedure.output;
    if (schema === undefined) return run.stream!.push('');
    const validation = validate(schema, item);
    if (isThenable(validation)) return validation.then((result) => this.#giveParsedItem(run, schema, result));
    return this.#giveParsedItem(run, schema, validation);
  }

  /** The handler threw. */
  fail(run: Run, error: unknown): void | Promise<void> {
    const { procedure, path } = run.bound;
    if (!isDeclaredFailure(error)) {
      this.reportThrown(run, error);
      return this.refuse(run, 'INTERNAL', GENERIC);
    }
    const { code, message } = error;
    const schema = procedure.errors[code]!;
    const what = `error ${code}`;
    const tell = (result: Validation): void => {
      if (result.issues !== undefined) return this.#badOutput(run, outputFault(what, path, result));
      const payload = this.#encode(run, schema, result.value, what);
      if (payload !== undefined) run.calls.settle(run.call, encodeError(run.call.id, { code, message }, payload));
    };
    const validation = validate(schema, error.data);
    return isThenable(validation) ? validation.then(tell) : tell(validation);
  }

  /** That a handler stopped because nobody waits any more is no fault. */
  reportThrown({ call, bound }: Run, error: unknown): void {
    if (!call.settled || !isAbort(error)) this.#report(error, { during: 'handler', path: bound.path });
  }

  refuse({ call, calls }: Run, code: string, message: string): void {
    calls.settle(call, encodeError(call.id, { code, message }, ''));
  }

  #giveParsed(run: Run, schema: AnySchema, result: Validation): void {
    if (result.issues !== undefined) return this.#badOutput(run, outputFault('output', run.bound.path, result));
    const payload = this.#encode(run, schema, result.value, 'output');
    if (payload !== undefined) this.#reply(run, payload);
  }

  #giveParsedItem(run: Run, schema: AnySchema, result: Validation): void {
    if (result.issues !== undefined) return this.#badOutput(run, outputFault('output', run.bound.path, result));
    const payload = this.#encode(run, schema, result.value, 'output');
    if (payload !== undefined) run.stream!.push(payload);
  }

  #reply({ call, calls }: Run, payload: string): void {
    calls.settle(call, encodeReply(call.id, payload));
  }

  /** What the schema made of it is sent, and nothing else. `undefined` when it can't be: then the call is settled. */
  #encode(run: Run, schema: AnySchema, value: unknown, what: string): string | undefined {
    try {
      return this.#writer.encode(value, schema, run.bound.path, what);
    } catch (error) {
      this.#badOutput(run, error);
      return undefined;
    }
  }

  /** The handler did its work, but what it says can't be told. */
  #badOutput(run: Run, error: unknown): void {
    this.#report(error, { during: 'output', path: run.bound.path });
    // Its handler may be far from done.
    if (run.stream !== undefined)
      run.calls.abort(run.call, new DOMException('an item was not what it must be', 'AbortError'));
    const why = this.#writer.isDevelopment && error instanceof Error ? `: ${error.message}` : '';
    this.refuse(run, 'BAD_OUTPUT', `the server answered with what its contract does not allow${why}`);
  }
}

import { describeIssues } from '../../contract/issues.ts';
import { validate, type AnySchema, type Validation } from '../../contract/schema.ts';
import type { Codec } from '../../payload.ts';
import { whenReady } from './now-or-later.ts';
import { type Report } from './reporter.ts';

/** Options of a {@link PayloadWriter}. */
export interface PayloadWriterOptions {
  readonly codec: Codec;
  /** Checks the first value of each schema as its reader will: see {@link PayloadWriter.encode}. */
  readonly checks: boolean;
  readonly report: Report;
}

const REMEDY =
  'The client parses it again with the same schema. Transform in the handler instead, or let the schema accept ' +
  'both, z.union([Made, Given.transform(…)]); dates, maps and sets travel as they are with the superjson codec.';

/** Encodes what the server sends. */
export class PayloadWriter {
  readonly #options: PayloadWriterOptions;
  readonly #checked = new WeakSet<AnySchema>();

  constructor(options: PayloadWriterOptions) {
    this.#options = options;
  }

  /** In development: what is wrong with the app's own values is told to callers, too. */
  get isDevelopment(): boolean {
    return this.#options.checks;
  }

  /**
   * The payload slots of a value that its schema made, of a procedure or topic at a contract path; `what` it is, `output`
   * or `event`, is for people. The first of each schema is read back and parsed once more: a schema that does not
   * accept its own output, or makes something else of it, is reported before a client comes upon it.
   * @throws TautlineError `BAD_PAYLOAD`
   */
  encode(value: unknown, schema: AnySchema, path: string, what: string): string {
    const { codec, checks } = this.#options;
    const payload = codec.encode(value);
    if (checks && !this.#checked.has(schema)) {
      this.#checked.add(schema);
      this.#check(payload, schema, `the ${what} schema of ${path}`, path);
    }
    return payload;
  }

  #check(payload: string, schema: AnySchema, name: string, path: string): void {
    const { codec, report } = this.#options;
    const fault = (problem: string): void => {
      const error = new TypeError(`${name} ${problem}. ${REMEDY}`);
      report(error, { during: 'output', path });
    };
    const look = (again: Validation): void => {
      if (again.issues !== undefined) fault(`does not accept its own output: ${describeIssues(again.issues)}`);
      else if (this.#textOf(again.value) !== payload) fault('makes something else of its own output');
    };
    void whenReady(
      () => validate(schema, codec.decode(...(JSON.parse(`[${payload}]`) as [unknown, unknown]))),
      look,
      (error) => {
        fault(`has an output that can't be read back: ${String(error)}`);
      },
    );
  }

  #textOf(value: unknown): string | undefined {
    try {
      return this.#options.codec.encode(value);
    } catch {
      return undefined;
    }
  }
}

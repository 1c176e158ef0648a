import type { Procedure } from '../../contract/procedure.ts';
import type { TautlineError } from '../../errors.ts';
import type { Codec } from '../../payload.ts';
import { encodeCall } from '../../protocol/encode.ts';
import type { WireError } from '../../protocol/messages.ts';
import { utf8Length } from '../../protocol/utf8.ts';
import { capability, type Capability, type Kernel } from '../kernel/capability.ts';
import { readPayload } from '../requests/read-payload.ts';
import { Request } from '../requests/request.ts';
import type { CallOptions } from '../requests/request-options.ts';
import { callHeaders, headersSlot, type CallHeaders } from './call-headers.ts';
import { CallPromise } from './call-promise.ts';
import { readCallError } from './read-call-error.ts';

/** Queries and mutations: `client.users.get({ id })`. Each connection has it. */
export function calls(): Capability<'calls'> {
  return capability('calls', (kernel) => {
    const offer = (procedure: Procedure, path: string, codec: Codec): unknown =>
      callFunction(kernel, new Called(procedure, path, codec));
    return { offers: { query: offer, mutation: offer } };
  });
}

function callFunction(kernel: Kernel, called: Called): (input: unknown, options?: CallOptions) => CallPromise<unknown> {
  const { procedure, path, codec } = called;
  const { input: schema } = procedure;
  const send = (
    input: unknown,
    options: CallOptions,
    resolve: (output: unknown) => void,
    reject: (error: TautlineError) => void,
  ): void => {
    // Encoded now: what the caller does to the object later is not sent.
    const payload = schema === undefined ? '' : codec.encode(input);
    const call = new Call(called, payload, callHeaders(options.headers), resolve, reject);
    if (options.onProgress) call.onProgress = options.onProgress;
    kernel.requests.start(call, options, schema, input);
  };
  return (input, options = NO_OPTIONS) => {
    let resolve!: (output: unknown) => void;
    let reject!: (error: unknown) => void;
    const promise = new CallPromise<unknown>((succeed, fail) => {
      resolve = succeed;
      reject = fail;
    });
    try {
      const { around } = kernel;
      if (around === undefined) send(input, options, resolve, reject);
      else {
        const once = (given: unknown, terms: CallOptions): Promise<unknown> =>
          new Promise((succeed, fail) => send(given, terms, succeed, fail));
        const what = { kind: procedure.kind as 'query' | 'mutation', path };
        around(what, input, options, once).then(resolve, reject);
      }
    } catch (error) {
      reject(error);
    }
    return promise;
  };
}

const NO_OPTIONS: CallOptions = {};

/** What all calls of one procedure share. */
class Called {
  readonly procedure: Procedure;
  readonly path: string;
  readonly codec: Codec;
  readonly acts: boolean;
  readonly pathJson: string;
  /** UTF-8 bytes that the path takes beyond one for each unit of its text. */
  readonly surplus: number;

  constructor(procedure: Procedure, path: string, codec: Codec) {
    this.procedure = procedure;
    this.path = path;
    this.codec = codec;
    this.acts = procedure.kind !== 'query';
    this.pathJson = JSON.stringify(path);
    this.surplus = utf8Length(this.pathJson) - this.pathJson.length;
  }
}

/** One call of a procedure. */
class Call extends Request {
  readonly #called: Called;
  readonly #payload: string;
  readonly #headers: CallHeaders;

  constructor(
    called: Called,
    payload: string,
    headers: CallHeaders,
    resolve: (output: unknown) => void,
    reject: (error: TautlineError) => void,
  ) {
    super(utf8Length(payload) + headers.bytes, resolve, reject);
    this.#called = called;
    this.#payload = payload;
    this.#headers = headers;
  }

  get path(): string {
    return this.#called.path;
  }

  get surplus(): number {
    return this.#called.surplus + this.bytes - this.#payload.length - this.#headers.text.length;
  }

  override get acts(): boolean {
    return this.#called.acts;
  }

  override get idempotent(): boolean {
    return this.#called.procedure.idempotent;
  }

  protected message(leftMs: number): string {
    return encodeCall(this.id, this.#called.pathJson, headersSlot(this.#headers, leftMs), this.#payload);
  }

  protected read(error: WireError | undefined, json: unknown, meta: unknown, isVetted: boolean): unknown {
    const { codec, procedure, path } = this.#called;
    return error === undefined
      ? readPayload(codec, procedure.output, path, json, meta, isVetted)
      : readCallError(this.#called, error, { json, meta, isVetted }, this.mayHaveRun);
  }
}

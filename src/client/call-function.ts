import type { Procedure } from '../contract/procedure.ts';
import { describeIssues } from '../contract/issues.ts';
import { validate, type AnySchema, type Validation } from '../contract/schema.ts';
import { TautlineError, isSystemCode, outcomeOfServerCode } from '../errors.ts';
import type { Codec } from '../payload.ts';
import { encodeCall } from '../protocol/encode.ts';
import type { WireError } from '../protocol/messages.ts';
import { utf8Length } from '../protocol/utf8.ts';
import { callHeaders } from './call-headers.ts';
import type { CallOptions } from './call-options.ts';
import type { CallRequest } from './call.ts';
import type { CallPromise } from './call-promise.ts';
import type { ClientConnection } from './client-connection.ts';
import { interceptedCall, type SendCall } from './intercepted-call.ts';
import { readPayload } from './payload-reader.ts';

/** Makes the function that calls one procedure. */
export function callFunction(
  connection: ClientConnection,
  path: string,
  procedure: Procedure,
  codec: Codec,
): (input: unknown, options?: CallOptions) => CallPromise<unknown> {
  const acts = procedure.kind !== 'query';
  const readReply = (json: unknown, meta: unknown): unknown => readPayload(codec, procedure.output, path, json, meta);
  const readError: CallRequest['readError'] = (error, json, meta, mayHaveRun) =>
    readCallError(procedure, codec, path, error, json, meta, mayHaveRun);
  const send: SendCall = (input, options, resolve, reject) => {
    // Encoded now: what the caller does to the object later is not sent.
    const payload = procedure.input === undefined ? '' : codec.encode(input);
    const headers = callHeaders(options.headers);
    const request: CallRequest = {
      path,
      acts,
      idempotent: procedure.idempotent,
      bytes: utf8Length(payload) + headers.bytes,
      write: (id, leftMs) => encodeCall(id, path, headers.at(leftMs), payload),
      readReply,
      readError,
    };
    connection.request(request, options, () => checkValue(procedure.input, input, path), resolve, reject);
  };
  const { kind } = procedure;
  return (input, options = {}) => interceptedCall(connection, { kind, path }, input, options, send);
}

/**
 * Checks what is about to be sent; what is sent is the value as it was given: the server parses it.
 * @throws TautlineError `BAD_INPUT`, or a promise that rejects with it
 */
export function checkValue(schema: AnySchema | undefined, value: unknown, path: string): void | Promise<void> {
  if (schema === undefined) return undefined;
  const check = (validation: Validation): void => {
    if (validation.issues === undefined) return;
    const { issues, cause } = validation;
    const what = `${path}: ${describeIssues(issues)}.`;
    throw new TautlineError('BAD_INPUT', what, { outcome: 'not-sent', path, issues, cause });
  };
  const validation = validate(schema, value);
  return validation instanceof Promise ? validation.then(check) : check(validation);
}

/** The error that a server's answer stands for: declared ones with their data, unknown ones as `UNKNOWN`. */
export function readCallError(
  procedure: Procedure,
  codec: Codec,
  path: string,
  { code, message, retryAfterMs, issues }: WireError,
  json: unknown,
  meta: unknown,
  mayHaveRun = false,
): TautlineError | Promise<TautlineError> {
  const schema = Object.hasOwn(procedure.errors, code) ? procedure.errors[code] : undefined;
  const known = schema !== undefined || isSystemCode(code);
  const make = (data: unknown): TautlineError =>
    new TautlineError(known ? code : 'UNKNOWN', known ? message : `${code}: ${message}`, {
      outcome: mayHaveRun ? 'unknown' : outcomeOfServerCode(code, schema !== undefined),
      retryable: code === 'RATE_LIMITED' || code === 'TIMEOUT',
      retryAfterMs,
      issues,
      path,
      data,
    });
  if (schema === undefined) return make(undefined);
  const data = readPayload(codec, schema, path, json, meta);
  return data instanceof Promise ? data.then(make) : make(data);
}

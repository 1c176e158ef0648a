import type { Codec } from '../payload.ts';
import { isSystemCode } from '../errors.ts';
import type { Procedure } from './procedure.ts';
import { isSchema } from './schema.ts';
import type { Topic } from './topic.ts';

/** Names that promises, objects and prototypes already give a meaning to. */
const RESERVED: ReadonlySet<string> = new Set([
  'then',
  'catch',
  'finally',
  'constructor',
  'prototype',
  '__proto__',
  'toString',
  'toJSON',
  'valueOf',
]);

/** A fault of a contract; the message begins with the place, `contract.messages.send`. */
export function contractFault(path: string, problem: string): TypeError {
  return new TypeError(`${path === '' ? 'contract' : `contract.${path}`}: ${problem}`);
}

/** Whether a value is an object that no class made. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // The last test takes objects of another realm.
  return prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** @throws TypeError for a name that the client's tree could not offer. */
export function checkName(group: string, name: string): void {
  if (name === '') throw contractFault(group, 'a name is empty; give it one');
  if (name.includes('.')) throw contractFault(group, `the name '${name}' has a dot; nest a group instead`);
  if (RESERVED.has(name)) throw contractFault(group, `the name '${name}' is reserved by the language; choose another`);
}

/** @throws TypeError for a procedure whose parts are not what `query()`, `mutation()` and `stream()` make. */
export function checkProcedure(path: string, procedure: Procedure): void {
  checkSchema(path, 'input', procedure.input, 'optional');
  checkSchema(path, 'output', procedure.output, 'optional');
  if (!isPlainObject(procedure.errors)) throw contractFault(path, 'errors must be an object of schemas by code');
  for (const [code, schema] of Object.entries(procedure.errors)) {
    if (!/^[A-Z][A-Z0-9_]*$/.test(code)) {
      throw contractFault(path, `the error code '${code}' must be in capitals, like ROOM_FULL`);
    }
    if (isSystemCode(code)) throw contractFault(path, `the error code '${code}' is one of Tautline's own; rename it`);
    checkSchema(path, `errors.${code}`, schema);
  }
  if (typeof procedure.idempotent !== 'boolean') {
    throw contractFault(path, `idempotent must be true or false, got ${typeof procedure.idempotent}`);
  }
}

/** @throws TypeError for a topic whose parts, besides its template, are not what `topic()` makes. */
export function checkTopic(path: string, topic: Topic): void {
  checkSchema(path, 'event', topic.event);
  checkSchema(path, 'snapshot', topic.snapshot, 'optional');
  // eslint-disable-next-line @typescript-eslint/unbound-method -- only looked at
  const apply: unknown = topic.apply;
  if (apply === undefined) return;
  if (typeof apply !== 'function') throw contractFault(path, `apply must be a function, got ${typeof apply}`);
  if (topic.snapshot === undefined) {
    throw contractFault(path, 'apply folds events into a snapshot; declare the schema of one as snapshot');
  }
}

/** @throws TypeError for a codec that is none. */
export function checkCodec(codec: Codec): void {
  const { name, encode, decode } = Object(codec) as Partial<Codec>;
  if (typeof name === 'string' && name !== '' && typeof encode === 'function' && typeof decode === 'function') return;
  throw contractFault('', 'the codec must have a name, encode and decode; pass one like superjson');
}

function checkSchema(path: string, slot: string, schema: unknown, presence?: 'optional'): void {
  if (presence === 'optional' && schema === undefined) return;
  if (isSchema(schema)) return;
  throw contractFault(
    path,
    `${slot} is no schema; pass a Standard Schema (version 1), for example of zod 4, valibot or arktype`,
  );
}

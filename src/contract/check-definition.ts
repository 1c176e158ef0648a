import type { Codec } from '../payload.ts';
import { isSystemCode } from '../errors.ts';
import { checkTemplate, templatesClash } from './check-template.ts';
import type { Presence } from './presence.ts';
import type { Procedure } from './procedure.ts';
import { isSchema } from './schema.ts';
import type { Topic } from './topic.ts';

/* What a contract must be. All of it is for development: who changes a contract runs it there. */

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

/** What was seen of a contract so far. */
interface Seen {
  /** The groups that the walk is in. */
  readonly above: Set<unknown>;
  readonly topics: { readonly path: string; readonly template: string }[];
}

/**
 * Everything is checked here, once: a malformed contract never reaches the wire.
 * @throws TypeError whose message begins with the place, `contract.messages.send`, and says what to do.
 */
export function checkContract(tree: unknown, codec: Codec | undefined): void {
  if (codec !== undefined) checkCodec(codec);
  checkNode({ above: new Set(), topics: [] }, '', tree);
}

function checkNode(seen: Seen, path: string, node: unknown): void {
  const kind: unknown = isPlainObject(node) ? node.kind : undefined;
  if (path !== '' && (kind === 'query' || kind === 'mutation' || kind === 'stream')) {
    checkProcedure(path, node as Procedure);
  } else if (path !== '' && kind === 'topic') {
    checkTopic(path, node as Topic);
    checkNames(seen, path, node as Topic);
  } else {
    checkGroup(seen, path, node);
  }
}

function checkGroup(seen: Seen, path: string, group: unknown): void {
  if (!isPlainObject(group)) {
    const what = path === '' ? 'a tree' : 'a procedure, a topic or a group';
    throw contractFault(path, `this is not ${what}; use query(), mutation(), stream(), topic() or a plain object`);
  }
  if (seen.above.has(group)) throw contractFault(path, 'the group contains itself; take the cycle out');
  const names = Object.keys(group);
  if (names.length === 0) throw contractFault(path, 'the group is empty; add a procedure or a topic, or leave it out');
  seen.above.add(group);
  for (const name of names) {
    checkName(path, name);
    checkNode(seen, path === '' ? name : `${path}.${name}`, group[name]);
  }
  seen.above.delete(group);
}

/** The names of a topic belong to no other. */
function checkNames({ topics }: Seen, path: string, { template }: Topic): void {
  try {
    checkTemplate(template);
  } catch (error) {
    throw contractFault(path, (error as TypeError).message);
  }
  const other = topics.find((topic) => templatesClash(template, topic.template));
  if (other !== undefined) {
    throw contractFault(
      path,
      `its names '${template}' can coincide with '${other.template}' of contract.${other.path}; ` +
        'begin one of them with another literal',
    );
  }
  topics.push({ path, template });
}

/** A fault of a contract; the message begins with the place, `contract.messages.send`. */
function contractFault(path: string, problem: string): TypeError {
  return new TypeError(`${path === '' ? 'contract' : `contract.${path}`}: ${problem}`);
}

/** Whether a value is an object that no class made. */
function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // The last test takes objects of another realm.
  return prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** @throws TypeError for a name that the client's tree could not offer. */
function checkName(group: string, name: string): void {
  if (name === '') throw contractFault(group, 'a name is empty; give it one');
  if (name.includes('.')) throw contractFault(group, `the name '${name}' has a dot; nest a group instead`);
  if (RESERVED.has(name)) throw contractFault(group, `the name '${name}' is reserved by the language; choose another`);
}

/** @throws TypeError for a procedure whose parts are not what `query()`, `mutation()` and `stream()` make. */
function checkProcedure(path: string, procedure: Procedure): void {
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
function checkTopic(path: string, topic: Topic): void {
  checkSchema(path, 'event', topic.event);
  checkSchema(path, 'snapshot', topic.snapshot, 'optional');
  if (topic.enter !== undefined) checkSchema(path, 'info', (topic as Partial<Presence>).info);
  // eslint-disable-next-line @typescript-eslint/unbound-method -- only looked at
  const apply: unknown = topic.apply;
  if (apply === undefined) return;
  if (typeof apply !== 'function') throw contractFault(path, `apply must be a function, got ${typeof apply}`);
  if (topic.snapshot === undefined) {
    throw contractFault(
      path,
      'apply folds events into a snapshot; declare the schema of one as snapshot, or leave apply out',
    );
  }
}

/** @throws TypeError for a codec that is none. */
function checkCodec(codec: Codec): void {
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

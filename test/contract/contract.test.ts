import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineContract } from '../../src/contract/contract.ts';
import { mutation, query, stream } from '../../src/contract/procedure.ts';
import { topic } from '../../src/contract/topic.ts';
import { json } from '../../src/codec/json.ts';

const text = z.string();

describe('A contract', () => {
  const get = query({ input: text, output: text });
  const send = mutation({ input: text, errors: { ROOM_FULL: z.object({ capacity: z.int() }) } });
  const reply = stream({ output: text });
  const room = topic('rooms/{roomId}', {
    event: text,
    snapshot: z.array(text),
    apply: (state, event) => [...state, event],
  });
  const tree = { users: { get }, messages: { deep: { send } }, reply, room };
  const contract = defineContract(tree, { codec: json });

  test('lists its procedures by path.', () => {
    expect([...contract.procedures]).toStrictEqual([
      ['users.get', get],
      ['messages.deep.send', send],
      ['reply', reply],
    ]);
    expect(contract.procedures.get('users.get')).toBe(get);
  });

  test('lists its topics by path, with the template read.', () => {
    expect([...contract.topics.keys()]).toStrictEqual(['room']);
    const entry = contract.topics.get('room')!;
    expect(entry.definition).toBe(room);
    expect(entry.path).toBe('room');
    expect(entry.paramNames).toStrictEqual(['roomId']);
    expect(entry.fill({ roomId: 'a b' })).toBe('rooms/a%20b');
  });

  test('is made of what was given: nothing is copied or frozen.', () => {
    expect(contract.tree).toBe(tree);
    expect(contract.codec).toBe(json);
    expect(defineContract(tree).codec).toBeUndefined();
    expect(Object.isFrozen(tree)).toBe(false);
    expect(Object.isFrozen(get.input)).toBe(false);
  });

  test('says what happens to a procedure that may have run.', () => {
    expect([get.idempotent, send.idempotent, reply.idempotent]).toStrictEqual([true, false, false]);
    expect(mutation({ idempotent: true }).idempotent).toBe(true);
  });

  test('may use one procedure or group at two places, and names that are odd but free.', () => {
    const group = { get };
    const { procedures } = defineContract({ a: group, b: group, kind: { kind: get }, 'list-all': get, safe: get });
    expect([...procedures.keys()]).toStrictEqual(['a.get', 'b.get', 'kind.kind', 'list-all', 'safe']);
  });

  test('may be a group without a prototype.', () => {
    const group = Object.assign(Object.create(null) as Record<string, typeof get>, { get });
    expect(defineContract({ group }).procedures.has('group.get')).toBe(true);
  });
});

/** Every malformed contract, by what its message says: the place first. */
function malformed(tree: unknown, message: string | RegExp): void {
  expect(() => defineContract(tree as never)).toThrow(TypeError);
  expect(() => defineContract(tree as never)).toThrow(message);
}

const cyclic: Record<string, unknown> = { get: query() };
cyclic.inner = { again: cyclic };

describe('A malformed contract is refused with its place:', () => {
  test.each<[string, unknown, string]>([
    [
      'no tree',
      undefined,
      'contract: this is not a tree; use query(), mutation(), stream(), topic() or a plain object',
    ],
    ['an empty tree', {}, 'contract: the group is empty'],
    ['a procedure as the tree', query(), 'contract.kind: this is not a procedure'],
    ['null', { a: { b: null } }, 'contract.a.b: this is not a procedure, a topic or a group'],
    ['a function', { a: query }, 'contract.a: this is not a procedure'],
    ['a schema', { a: { get: text } }, 'contract.a.get: this is not a procedure'],
    ['an array', { a: [query()] }, 'contract.a: this is not a procedure'],
    ['a class', { a: new (class Group { get = query(); })() }, 'contract.a: this is not a procedure'], // prettier-ignore
    ['an unknown kind', { a: { kind: 'subscription' } }, 'contract.a.kind: this is not a procedure'],
    ['an empty group', { a: { b: {} } }, 'contract.a.b: the group is empty'],
    ['a cycle', { a: cyclic }, 'contract.a.inner.again: the group contains itself; take the cycle out'],
    ['an empty name', { a: { '': query() } }, 'contract.a: a name is empty'],
    ['a name with a dot', { 'a.b': query() }, "contract: the name 'a.b' has a dot; nest a group instead"],
  ])('%s.', (_, tree, message) => malformed(tree, message));

  test.each(['then', 'catch', 'finally', 'constructor', 'prototype', '__proto__', 'toString', 'toJSON', 'valueOf'])(
    'the reserved name %s.',
    (name) => {
      malformed({ a: { [name]: query() } }, `contract.a: the name '${name}' is reserved`);
      malformed({ [name]: { get: query() } }, `contract: the name '${name}' is reserved`);
    },
  );

  test.each<[string, unknown]>([
    ['null', null],
    ['a class', class {}],
    ['an object without ~standard', { parse: () => 1 }],
    ['another version', { '~standard': { version: 2, vendor: 'x', validate: () => ({ value: 1 }) } }],
    ['no validate', { '~standard': { version: 1, vendor: 'x' } }],
    ['~standard that is null', { '~standard': null }],
  ])('a schema that is none: %s.', (_, schema) => {
    const no = schema as never;
    malformed({ a: { get: query({ input: no }) } }, 'contract.a.get: input is no schema; pass a Standard Schema');
    malformed({ a: { get: stream({ output: no }) } }, 'contract.a.get: output is no schema');
    malformed({ get: mutation({ errors: { TAKEN: no } }) }, 'contract.get: errors.TAKEN is no schema');
    malformed({ room: topic('a', { event: no }) }, 'contract.room: event is no schema');
    malformed({ room: topic('a', { event: text, snapshot: no }) }, 'contract.room: snapshot is no schema');
  });

  test.each([
    ['roomFull', 'must be in capitals'],
    ['_FULL', 'must be in capitals'],
    ['', 'must be in capitals'],
    ['TIMEOUT', "is one of Tautline's own; rename it"],
    ['NOT_FOUND', "is one of Tautline's own; rename it"],
  ])('the error code %j.', (code, message) => {
    malformed(
      { a: { get: query({ errors: { [code]: text } }) } },
      `contract.a.get: the error code '${code}' ${message}`,
    );
  });

  test('a procedure made by hand that lacks a part.', () => {
    malformed({ a: { kind: 'query', idempotent: true } }, 'contract.a: errors must be an object of schemas by code');
    malformed({ a: { kind: 'query', errors: {} } }, 'contract.a: idempotent must be true or false, got undefined');
  });

  test('a template that is malformed.', () => {
    malformed(
      { a: { room: topic('rooms/a{b}', { event: text }) } },
      /^contract\.a\.room: in the template 'rooms\/a\{b\}'/,
    );
    malformed({ room: topic('', { event: text }) }, 'contract.room: the template is empty');
    malformed({ room: { kind: 'topic', event: text } }, 'contract.room: the template must be a string, got undefined');
  });

  test('two topics whose names can coincide.', () => {
    const tree = { room: topic('rooms/{id}', { event: text }), x: { lobby: topic('rooms/new', { event: text }) } };
    malformed(tree, "contract.x.lobby: its names 'rooms/new' can coincide with 'rooms/{id}' of contract.room");
    const shared = topic('rooms', { event: text });
    malformed({ a: shared, b: shared }, "contract.b: its names 'rooms' can coincide with 'rooms' of contract.a");
  });

  test('apply without a snapshot, or one that is no function.', () => {
    const apply = () => 1;
    malformed(
      { room: topic('a', { event: text, apply } as never) },
      'contract.room: apply folds events into a snapshot',
    );
    malformed({ room: topic('a', { event: text, snapshot: text, apply: 1 as never }) }, 'contract.room: apply must be a function, got number'); // prettier-ignore
  });

  test.each([null, {}, { ...json, name: '' }, { ...json, encode: undefined }, { ...json, decode: 'x' }])(
    'the codec %j.',
    (codec) => {
      const options = { codec: codec as never };
      expect(() => defineContract({ get: query() }, options)).toThrow(
        'contract: the codec must have a name, encode and',
      );
    },
  );
});

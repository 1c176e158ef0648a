import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineContract } from '../../src/contract/contract.ts';
import { presence, type PresenceEvent } from '../../src/contract/presence.ts';
import { validate } from '../../src/contract/schema.ts';

const here = presence('rooms/{roomId}/here', { info: z.object({ name: z.string() }) });
const person = (id: string, name = id, connections = 1) => ({ id, info: { name }, connections });
const event = (type: PresenceEvent<unknown>['type'], id: string, name?: string) => ({ type, member: person(id, name) });

test('is a topic of a contract, whose function can enter', () => {
  const { topics } = defineContract({ here });
  expect(topics.get('here')).toMatchObject({ path: 'here', paramNames: ['roomId'], definition: { offer: 'presence' } });
});

test('its info is a schema', () => {
  const none = presence('here', { info: undefined as never });
  expect(() => defineContract({ none })).toThrow('contract.none: info is no schema');
});

test('folds: who joined comes last, who was updated keeps the place, who left is gone; told twice it is the same', () => {
  const told = [
    event('joined', 'ann'),
    event('joined', 'bob'),
    event('updated', 'ann', 'Ann'),
    event('joined', 'cid'),
    event('left', 'bob'),
  ];
  const fold = (state: Parameters<NonNullable<typeof here.apply>>[0], one: (typeof told)[0]) => here.apply(state, one);
  const once = told.reduce(fold, []);
  expect(once).toEqual([person('ann', 'Ann'), person('cid')]);
  expect(told.slice(2).reduce(fold, once)).toEqual(once);
});

test('what is told is parsed by the schema of the info; asynchronous schemas are waited for', async () => {
  const upper = presence('here', { info: z.string().transform((text) => text.toUpperCase()) });
  const later = presence('here', { info: z.string().transform(async (text) => text.toUpperCase()) });
  const members = [{ id: 'a', info: 'x', connections: 1, more: 1 }];
  const parsed = { value: [{ id: 'a', info: 'X', connections: 1 }] };
  expect(validate(upper.snapshot, members)).toEqual(parsed);
  await expect(validate(later.snapshot, members)).resolves.toEqual(parsed);
  const joined = { type: 'joined', member: members[0] };
  expect(validate(upper.event, joined)).toEqual({ value: { type: 'joined', member: parsed.value[0] } });
  await expect(validate(later.event, joined)).resolves.toEqual({ value: { type: 'joined', member: parsed.value[0] } });
  await expect(validate(later.enter, ['x'])).resolves.toEqual({ value: ['X'] });
  expect(validate(upper.enter, [])).toEqual({ value: [] });
});

test.each([
  ['event', { type: 'came', member: person('ann') }],
  ['event', { type: 'joined', member: { id: 'ann', info: { name: 1 }, connections: 1 } }],
  ['event', null],
  ['snapshot', [person('ann'), { id: 1, info: { name: 'x' }, connections: 1 }]],
  ['snapshot', { 0: person('ann') }],
  ['enter', [{ name: 1 }]],
  ['enter', [{ name: 'a' }, { name: 'b' }]],
  ['enter', { name: 'a' }],
] as const)('the %s schema does not take %j', (slot, value) => {
  expect(validate(here[slot], value)).toHaveProperty('issues', expect.arrayContaining([expect.anything()]));
});

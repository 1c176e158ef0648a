import { expect, test, vi } from 'vitest';
import { z } from 'zod';
import { defineContract } from '../../src/contract/contract.ts';
import { topic } from '../../src/contract/topic.ts';
import { TopicIndex } from '../../src/server/topics/topic-index.ts';

function indexOf(...templates: string[]): TopicIndex {
  const tree = Object.fromEntries(
    templates.map((template, index) => [`t${index}`, topic(template, { event: z.string() })]),
  );
  const bound = { authorize: () => true, publish: undefined, snapshot: undefined };
  return new TopicIndex([...defineContract(tree).topics.values()].map((found) => ({ ...bound, topic: found })));
}

const read = (index: TopicIndex, name: string): unknown => {
  const found = index.find(name);
  return found && [found.bound.topic.definition.template, found.params];
};

test('finds the topic of a name by its segments, also where a literal leads nowhere and a parameter does', () => {
  const index = indexOf('counter', 'rooms/{id}', 'rooms/{id}/users/{user}', 'a/{x}/c', '{y}/b/d');
  expect(read(index, 'counter')).toEqual(['counter', {}]);
  expect(read(index, 'rooms/4%2F2')).toEqual(['rooms/{id}', { id: '4/2' }]);
  expect(read(index, 'rooms/1/users/ann')).toEqual(['rooms/{id}/users/{user}', { id: '1', user: 'ann' }]);
  expect(read(index, 'a/b/c')).toEqual(['a/{x}/c', { x: 'b' }]);
  expect(read(index, 'a/b/d')).toEqual(['{y}/b/d', { y: 'a' }]);
  for (const name of ['', 'rooms', 'rooms/', 'rooms/1/', 'rooms/%41', 'counter/1', 'constructor', '__proto__']) {
    expect(read(index, name)).toBeUndefined();
  }
});

test('what it gives belongs to who asked: it is read anew, or copied, for the next', () => {
  const index = indexOf('rooms/{id}');
  const first = index.find('rooms/1')!;
  Object.assign(first.params, { id: 'other', more: 'x' });
  expect(read(index, 'rooms/1')).toEqual(['rooms/{id}', { id: '1' }]);
});

test('finds names again after more of them than it remembers', () => {
  const index = indexOf('rooms/{id}');
  for (let round = 0; round < 2; round++) {
    for (let id = 0; id < 3000; id++) expect(index.find(`rooms/${id}`)?.params).toEqual({ id: String(id) });
  }
});

test('a name of more segments than any template has is not matched, and not read to its end', () => {
  const index = indexOf('rooms/{id}', '{a}/{b}/{c}');
  const split = vi.spyOn(String.prototype, 'split');
  const name = 'a/'.repeat(511);
  expect(index.find(name)).toBeUndefined();
  const parts = split.mock.results.map(({ value }) => (value as string[]).length);
  split.mockRestore();
  expect(parts).toEqual([4]);
});

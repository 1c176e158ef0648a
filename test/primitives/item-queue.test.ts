import { expect, test } from 'vitest';
import { ItemQueue } from '../../src/primitives/item-queue.ts';

function queue() {
  const log: string[] = [];
  const items = new ItemQueue<number | undefined>({
    taken: () => log.push('taken'),
    finished: () => log.push('finished'),
  });
  return { log, items };
}

const done = { done: true, value: undefined };

test('items wait for questions, and questions for items', async () => {
  const { items, log } = queue();
  items.push(1);
  items.push(undefined);
  expect(log).toEqual([]);
  const asked = [items.next(), items.next(), items.next()];
  expect(log).toEqual(['taken', 'taken']);
  items.push(3);
  expect(log).toEqual(['taken', 'taken', 'taken']);
  expect((await Promise.all(asked)).map(({ value }) => value)).toEqual([1, undefined, 3]);
});

test('after the end what is here is given, then it is done; nothing is taken in any more', async () => {
  const { items, log } = queue();
  items.push(1);
  items.end();
  items.push(2);
  items.fail(new Error('late'));
  expect(log).toEqual([]);
  expect(await items.next()).toEqual({ done: false, value: 1 });
  expect(log).toEqual(['taken', 'finished']);
  expect(await items.next()).toEqual(done);
  expect(log).toEqual(['taken', 'finished']);
});

test('an error is told once, behind the items, to the first who asks', async () => {
  const { items } = queue();
  const error = new Error('it broke');
  items.push(1);
  items.fail(error);
  expect(await items.next()).toEqual({ done: false, value: 1 });
  await expect(items.next()).rejects.toBe(error);
  expect(await items.next()).toEqual(done);
});

test('of several who wait the first gets the error, the others the end', async () => {
  const { items } = queue();
  const [first, second] = [items.next(), items.next()];
  items.fail(new Error('it broke'));
  await expect(first).rejects.toThrow('it broke');
  expect(await second).toEqual(done);
});

test('discarded, what waits is dropped, and an error that was not told gives way', async () => {
  const { items, log } = queue();
  items.push(1);
  items.fail(new Error('first'));
  items.discard({ error: new Error('second') });
  expect(log).toEqual(['finished']);
  await expect(items.next()).rejects.toThrow('second');
  items.discard({ error: new Error('third') });
  expect(await items.next()).toEqual(done);
  expect(log).toEqual(['finished']);
});

test('discarded after a failure that nobody has asked for yet, it gives no error any more, and ends once', async () => {
  const { items, log } = queue();
  items.fail(new Error('it broke'));
  items.discard();
  expect(await items.next()).toEqual(done);
  expect(log).toEqual(['finished']);
});

import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { validate } from '../../src/contract/schema.ts';

const schema = (run: (value: unknown) => unknown) => ({ '~standard': { version: 1, vendor: 'test', validate: run } });

test('a schema that answers at once is not made to wait', () => {
  expect(
    validate(
      schema((value) => ({ value })),
      1,
    ),
  ).toEqual({ value: 1 });
});

test('a promise of another realm, and any thenable, is waited for like a promise', async () => {
  const foreign = runInNewContext('Promise.resolve({ issues: [{ message: "no" }] })') as unknown;
  expect(foreign).not.toBeInstanceOf(Promise);
  await expect(
    validate(
      schema(() => foreign),
      1,
    ),
  ).resolves.toEqual({ issues: [{ message: 'no' }] });
  const thenable = {
    then: (done: (result: unknown) => void) => {
      done({ value: 2 });
    },
  };
  await expect(
    validate(
      schema(() => thenable),
      1,
    ),
  ).resolves.toEqual({ value: 2 });
});

test('a schema that throws or rejects is an issue like another', async () => {
  const thrown = validate(
    schema(() => {
      throw new Error('broken');
    }),
    1,
  );
  expect(thrown).toEqual({ issues: [{ message: 'the schema threw' }], cause: new Error('broken') });
  await expect(
    validate(
      schema(() => Promise.reject(new Error('broken'))),
      1,
    ),
  ).resolves.toEqual(thrown);
});

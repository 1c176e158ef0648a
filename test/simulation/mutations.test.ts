import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { MUTATIONS } from './mutations.ts';

test('what each mutation replaces stands in the source once, so that the table speaks of the code as it is', () => {
  const edits = MUTATIONS.flatMap(({ and, ...edit }) =>
    and === undefined ? [edit] : [edit, { ...and, name: edit.name }],
  );
  const off = edits.filter(({ file, find, replace }) => {
    const source = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
    return source.split(find).length !== 2 || find === replace;
  });
  expect(off.map(({ name }) => name)).toEqual([]);
});

test('no two mutations have the same name', () => {
  expect(new Set(MUTATIONS.map(({ name }) => name)).size).toBe(MUTATIONS.length);
});

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root } from '../support/source.ts';
import { expectedOf, FAULT_NAMES, faultTable, seenOf } from './fault-stories.ts';
import { interceptor, NODE_DOORS } from './node-doors.ts';
import { story } from './story.ts';

/* What an app sees of faults is the same behind each door as with real sockets. */

beforeAll(() => interceptor.listen({ onUnhandledFrame: 'bypass' }));
afterAll(() => interceptor.close());

describe.each(Object.entries(NODE_DOORS))('behind %s', (name, open) => {
  test('join, send, cut, queue, back', async () => {
    await using door = await open();
    await story(door);
  });

  test.each(FAULT_NAMES)('%s', async (fault) => {
    await using door = await open();
    expect(await seenOf(fault, door)).toEqual(expectedOf(fault, name));
  });
});

test('the page on testing says what an app sees', () => {
  const page = readFileSync(`${root}examples/docs/testing.md`, 'utf8');
  const [, table] = /## What does my app see of a fault\?\n[^|]*((?:\|.*\n)+)/.exec(page)!;
  const rows = table!.trim().split('\n').slice(2);
  expect(
    rows.map((row) =>
      row
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    ),
  ).toEqual(faultTable());
});

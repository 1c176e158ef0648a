import { expectTypeOf, test } from 'vitest';
import { createServer, snapshotAt, type SnapshotAt } from '../../src/server/index.ts';
import { mini } from '../helpers/schema-libraries.ts';

test('a state may be given with its position, as long as it is the state of that topic', () => {
  expectTypeOf(snapshotAt({ texts: ['a'] }, ['e', 1])).toEqualTypeOf<SnapshotAt<{ texts: string[] }>>();
  const others = { add: () => ({ sum: 1 }), claim: () => 'name' };
  const authorize = (): boolean => true;
  createServer(mini, {
    handlers: { ...others, notes: { authorize, snapshot: () => Promise.resolve(snapshotAt({ texts: [] }, null)) } },
  });
  createServer(mini, {
    // @ts-expect-error -- another state
    handlers: { ...others, notes: { authorize, snapshot: () => snapshotAt({ text: '' }, ['e', 1]) } },
  });
  // @ts-expect-error -- a position is not optional: an event that was forgotten to be stored is not one that never was
  snapshotAt({ texts: [] });
});

import { expect, test, vi } from 'vitest';
import type { AnswerSocket } from '../../src/server/calls/known-call.ts';
import { Client } from '../../src/server/clients/client.ts';
import { DEFAULT_LIMITS } from '../../src/server/index.ts';
import { LargeMessages } from '../../src/server/outbound/large-messages.ts';
import { StreamFeed } from '../../src/server/streams/stream-feed.ts';

const deaf: AnswerSocket = { answer: () => undefined, release: () => undefined };

/** A client, the bytes that are kept for it, and streams of it with three items each. */
function start(limits: Partial<typeof DEFAULT_LIMITS> = {}) {
  let bytes = 0;
  const client = new Client('c', 'ann', { ...DEFAULT_LIMITS, ...limits }, (delta) => (bytes += delta), {
    add: () => undefined,
    remove: () => undefined,
  });
  const open = (id: number) => {
    const taken = client.calls.take(id, 'stream', 'open count', deaf);
    if (taken.kind !== 'new') throw new Error(taken.kind);
    const stream = client.streams.start(taken.call);
    stream.more(0, 9);
    for (let n = 1; n <= 3; n++) stream.push(String(n));
    return taken.call;
  };
  return { client, open, bytes: () => bytes };
}

test.each([
  ['the floor settles it', 'runs'],
  ['the floor settles it', 'has ended'],
  ['it is cancelled', 'runs'],
  ['it is cancelled', 'has ended'],
  ['its client is gone', 'runs'],
  ['its client is gone', 'has ended'],
])('nothing is left of a stream, and no bytes of its items, when %s while it %s', (how, state) => {
  const { client, open, bytes } = start();
  const call = open(1);
  const kept = bytes();
  if (state === 'has ended') client.calls.settle(call, 'done');
  expect(bytes()).toBe(kept + (state === 'has ended' ? 'done'.length : 0));
  if (how === 'the floor settles it') client.calls.raise(2, []);
  else if (how === 'it is cancelled') client.calls.cancel(call);
  else client.calls.clear();
  expect(client.streams.get(1)).toBeUndefined();
  // A cancelled one that ran is answered from memory, until the floor comes.
  client.calls.raise(2, []);
  expect([bytes(), client.calls.size, client.calls.busy, client.calls.streams]).toEqual([0, 0, 0, 0]);
});

test('nothing is left of a socket that is gone', () => {
  const { client, open } = start();
  const call = open(1);
  const push = vi.fn();
  const nothing = (): undefined => undefined;
  const large = new LargeMessages({ losses: new Map(), ping: () => 1, drained: nothing });
  const link = { push, settle: push, large, isCongested: false, lose: nothing, fellBehind: nothing, ended: nothing };
  const feed = new StreamFeed(1, link);
  client.calls.take(1, 'stream', call.key, feed);
  feed.follow(client.streams.get(1)!);
  expect(call.isOn(feed)).toBe(true);
  feed.close();
  client.streams.get(1)?.push('4');
  expect(call.isOn(feed)).toBe(false);
  expect(push).not.toHaveBeenCalled();
});

test('an item that is made after its stream was settled is not kept', () => {
  const { client, open, bytes } = start();
  const call = open(1);
  const stream = client.streams.get(1)!;
  client.calls.cancel(call);
  const kept = bytes();
  stream.push('4');
  expect([bytes(), stream.last]).toEqual([kept, 3]);
});

test('of streams whose number is above limits.answers the oldest are dropped with their items', () => {
  const { client, open, bytes } = start({ answers: 2 });
  for (const id of [1, 2, 3, 4]) client.calls.settle(open(id), 'done');
  expect([1, 2, 3, 4].map((id) => client.streams.get(id) !== undefined)).toEqual([false, false, true, true]);
  client.calls.raise(5, []);
  expect(bytes()).toBe(0);
});

test('items that are acknowledged give their bytes back, while the stream runs and after', () => {
  const { client, open, bytes } = start();
  const call = open(1);
  const all = bytes();
  client.streams.get(1)?.more(1, 9);
  expect(bytes()).toBe((all * 2) / 3);
  client.calls.settle(call, 'done');
  client.streams.get(1)?.more(3, 9);
  expect(bytes()).toBe('done'.length);
});

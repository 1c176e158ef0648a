// @vitest-environment jsdom
import { Activity, createElement as h } from 'react';
import { expect, test, vi } from 'vitest';
import { useTopic } from '../../../src/react/index.ts';
import { scripted } from '../../helpers/scripted-client.ts';
import { Page, say } from '../page.ts';

const world = scripted();
const page = new Page();

test('a topic hidden by Activity is left, and subscribed again when it is shown', async () => {
  const client = world.start();
  function Counts() {
    const { status, data } = useTopic(client.counts());
    return `${status} ${JSON.stringify(data) ?? '-'}`;
  }
  const show = (mode: 'visible' | 'hidden') => page.show(h(Activity, { mode, children: h(Counts) }));
  await show('visible');
  const socket = await world.welcomed();
  await say(socket, ['subscribed', 1, 'counts', ['E', 0], 'live'], ['snapshot', 'counts', ['E', 0], { a: 1 }]);
  expect(page.text).toBe('live {"a":1}');

  await show('hidden');
  await vi.advanceTimersByTimeAsync(1_200);
  expect(socket.all('unsubscribe')).toEqual([['unsubscribe', 'counts']]);
  expect(world.connection.stats().subscriptions).toBe(0);

  await show('visible');
  await vi.advanceTimersByTimeAsync(0);
  const again = socket.all('subscribe');
  expect(again).toHaveLength(2);
  const n = again[1]![1];
  await say(socket, ['subscribed', n, 'counts', ['E', 5], 'live'], ['snapshot', 'counts', ['E', 5], { a: 2 }]);
  expect(page.text).toBe('live {"a":2}');
  expect(world.errors).toEqual([]);
});

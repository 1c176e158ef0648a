// @vitest-environment jsdom
import { act, createElement as h } from 'react';
import useSWR from 'swr';
import useSWRSubscription, { type SWRSubscriptionOptions } from 'swr/subscription';
import { expect, test, vi } from 'vitest';
import type { Client, TautlineError } from '../../src/index.ts';
import type { plain } from '../helpers/chat-contract.ts';
import { scripted } from '../helpers/scripted-client.ts';
import { settle } from '../helpers/scripted-server.ts';
import { answer } from '../tanstack-query/world.ts';
import { Page, say } from '../react/page.ts';

const world = scripted();
const page = new Page();

interface Props {
  readonly client: Client<(typeof plain)['tree']>;
}

/** The recipe of the page on TanStack Query, which has one for SWR. */
function Name({ client }: Props) {
  const { data } = useSWR(['get', { id: 1 }] as const, ([, input]) => client.get(input));
  return data?.name ?? 'loading';
}

function Counts({ client }: Props) {
  const { data, error } = useSWRSubscription<Record<string, number>, TautlineError>(
    client.counts().name,
    (_: string, { next }: SWRSubscriptionOptions<Record<string, number>, TautlineError>) =>
      client.counts().view.subscribe(({ data: counts, error: end }) => {
        if (end !== undefined || counts !== undefined) next(end, counts);
      }),
  );
  return error === undefined ? (JSON.stringify(data) ?? 'pending') : `ended: ${error.code}`;
}

async function show(part: (props: Props) => string, client: Props['client']): Promise<void> {
  await page.show(h(part, { client }));
  await act(settle);
}

test('a query is called once for all who show it', async () => {
  const client = world.start();
  const socket = await world.welcomed();
  await show(Name, client);
  await act(() => answer(socket, { name: 'Ada' }));
  expect([page.text, socket.all('call').length]).toEqual(['Ada', 1]);
  await page.leave();
  await vi.advanceTimersByTimeAsync(10_000);
});

test('a topic is shown with each event, and left with its last component; what ends it is the error', async () => {
  const client = world.start();
  const socket = await world.welcomed();
  await show(Counts, client);
  expect(page.text).toBe('pending');
  await say(socket, ['subscribed', 1, 'counts', ['E', 0], 'live'], ['snapshot', 'counts', ['E', 0], { a: 1 }]);
  await say(socket, ['event', 'counts', 1, { key: 'b', count: 2 }]);
  expect(page.text).toBe('{"a":1,"b":2}');
  await say(socket, ['unsubscribed', 1, 'counts', { code: 'FORBIDDEN', message: 'not you' }]);
  expect(page.text).toBe('ended: FORBIDDEN');
  await page.leave();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(world.connection.stats().subscriptions).toBe(0);
});

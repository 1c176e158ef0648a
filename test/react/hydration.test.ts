// @vitest-environment jsdom
import { act, createElement as h, StrictMode, Suspense, type ReactNode } from 'react';
import { createRoot, hydrateRoot } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Client, TopicInitial } from '../../src/index.ts';
import { useTopic } from '../../src/react/index.ts';
import { useTopicValue } from '../../src/react/suspense.ts';
import type { plain } from '../helpers/chat-contract.ts';
import { scripted } from '../helpers/scripted-client.ts';
import { say } from './page.ts';

const world = scripted();
const complaints = vi.spyOn(console, 'error');

interface Props {
  readonly client: Client<(typeof plain)['tree']>;
  readonly initial?: TopicInitial<Record<string, number>>;
}

function Counts({ client, initial }: Props) {
  const { status, data } = useTopic(client.counts(), { initial });
  return `${status} ${JSON.stringify(data) ?? '-'}`;
}

function CountsValue({ client, initial }: Props) {
  return JSON.stringify(useTopicValue(client.counts(), { initial, select: ({ a }) => a }));
}

const initial: TopicInitial<Record<string, number>> = { state: { a: 1 }, position: ['E', 7] };
const count = (offset: number, key: string, value: number) => ['event', 'counts', offset, { key, count: value }];

beforeEach(() => {
  complaints.mockReset();
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
});
afterEach(() => {
  // React tells of a render that is not what the server's was there.
  expect(complaints.mock.calls).toEqual([]);
});

function onServer(node: ReactNode): string {
  vi.stubGlobal('window', undefined);
  const html = renderToString(node);
  vi.unstubAllGlobals();
  return html;
}

/** A page of a server's HTML that its scripts take over. */
async function hydrate(html: string, node: ReactNode) {
  const box = document.createElement('div');
  box.innerHTML = html;
  const root = await act(async () => hydrateRoot(box, h(StrictMode, undefined, node)));
  return { box, leave: () => act(async () => root.unmount()) };
}

test.each([
  ['useTopic', Counts, 'pending {"a":1}', 'live {"a":1,"b":2}'],
  ['useTopicValue', CountsValue, '1', '1'],
])('%s shows what the server loaded, on both sides, and goes on from there', async (_, component, first, then) => {
  const client = world.start({ lazy: true });
  const node = h(Suspense, { fallback: 'waiting' }, h(component, { client, initial }));
  const html = onServer(node);
  expect(html).toContain(first.replaceAll('"', '&quot;'));
  expect([world.connection.status.state, client.counts().state.get()]).toEqual(['idle', undefined]);

  const { box, leave } = await hydrate(html, node);
  expect(box.textContent).toBe(first);
  const socket = await world.welcomed();
  expect(socket.all('subscribe')).toEqual([['subscribe', 1, 'counts', ['E', 7]]]);
  await say(socket, ['subscribed', 1, 'counts', ['E', 8], 'resumed'], count(8, 'b', 2));
  expect(box.textContent).toBe(then);
  await leave();
});

test('what the server loaded is not shown to the next user, nor taken in place of what is here', async () => {
  const client = world.start({ auth: () => 'ann' });
  const node = h(Counts, { client, initial });
  const { box, leave } = await hydrate(onServer(node), node);
  await act(async () => world.connection.setAuth(() => 'bob'));
  expect(box.textContent).toBe('pending -');
  const socket = await world.welcomed();
  const [, n] = socket.all('subscribe')[0]!;
  await say(socket, ['subscribed', n, 'counts', ['F', 0], 'live'], ['snapshot', 'counts', ['F', 0], { bob: 1 }]);
  client.counts().hydrate(initial);
  await leave();
  const root = createRoot(box);
  await act(async () => root.render(h(Counts, { client, initial })));
  expect(box.textContent).toBe('live {"bob":1}');
  await act(async () => root.unmount());
});

test('a position that is none is refused, with what one is', () => {
  const { hydrate: take } = world.start().counts();
  expect(() => take({ state: {}, position: null as never })).toThrow(TypeError);
});

// @vitest-environment jsdom
import { act, Component, createElement as h, Suspense, use, type ReactNode } from 'react';
import { afterEach, expect, test, vi } from 'vitest';
import type { Client } from '../../../src/index.ts';
import { useTopic } from '../../../src/react/index.ts';
import { topicReady } from '../../../src/react/suspense.ts';
import type { plain } from '../../helpers/chat-contract.ts';
import { scripted } from '../../helpers/scripted-client.ts';
import { Page, say } from '../page.ts';

const world = scripted();
const page = new Page();

// What settled last is held so long: no timer is left of it then.
afterEach(() => vi.advanceTimersByTimeAsync(5_000));

const live = (n: number, state: object) => [
  ['subscribed', n, 'counts', ['E', 0], 'live'],
  ['snapshot', 'counts', ['E', 0], state],
];

function Counts({ client }: { readonly client: Client<(typeof plain)['tree']> }) {
  const counts = client.counts();
  use(topicReady(counts));
  const { status, data } = useTopic(counts);
  return `${status} ${JSON.stringify(data)}`;
}

class Boundary extends Component<{ readonly children: ReactNode }> {
  override state: { readonly code?: string } = {};
  static getDerivedStateFromError({ code }: { readonly code: string }): { readonly code: string } {
    return { code };
  }
  override render(): ReactNode {
    return this.state.code === undefined ? this.props.children : `ended: ${this.state.code}`;
  }
}

const screen = (client: Client<(typeof plain)['tree']>) =>
  h(Boundary, { key: 'b', children: h(Suspense, { fallback: 'waiting' }, h(Counts, { client })) });

test('use(topicReady(topic)) waits for the first state alone, and for that of another user', async () => {
  const client = world.start({ auth: () => 'ann' });
  await page.show(screen(client));
  expect(page.text).toBe('waiting');
  const socket = await world.welcomed();
  await say(socket, ...live(1, { ann: 1 }));
  expect([page.text, socket.all('subscribe').length]).toEqual(['live {"ann":1}', 1]);
  await act(() => vi.advanceTimersByTimeAsync(10_000));
  await act(() => socket.cut());
  expect(page.text).toBe('recovering {"ann":1}');

  await act(async () => world.connection.setAuth(() => 'bob'));
  expect(page.text).toContain('waiting');
  const next = await world.server.next();
  await act(() => next.welcome({ identity: 'bob' }));
  await say(next, ...live(next.all('subscribe').at(-1)![1], { bob: 1 }));
  expect(page.text).toBe('live {"bob":1}');
  await page.leave();
  await vi.advanceTimersByTimeAsync(6_100);
  expect([world.connection.stats().subscriptions, world.errors]).toEqual([0, []]);
});

test('use(topicReady(topic)) throws a refusal, for an error boundary', async () => {
  const client = world.start();
  await page.show(screen(client));
  const socket = await world.welcomed();
  vi.mocked(console.error).mockImplementation(() => undefined);
  await say(socket, ['unsubscribed', 1, 'counts', { code: 'FORBIDDEN', message: 'not you' }]);
  expect(page.text).toBe('ended: FORBIDDEN');
  // React tells of errors that boundaries take.
  vi.mocked(console.error).mockReset();
  expect([socket.all('subscribe').length, world.errors]).toEqual([1, []]);
});

test('a component that still waits after 30 s waits on; one that is gone holds nothing', async () => {
  const client = world.start({ heartbeat: false });
  await page.show(screen(client));
  const socket = await world.welcomed();
  await act(() => vi.advanceTimersByTimeAsync(30_000));
  await act(() => vi.advanceTimersByTimeAsync(10_000));
  expect([page.text, world.connection.stats().subscriptions]).toEqual(['waiting', 1]);
  await page.leave();
  await act(() => vi.advanceTimersByTimeAsync(32_000));
  expect([socket.all('unsubscribe').length, world.connection.stats().subscriptions]).toEqual([1, 0]);
});

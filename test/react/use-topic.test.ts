// @vitest-environment jsdom
import { act, createElement as h } from 'react';
import { renderToString } from 'react-dom/server';
import { describe, expect, test, vi } from 'vitest';
import { useTopic, useTopicEvents, type UseTopicOptions } from '../../src/react/index.ts';
import type { Client } from '../../src/index.ts';
import type { plain } from '../helpers/chat-contract.ts';
import { scripted } from '../helpers/scripted-client.ts';
import { Page, say } from './page.ts';

const world = scripted();
const page = new Page();

type State = Record<string, number>;
type TestClient = Client<(typeof plain)['tree']>;

const count = (offset: number, key: string, value: number) => ['event', 'counts', offset, { key, count: value }];
const live = (n: number, state: State) => [
  ['subscribed', n, 'counts', ['E', 0], 'live'],
  ['snapshot', 'counts', ['E', 0], state],
];

interface Props {
  readonly client: TestClient | null;
  readonly options?: UseTopicOptions<State, unknown>;
  readonly rendered?: (value: unknown) => void;
}

function Counts({ client, options, rendered }: Props) {
  const view = useTopic(client?.counts() ?? null, options);
  rendered?.(view);
  return `${view.status} ${JSON.stringify(view.data) ?? '-'} ${view.error?.code ?? ''};`;
}

describe('useTopic', () => {
  test('three components and 20 renders are one subscription, over a second after they left', async () => {
    const client = world.start();
    const three = () => [1, 2, 3].map((key) => h(Counts, { client, key }));
    await page.show(three());
    const socket = await world.welcomed();
    await say(socket, ...live(1, { a: 1 }));
    for (let n = 0; n < 20; n++) {
      await page.show(three());
      await say(socket, count(n + 1, 'a', n));
    }
    expect(page.text).toBe('live {"a":19} ;'.repeat(3));
    expect(socket.all('subscribe')).toHaveLength(1);
    expect(socket.all('unsubscribe')).toEqual([]);
    await page.leave();
    await vi.advanceTimersByTimeAsync(1_200);
    expect(socket.all('unsubscribe')).toEqual([['unsubscribe', 'counts']]);
    expect(world.connection.stats().subscriptions).toBe(0);
  });

  test('null subscribes nothing, until there is a topic', async () => {
    const client = world.start();
    const socket = await world.welcomed();
    await page.show(h(Counts, { client: null }));
    expect(page.text).toBe('idle - ;');
    expect(world.connection.stats().subscriptions).toBe(0);
    await page.show(h(Counts, { client }));
    expect(page.text).toBe('pending - ;');
    await say(socket, ...live(1, { a: 1 }));
    expect(page.text).toBe('live {"a":1} ;');
    await page.show(h(Counts, { client: null }));
    expect(page.text).toBe('idle - ;');
  });

  test('a lost connection leaves the data on the screen', async () => {
    const client = world.start();
    await page.show(h(Counts, { client }));
    const socket = await world.welcomed();
    await say(socket, ...live(1, { a: 1 }));
    await act(() => socket.cut());
    expect(page.text).toBe('recovering {"a":1} ;');
  });

  test('renders where the selection changes alone, also for a selector of each render that makes objects', async () => {
    const client = world.start();
    const rendered = vi.fn();
    const options = () => ({
      select: ({ a }: State) => ({ a }),
      isEqual: (one: unknown, other: unknown) => (one as { a: unknown }).a === (other as { a: unknown }).a,
    });
    await page.show(h(Counts, { client, rendered, options: options() }));
    const socket = await world.welcomed();
    await say(socket, ...live(1, { a: 1 }));
    const before = rendered.mock.calls.length;
    const shown: unknown = rendered.mock.lastCall?.[0];
    await say(socket, count(1, 'b', 1), count(2, 'b', 2));
    expect(rendered).toHaveBeenCalledTimes(before);
    await page.show(h(Counts, { client, rendered, options: options() }));
    expect(rendered.mock.lastCall?.[0]).toBe(shown);
    await say(socket, count(3, 'a', 2));
    expect(page.text).toBe('live {"a":2} ;');
  });

  test('with pace, all changes of a frame are one render of the last state', async () => {
    const client = world.start();
    const rendered = vi.fn();
    await page.show(h(Counts, { client, rendered, options: { pace: 'frame' } }));
    const socket = await world.welcomed();
    await say(socket, ...live(1, {}));
    await act(() => vi.advanceTimersByTimeAsync(300));
    const before = rendered.mock.calls.length;
    for (let n = 1; n <= 50; n++) await say(socket, count(n, 'a', n));
    expect(rendered).toHaveBeenCalledTimes(before);
    await act(() => vi.advanceTimersByTimeAsync(300));
    expect(page.text).toBe('live {"a":50} ;');
    // StrictMode renders twice.
    expect(rendered.mock.calls.length - before).toBeLessThanOrEqual(2);
  });

  test('on a server it is pending, and opens nothing', () => {
    const client = world.start({ lazy: true });
    expect(renderToString(h(Counts, { client }))).toBe('pending - ;');
    expect(world.connection.status.state).toBe('idle');
  });
});

test('useTopicEvents calls the callback of the last render, once for each event', async () => {
  const client = world.start();
  const heard: unknown[] = [];
  const gaps: unknown[] = [];
  const rendered = vi.fn();
  function News({ by }: { by: string }) {
    rendered();
    const gap = ({ to }: { to: unknown }) => gaps.push([by, to]);
    useTopicEvents(client.news({ channel: 'a' }), ({ text }) => heard.push([by, text]), { gap });
    return null;
  }
  await page.show(h(News, { by: 'first' }));
  const socket = await world.welcomed();
  await say(socket, ['subscribed', 1, 'news/a', ['E', 0], 'live'], ['event', 'news/a', 1, { text: 'one' }]);
  await page.show(h(News, { by: 'second' }));
  const before = rendered.mock.calls.length;
  await say(socket, ['event', 'news/a', 2, { text: 'two' }], ['event', 'news/a', 3, { text: 'three' }]);
  expect(rendered).toHaveBeenCalledTimes(before);
  await say(socket, ['subscribed', 1, 'news/a', ['E', 9], 'gap']);
  expect(heard).toEqual([
    ['first', 'one'],
    ['second', 'two'],
    ['second', 'three'],
  ]);
  expect(gaps).toEqual([['second', ['E', 9]]]);
  expect(socket.all('subscribe')).toHaveLength(1);
});

test('useTopicEvents asks for nothing while it is refused', async () => {
  const client = world.start();
  function News() {
    return useTopicEvents(client.news({ channel: 'a' }), () => undefined).status;
  }
  await page.show(h(News));
  const socket = await world.welcomed();
  await say(socket, ['unsubscribed', 1, 'news/a', { code: 'FORBIDDEN', message: 'not you' }]);
  expect(page.text).toBe('ended');
  await act(() => vi.advanceTimersByTimeAsync(60_000));
  expect(socket.all('subscribe')).toHaveLength(1);
  expect(world.connection.stats().subscriptions).toBe(0);
  expect(world.errors).toEqual([]);
});

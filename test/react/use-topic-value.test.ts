// @vitest-environment jsdom
import { act, Component, createElement as h, Suspense, type ReactNode } from 'react';
import { renderToString } from 'react-dom/server';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Client } from '../../src/index.ts';
import { useTopicValue } from '../../src/react/suspense.ts';
import { DEVELOPMENT } from '../../src/development.ts';
import type { plain } from '../helpers/chat-contract.ts';
import { scripted } from '../helpers/scripted-client.ts';
import { settle } from '../helpers/scripted-server.ts';
import { Page, say } from './page.ts';

const world = scripted();
const page = new Page();

const count = (offset: number, key: string, value: number) => ['event', 'counts', offset, { key, count: value }];
const live = (n: number, state: object) => [
  ['subscribed', n, 'counts', ['E', 0], 'live'],
  ['snapshot', 'counts', ['E', 0], state],
];

let shown: string[] = [];
beforeEach(() => {
  shown = [];
});

function Counts({ client }: { readonly client: Client<(typeof plain)['tree']> }) {
  const state = useTopicValue(client.counts());
  shown.push(JSON.stringify(state));
  return JSON.stringify(state);
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

function screen(client: Client<(typeof plain)['tree']>): ReactNode {
  return h(Boundary, { key: 'b', children: h(Suspense, { fallback: 'waiting' }, h(Counts, { client })) });
}

describe('useTopicValue', () => {
  test('waits for the first state alone: shows it, and goes on showing it while the connection comes back', async () => {
    const client = world.start();
    await page.show(screen(client));
    expect(page.text).toBe('waiting');
    const socket = await world.welcomed();
    expect(socket.all('subscribe')).toHaveLength(1);
    await say(socket, ...live(1, { a: 1 }));
    expect(page.text).toBe('{"a":1}');
    await say(socket, count(1, 'a', 2));
    expect(page.text).toBe('{"a":2}');
    await act(() => socket.cut());
    expect(page.text).toBe('{"a":2}');
    const next = await world.server.next();
    await act(() => next.welcome());
    expect(next.all('subscribe')).toEqual([['subscribe', 2, 'counts', ['E', 1]]]);
    await say(next, ['subscribed', 2, 'counts', ['E', 1], 'resumed'], count(2, 'b', 1));
    expect(page.text).toBe('{"a":2,"b":1}');
  });

  test('is one subscription, that ends after its component', async () => {
    const client = world.start();
    await page.show(screen(client));
    const socket = await world.welcomed();
    await say(socket, ...live(1, {}));
    await page.leave();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(socket.received.map(([name]) => name).filter((name) => name.endsWith('subscribe'))).toEqual([
      'subscribe',
      'unsubscribe',
    ]);
    expect(world.connection.stats().subscriptions).toBe(0);
  });

  test('leaves the topic of a component that went while it waited', async () => {
    const client = world.start({ heartbeat: false });
    await page.show(screen(client));
    const socket = await world.welcomed();
    await page.leave();
    await act(() => vi.advanceTimersByTimeAsync(32_000));
    expect(socket.all('unsubscribe')).toHaveLength(1);
    expect(world.connection.stats().subscriptions).toBe(0);
  });

  test('has the refusal thrown, for an error boundary', async () => {
    const client = world.start();
    await page.show(screen(client));
    const socket = await world.welcomed();
    vi.mocked(console.error).mockImplementation(() => undefined);
    await say(socket, ['unsubscribed', 1, 'counts', { code: 'FORBIDDEN', message: 'not you' }]);
    expect(page.text).toBe('ended: FORBIDDEN');
    // React tells of errors that boundaries take.
    vi.mocked(console.error).mockReset();
    expect(world.errors).toEqual([]);
    await act(() => vi.advanceTimersByTimeAsync(5_000));
    expect(page.text).toBe('ended: FORBIDDEN');
  });

  test('waits for the state of another user, and shows none of the former one', async () => {
    const client = world.start({ auth: () => 'ann' });
    await page.show(screen(client));
    const socket = await world.welcomed();
    await say(socket, ...live(1, { ann: 1 }));
    shown = [];
    await act(async () => world.connection.setAuth(() => 'bob'));
    expect(page.text).toContain('waiting');
    const next = await world.server.next();
    await act(() => next.welcome({ identity: 'bob' }));
    const [, n] = next.all('subscribe')[0]!;
    await say(next, ...live(n, { bob: 1 }));
    expect(page.text).toBe('{"bob":1}');
    expect(shown.filter((text) => text.includes('ann'))).toEqual([]);
  });

  test('shows at once what was left a while ago', async () => {
    const client = world.start({ heartbeat: false });
    await page.show(screen(client));
    const socket = await world.welcomed();
    await say(socket, ...live(1, { a: 1 }));
    await page.leave();
    await vi.advanceTimersByTimeAsync(20_000);
    await page.show(screen(client));
    expect(page.text).toBe('{"a":1}');
    expect(socket.all('subscribe').at(-1)).toEqual(['subscribe', 2, 'counts', ['E', 0]]);
  });

  test('tells of a topic that has no state, and does not wait for one', async () => {
    const client = world.start();
    const News = () => useTopicValue<never>(client.news({ channel: 'a' }) as never);
    vi.mocked(console.error).mockImplementation(() => undefined);
    const shown = page.show(h(Suspense, { fallback: 'waiting' }, h(News)));
    await expect(shown).rejects.toThrow(DEVELOPMENT ? "topic 'news/{channel}' has no state" : 'news/{channel}');
    vi.mocked(console.error).mockReset();
    await settle();
    expect(world.connection.stats().subscriptions).toBe(0);
  });

  test('renders nothing on a server, where no state comes', () => {
    const client = world.start({ lazy: true });
    vi.stubGlobal('window', undefined);
    expect(() => renderToString(h(Counts, { client }))).toThrow('no state comes on a server');
    vi.unstubAllGlobals();
    expect(world.connection.status.state).toBe('idle');
  });
});

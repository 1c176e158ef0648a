// @vitest-environment jsdom
import { createElement as h } from 'react';
import { expect, test, vi } from 'vitest';
import { useConnection, useTopic, useTopicEvents } from '../../src/react/index.ts';
import type { Client, Connection } from '../../src/index.ts';
import type { plain } from '../helpers/chat-contract.ts';
import { scripted } from '../helpers/scripted-client.ts';
import { Page, say } from './page.ts';

const world = scripted();
const page = new Page();

interface Props {
  readonly client: Client<(typeof plain)['tree']>;
  readonly connection: Connection;
  readonly channel: string;
}

function Counts({ client, connection }: Props) {
  const { data } = useTopic(client.counts());
  useTopic(client.counts(), { pace: 'frame' });
  return `${useConnection(connection).state} ${JSON.stringify(data)}`;
}

function News({ client, connection, channel }: Props) {
  useConnection(connection, ({ state }) => state);
  return useTopicEvents(client.news({ channel }), () => undefined).status;
}

/** Counts who listens to a store, and has not left. */
function listeners(store: { listen: Connection['state']['listen'] }): () => number {
  const { listen } = store;
  let count = 0;
  vi.spyOn(store, 'listen').mockImplementation((listener) => {
    const leave = listen(listener);
    count++;
    return () => {
      count--;
      leave();
    };
  });
  return () => count;
}

test('an hour of going back and forth leaves no listener, no timer, and no topic', async () => {
  const client = world.start({ heartbeat: false, topics: { keep: 2 } });
  const { connection } = world;
  const counts = client.counts();
  const listening = [listeners(connection.state), listeners(counts.view as never)];
  const socket = await world.welcomed();
  const left: unknown[] = [];
  for (let visit = 0; visit < 360; visit++) {
    const props = { client, connection, channel: String(visit % 12) };
    await page.show(visit % 2 === 0 ? h(Counts, props) : h(News, props));
    await vi.advanceTimersByTimeAsync(0);
    const [, n, name] = socket.all('subscribe').at(-1)! as [string, number, string];
    await say(
      socket,
      ['subscribed', n, name, ['E', 0], 'live'],
      ...(name === 'counts' ? [['snapshot', name, ['E', 0], {}]] : []),
    );
    expect(page.text).toBe(visit % 2 === 0 ? 'connected {}' : 'live');
    await page.leave();
    // Long enough that it is left on the wire, too; its state is kept for longer.
    await vi.advanceTimersByTimeAsync(10_000);
    left.push([vi.getTimerCount(), connection.stats().subscriptions, ...listening.map((count) => count())]);
  }
  expect(socket.all('subscribe')).toHaveLength(360);
  expect(socket.all('unsubscribe')).toHaveLength(360);
  expect(left.slice(20)).toEqual(left.slice(20).map(() => left[20]));
  expect(left[20]).toEqual([expect.any(Number), 0, 0, 0]);
});

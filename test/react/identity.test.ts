// @vitest-environment jsdom
import { act, createElement as h } from 'react';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createClient, defineContract } from '../../src/index.ts';
import { useCall, useConnection, usePublish, useStream, useTopic, useTopicEvents } from '../../src/react/index.ts';
import { plain } from '../helpers/chat-contract.ts';
import { scripted } from '../helpers/scripted-client.ts';
import type { ScriptedSocket } from '../helpers/scripted-server.ts';
import { streaming } from '../helpers/stream-contract.ts';
import { Page, say } from './page.ts';

/* Login, logout, login as another: each hook shows what is the right user's, and nothing of the former. */

const world = scripted({ auth: () => 'Ada' });
const page = new Page();
const contract = defineContract({ ...plain.tree, count: streaming.tree.count });
const start = () => createClient(contract, world.connect());
/** What the components of a test made last. */
let controls: Record<string, (...args: never[]) => unknown> = {};
afterEach(() => {
  controls = {};
});

/** Hands the connection to another, who is welcomed. */
async function login(name: string | null): Promise<ScriptedSocket> {
  let socket: ScriptedSocket | undefined;
  await act(async () => {
    world.connection.setAuth(name === null ? null : () => name);
    socket = await world.server.next();
    await socket.welcome(name === null ? {} : { identity: name });
  });
  return socket!;
}

async function first(): Promise<ScriptedSocket> {
  let socket: ScriptedSocket | undefined;
  await act(async () => {
    socket = await world.server.socket();
    await socket.welcome({ identity: 'Ada' });
  });
  return socket!;
}

describe('useStream', () => {
  function show(client: ReturnType<typeof start>, run = client.count) {
    function Sum() {
      const view = useStream(run, { to: 3 }, { reduce: (sum: number, item) => sum + item, initial: 0 });
      controls = { start: view.start, stop: view.stop };
      return `${view.status} ${view.data} ${view.error?.code ?? ''}`;
    }
    return page.show(h(Sum));
  }

  test.each([
    ['under way', undefined],
    ['done', ['done', 1]],
    ['failed', ['error', 1, { code: 'INTERNAL', message: '' }]],
  ])('one that is %s begins anew as the next user', async (_how, end) => {
    await show(start());
    const ada = await first();
    await say(ada, ['item', 1, 1, 10], ...(end === undefined ? [] : [end]));
    expect(page.text).toContain('10');
    const bob = await login('Bob');
    expect(page.text).toBe('streaming 0 ');
    const [open] = bob.all('open');
    await say(bob, ['item', open![1], 1, 7], ['done', open![1]]);
    expect(page.text).toBe('done 7 ');
    const nobody = await login(null);
    await say(nobody, ['error', nobody.all('open')[0]![1], { code: 'UNAUTHENTICATED', message: '' }]);
    expect(page.text).toBe('error 0 UNAUTHENTICATED');
    expect(world.errors).toEqual([]);
  });

  test('one that was stopped shows nothing, and begins when it is started', async () => {
    await show(start());
    const ada = await first();
    await say(ada, ['item', 1, 1, 10]);
    await act(async () => controls.stop?.());
    const bob = await login('Bob');
    expect(page.text).toBe('idle 0 ');
    expect(bob.all('open')).toEqual([]);
    await act(async () => controls.start?.());
    await say(bob, ['item', bob.all('open')[0]![1], 1, 7]);
    expect(page.text).toBe('streaming 7 ');
  });

  test('a function around the stream is no difference', async () => {
    const client = start();
    const around = (input: { to: number }) => client.count(input, { timeoutMs: 5_000 });
    await show(client, Object.assign(around, client.count));
    const ada = await first();
    await say(ada, ['item', 1, 1, 10]);
    await login('Bob');
    expect(page.text).toBe('streaming 0 ');
  });

  test('a login on another connection changes nothing', async () => {
    await show(start());
    const ada = await first();
    await say(ada, ['item', 1, 1, 10]);
    const mine = world.connection;
    const other = world.connect();
    await login('Bob');
    expect(page.text).toBe('streaming 10 ');
    await other.close();
    world.connection = mine;
  });
});

test('useCall', async () => {
  const client = start();
  const { connection } = world;
  const around = (input: { by: number }) => client.add(input, { timeoutMs: 5_000 });
  const wrapped = Object.assign(around, { connection });
  function Add({ isWrapped }: { isWrapped: boolean }) {
    const { call, pending, data, error } = useCall(isWrapped ? wrapped : client.add);
    controls[String(isWrapped)] = () => call({ by: 1 });
    return `${pending} ${data} ${error?.code ?? ''};`;
  }
  const both = (text: string) => `${text};${text};`;
  const call = async (socket: ScriptedSocket, answer: (id: number) => unknown) => {
    const before = socket.all('call').length;
    await act(async () => {
      void controls.true?.();
      void controls.false?.();
      await vi.advanceTimersByTimeAsync(0);
    });
    const ids = socket.all('call').slice(before);
    await say(socket, ...ids.map(([, id]) => answer(id)));
  };
  await page.show([true, false].map((isWrapped) => h(Add, { isWrapped, key: String(isWrapped) })));
  const ada = await first();
  await call(ada, (id) => ['reply', id, 2]);
  expect(page.text).toBe(both('false 2 '));
  const nobody = await login(null);
  expect(page.text).toBe(both('false undefined '));
  await call(nobody, (id) => ['error', id, { code: 'UNAUTHENTICATED', message: '' }]);
  expect(page.text).toBe(both('false undefined UNAUTHENTICATED'));
  // One that is under way is the former user's, too, and its end is told to its caller alone.
  await call(nobody, () => ['ping', 1]);
  expect(page.text).toBe(both('true undefined '));
  const bob = await login('Bob');
  expect(page.text).toBe(both('false undefined '));
  await call(bob, (id) => ['reply', id, 3]);
  expect(page.text).toBe(both('false 3 '));
  expect(world.errors).toEqual([]);
});

test('usePublish', async () => {
  const client = start();
  function Say() {
    const { publish, pending, data } = usePublish(client.news({ channel: 'a' }));
    controls.publish = () => publish({ text: 'hi' });
    return `${pending} ${data?.join(':')}`;
  }
  const publish = async (socket: ScriptedSocket, offset: number) => {
    await act(async () => {
      void controls.publish?.();
      await vi.advanceTimersByTimeAsync(0);
    });
    await say(socket, ['reply', socket.all('publish')[0]![1], ['E', offset]]);
  };
  await page.show(h(Say));
  await publish(await first(), 7);
  expect(page.text).toBe('false E:7');
  const bob = await login('Bob');
  expect(page.text).toBe('false undefined');
  await publish(bob, 8);
  expect(page.text).toBe('false E:8');
});

test('useTopic, useTopicEvents and useConnection', async () => {
  const client = start();
  const seen: unknown[] = [];
  function Everything() {
    const { status, data } = useTopic(client.counts());
    const { status: news } = useTopicEvents(client.news({ channel: 'a' }), ({ text }) => seen.push(text));
    const state = useConnection(world.connection, (now) => now.state);
    return `${state} ${status} ${JSON.stringify(data) ?? '-'} ${news}`;
  }
  const live = (socket: ScriptedSocket, state: unknown) => {
    const n = socket.all('subscribe').find(([, , name]) => name === 'counts')?.[1];
    return [
      ['subscribed', n, 'counts', ['E', 0], 'live'],
      ['snapshot', 'counts', ['E', 0], state],
    ];
  };
  await page.show(h(Everything));
  const ada = await first();
  await say(ada, ...live(ada, { ada: 1 }), ['unsubscribed', 2, 'news/a', { code: 'FORBIDDEN', message: 'not you' }]);
  expect(page.text).toBe('connected live {"ada":1} ended');

  const nobody = await login(null);
  expect(page.text).toBe('connected pending - pending');
  const refusals = nobody.all('subscribe').map(([, n, name]) => {
    return ['unsubscribed', n, name, { code: 'UNAUTHENTICATED', message: 'log in' }];
  });
  expect(refusals).toHaveLength(2);
  await say(nobody, ...refusals);
  expect(page.text).toBe('connected ended - ended');

  const bob = await login('Bob');
  const [, n] = bob.all('subscribe').find(([, , name]) => name === 'news/a')!;
  await say(bob, ...live(bob, { bob: 1 }), ['subscribed', n, 'news/a', ['E', 0], 'live']);
  await say(bob, ['event', 'news/a', 1, { text: 'for Bob' }]);
  expect(page.text).toBe('connected live {"bob":1} live');
  expect(seen).toEqual(['for Bob']);
  expect(world.errors).toEqual([]);
});

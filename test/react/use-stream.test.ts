// @vitest-environment jsdom
import { act, createElement as h } from 'react';
import { describe, expect, test, vi } from 'vitest';
import { createClient } from '../../src/index.ts';
import { useCall, usePublish, useStream } from '../../src/react/index.ts';
import { scripted } from '../helpers/scripted-client.ts';
import { streaming } from '../helpers/stream-contract.ts';
import { Page, say } from './page.ts';

const world = scripted();
const page = new Page();
const start = () => createClient(streaming, world.connect({ auth: () => 'Ada' }));

describe('useStream', () => {
  function show(client: ReturnType<typeof start>) {
    let controls: { start(): void; stop(): void } | undefined;
    function Sum({ to }: { to: number | null }) {
      // A new object and a new function in each render.
      const view = useStream(client.count, to === null ? null : { to }, {
        reduce: (sum: number, item) => sum + item,
        initial: 0,
      });
      controls = view;
      return `${view.status} ${view.data} ${view.error?.code ?? ''}`;
    }
    return { render: (to: number | null) => page.show(h(Sum, { to })), controls: () => controls! };
  }

  test('shows the items, in one run for all renders with an input that says the same', async () => {
    const { render } = show(start());
    await render(3);
    const socket = await world.welcomed();
    await render(3);
    expect(page.text).toBe('streaming 0 ');
    await say(socket, ['item', 1, 1, 10], ['item', 1, 2, 20]);
    expect(page.text).toBe('streaming 30 ');
    await say(socket, ['item', 1, 3, 30], ['done', 1]);
    expect(page.text).toBe('done 60 ');
    expect(socket.all('open')).toHaveLength(1);
  });

  test('another input begins anew, and shows nothing of the former', async () => {
    const { render } = show(start());
    await render(3);
    const socket = await world.welcomed();
    await say(socket, ['item', 1, 1, 10]);
    await render(4);
    expect(page.text).toBe('streaming 0 ');
    await say(socket, ['item', 1, 2, 20], ['item', 2, 1, 7]);
    expect(page.text).toBe('streaming 7 ');
    await render(null);
    expect(page.text).toBe('idle 0 ');
    expect(world.connection.stats().inFlight).toBe(0);
  });

  test('stop leaves what came, start begins anew, and leaving ends the run', async () => {
    const { render, controls } = show(start());
    await render(3);
    const socket = await world.welcomed();
    await say(socket, ['item', 1, 1, 10]);
    await act(async () => controls().stop());
    expect(page.text).toBe('idle 10 ');
    await act(async () => controls().start());
    expect(page.text).toBe('streaming 0 ');
    await say(socket, ['item', 2, 1, 5]);
    expect(page.text).toBe('streaming 5 ');
    await page.leave();
    await vi.advanceTimersByTimeAsync(0);
    expect(world.connection.stats().inFlight).toBe(0);
  });

  test('a failure is shown with what came before', async () => {
    const { render } = show(start());
    await render(3);
    const socket = await world.welcomed();
    await say(socket, ['item', 1, 1, 10], ['error', 1, { code: 'INTERNAL', message: '' }]);
    expect(page.text).toBe('error 10 INTERNAL');
  });

  test('StrictMode, which mounts twice, starts one run', async () => {
    const { count } = start();
    const run = Object.assign(vi.fn(count), count);
    function Once() {
      return useStream(run, { to: 3 }).status;
    }
    await page.show(h(Once));
    await world.welcomed();
    expect(page.text).toBe('streaming');
    expect(run).toHaveBeenCalledTimes(1);
  });
});

test('useCall shows what became of the last call, and never rejects', async () => {
  const client = start();
  let add: (input: { by: number }) => Promise<unknown> = () => Promise.resolve();
  function Add() {
    const { call, pending, data, error } = useCall(client.add);
    add = call;
    return `${pending} ${data} ${error?.code ?? ''}`;
  }
  await page.show(h(Add));
  const socket = await world.welcomed();
  expect(page.text).toBe('false undefined ');
  await act(async () => {
    void add({ by: 1 });
    void add({ by: 2 });
    await vi.advanceTimersByTimeAsync(0);
  });
  expect(page.text).toBe('true undefined ');
  const [first, second] = socket.all('call').map((message) => message[1]);
  await say(socket, ['reply', second, 2], ['reply', first, 1]);
  expect(page.text).toBe('false 2 ');
  await act(async () => void add({ by: 'three' as never }));
  expect(page.text).toBe('false undefined BAD_INPUT');
});

test('usePublish gives the position', async () => {
  const client = world.start();
  let publish: (event: { text: string }) => Promise<unknown> = () => Promise.resolve();
  function Say() {
    const { publish: now, pending, data } = usePublish(client.news({ channel: 'a' }));
    publish = now;
    return `${pending} ${data?.join(':')}`;
  }
  await page.show(h(Say));
  const socket = await world.welcomed();
  await act(async () => void publish({ text: 'hi' }));
  await act(() => vi.advanceTimersByTimeAsync(0));
  const [message] = socket.all('publish');
  await say(socket, ['reply', message![1], ['E', 7]]);
  expect(page.text).toBe('false E:7');
});

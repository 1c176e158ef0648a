// @vitest-environment jsdom
import { QueryClient, QueryClientProvider, useMutation, useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { act, Component, createElement as h, Suspense, type ReactNode } from 'react';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Client } from '../../src/index.ts';
import { attachTopics, queryUtils } from '../../src/tanstack-query/index.ts';
import type { plain } from '../helpers/chat-contract.ts';
import { scripted } from '../helpers/scripted-client.ts';
import { settle } from '../helpers/scripted-server.ts';
import { answer } from '../tanstack-query/world.ts';
import { Page, say } from './page.ts';

const world = scripted();
const page = new Page();

let queries: QueryClient;
let detach: () => void;
beforeEach(() => {
  queries = new QueryClient();
});
afterEach(async () => {
  await page.leave();
  detach();
  queries.clear();
});

type TestClient = Client<(typeof plain)['tree']>;
interface Props {
  readonly client: TestClient;
}

async function start() {
  const client = world.start();
  detach = attachTopics(queries, client);
  return { client, socket: await world.welcomed() };
}

class Boundary extends Component<{ readonly children?: ReactNode }> {
  override state: { readonly code?: string } = {};
  static getDerivedStateFromError({ code }: { readonly code: string }): { readonly code: string } {
    return { code };
  }
  override render(): ReactNode {
    return this.state.code === undefined ? this.props.children : `failed: ${this.state.code}`;
  }
}

const show = async (part: (props: Props) => ReactNode, client: TestClient): Promise<void> => {
  await page.show(
    h(
      QueryClientProvider,
      { client: queries },
      h(Boundary, {}, h(Suspense, { fallback: 'waiting' }, h(part, { client }))),
    ),
  );
  await act(settle);
};

/** React tells of errors that boundaries take. */
async function told(tell: () => Promise<void>): Promise<void> {
  vi.mocked(console.error).mockImplementation(() => undefined);
  await tell();
  vi.mocked(console.error).mockReset();
}

const REFUSED = { code: 'FORBIDDEN', message: 'not you' };
const live = [
  ['subscribed', 1, 'counts', ['E', 0], 'live'],
  ['snapshot', 'counts', ['E', 0], { a: 1 }],
];

describe('a query', () => {
  const Name = ({ client }: Props) => {
    const { status, data } = useQuery(queryUtils(client).get.queryOptions({ id: 1 }));
    return `${status} ${data?.name ?? '-'}`;
  };

  test('is called once, in StrictMode too, and shown', async () => {
    const { client, socket } = await start();
    await show(Name, client);
    expect([page.text, socket.all('call').length]).toEqual(['pending -', 1]);
    await act(() => answer(socket, { name: 'Ada' }));
    expect(page.text).toBe('success Ada');
  });

  test('is cancelled at the server when its component leaves', async () => {
    const { client, socket } = await start();
    await show(Name, client);
    await page.leave();
    await vi.advanceTimersByTimeAsync(0);
    expect(socket.all('cancel')).toHaveLength(socket.all('call').length);
  });

  test('that fails is thrown, for an error boundary, with `throwOnError`', async () => {
    const { client, socket } = await start();
    const Thrown = ({ client: of }: Props) =>
      useQuery(queryUtils(of).get.queryOptions({ id: 1 }, { throwOnError: true })).status;
    await show(Thrown, client);
    await told(() => say(socket, ['error', 1, REFUSED]));
    expect(page.text).toBe('failed: FORBIDDEN');
  });

  test('waits in a Suspense boundary', async () => {
    const { client, socket } = await start();
    const Waits = ({ client: of }: Props) => useSuspenseQuery(queryUtils(of).get.queryOptions({ id: 1 })).data.name;
    await show(Waits, client);
    expect(page.text).toBe('waiting');
    await act(() => answer(socket, { name: 'Ada' }));
    expect(page.text).toBe('Ada');
  });
});

describe('the state of a topic', () => {
  const Counts = ({ client }: Props) => JSON.stringify(useQuery(queryUtils(client).counts.stateOptions()).data) ?? '-';

  test('is subscribed once, in StrictMode too, shown with each event, and left a second after', async () => {
    const { client, socket } = await start();
    await show(Counts, client);
    await say(socket, ...live, ['event', 'counts', 1, { key: 'b', count: 2 }]);
    expect(page.text).toBe('{"a":1,"b":2}');
    await page.leave();
    await vi.advanceTimersByTimeAsync(2_000);
    expect([socket.all('subscribe').length, socket.all('unsubscribe').length]).toEqual([1, 1]);
  });

  test('is the next user’s after a login', async () => {
    const { client, socket } = await start();
    await show(Counts, client);
    await say(socket, ...live);
    await act(async () => {
      world.connection.setAuth(() => 'bob');
      await settle();
    });
    expect(page.text).not.toContain('"a"');
    const next = await world.server.next();
    await act(() => next.welcome({ identity: 'bob' }));
    const [, n] = next.all('subscribe').at(-1)!;
    await say(next, ['subscribed', n, 'counts', ['F', 0], 'live'], ['snapshot', 'counts', ['F', 0], { bob: 1 }]);
    expect(page.text).toBe('{"bob":1}');
  });
});

test('a mutation runs once for each click, and tells its declared error', async () => {
  const { client, socket } = await start();
  let add: (by: number) => void = () => undefined;
  const Adds = ({ client: of }: Props) => {
    const { status, error, mutate } = useMutation(queryUtils(of).add.mutationOptions());
    add = (by) => mutate({ by });
    return `${status} ${error?.code === 'LIMIT' ? error.data.max : ''}`;
  };
  await show(Adds, client);
  await act(async () => {
    add(70);
    await settle();
  });
  expect(page.text).toBe('pending ');
  await say(socket, ['error', 1, { code: 'LIMIT', message: 'too much' }, { max: 100 }]);
  expect([page.text, socket.all('call').length]).toEqual(['error 100', 1]);
});

import { MutationObserver, QueryClient, QueryObserver } from '@tanstack/query-core';
import { afterEach, beforeEach } from 'vitest';
import { settle, type ScriptedSocket } from '../helpers/scripted-server.ts';

/** What a component would show of a query: while it is mounted. */
export interface Shown {
  readonly status: string;
  readonly data: unknown;
  readonly error: unknown;
  readonly fetchStatus: string;
  /** Each data that was shown, once. */
  readonly history: readonly unknown[];
  leave(): void;
}

/** A QueryClient for each test, with TanStack Query's own defaults. */
export class QueryWorld {
  client = new QueryClient();

  constructor() {
    beforeEach(() => {
      this.client = new QueryClient();
      this.client.mount();
    });
    afterEach(() => {
      this.client.unmount();
      this.client.clear();
    });
  }

  /** Mounts a query. */
  show(options: object, queryClient: QueryClient = this.client): Shown {
    const observer = new QueryObserver(queryClient, options as never);
    const history: unknown[] = [];
    const leave = observer.subscribe(({ data }) => {
      if (data !== undefined && data !== history.at(-1)) history.push(data);
    });
    const now = () => observer.getCurrentResult();
    return {
      get status() {
        return now().status;
      },
      get data() {
        return now().data;
      },
      get error() {
        return now().error;
      },
      get fetchStatus() {
        return now().fetchStatus;
      },
      history,
      leave,
    };
  }

  /** Mounts a mutation, and runs it. */
  mutate(options: object, input: unknown): MutationObserver<unknown, unknown, unknown> {
    const observer = new MutationObserver<unknown, unknown, unknown>(this.client, options);
    observer.subscribe(() => {});
    observer.mutate(input).catch(() => {});
    return observer;
  }
}

/** What the server is asked, and what it answers: in the order of the calls. */
export async function answer(socket: ScriptedSocket, ...values: unknown[]): Promise<void> {
  const ids = socket.all('call').map(([, id]) => id);
  await socket.say(...values.map((value, at) => ['reply', ids.at(at - values.length), value]));
  await settle();
}

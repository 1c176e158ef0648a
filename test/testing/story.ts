import { expect } from 'vitest';
import type { LineFaults, ServerControls } from '../../src/testing/index.ts';
import type { App, Chat } from './story-app.ts';

/** The functions of something that may be elsewhere. */
export type Remote<Local> = {
  readonly [Name in keyof Local]: Local[Name] extends (...args: infer Args) => infer Answer
    ? (...args: Args) => Answer | Promise<Awaited<Answer>>
    : never;
};

/** Faults that every door has. */
export type Faults = LineFaults & Pick<ServerControls<never>, 'restart'>;

/** One way from an app to its server, with all that a story needs. */
export interface Door extends AsyncDisposable {
  readonly app: Remote<App>;
  readonly chat: Remote<Chat>;
  readonly line: Remote<Faults>;
}

/** What is given twice is once enough: an app may have tried more than once. */
export const kinds = (statuses: readonly string[]): string[] => [...new Set(statuses)];

/** Join, send, cut, queue, back: what the app sees is the same behind each door. */
export async function story({ app, chat, line }: Door): Promise<void> {
  const sees = (what: object) => expect.poll(() => app.seen()).toMatchObject(what);
  await sees({ room: ['joined: '] });
  await app.send('one');
  await sees({ answers: ['ok 1'], room: ['joined: ', 'one'] });
  await line.refuse();
  await line.cut();
  await sees({ statuses: expect.arrayContaining(['waiting: 1006 by peer, never open']) as unknown });
  await app.send('two');
  await app.send('three');
  await sees({ queued: 2, answers: ['ok 1', 'pending', 'pending'] });
  expect(await chat.said()).toEqual(['one']);
  await line.accept();
  await app.wake();
  await sees({ answers: ['ok 1', 'ok 2', 'ok 3'], room: ['joined: ', 'one', 'two', 'three'], queued: 0 });
  expect(await chat.said()).toEqual(['one', 'two', 'three']);
  const { statuses } = await app.seen();
  expect(kinds(statuses)).toEqual([
    'connected',
    'waiting: 1006 by peer, was open',
    'connecting',
    'waiting: 1006 by peer, never open',
    'connected, resumed',
  ]);
  expect(statuses.at(-1)).toBe('connected, resumed');
}

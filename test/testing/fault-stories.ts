import { expect } from 'vitest';
import type { Seen } from './story-app.ts';
import { kinds, type Door } from './story.ts';

/** What an app sees of a fault, from its beginning on. */
export interface FaultSeen {
  /** Kinds of statuses, in the order in which they came first. */
  readonly statuses: readonly string[];
  readonly answers: readonly string[];
  readonly room: readonly string[];
  /** What the server heard, which is not what was answered. */
  readonly said: readonly string[];
}

const REFUSED = 'waiting: 1006 by peer, never open';
const BACK = ['connecting', 'connected, resumed'];

/** What a story does behind a door, and how it waits. */
interface Steps extends Door {
  /** Waits until the app shows this. */
  readonly sees: (what: Partial<Record<keyof Seen, unknown>>) => Promise<void>;
  /** Waits until a status like it has come since the app joined. */
  readonly enters: (status: RegExp) => Promise<void>;
}

/** Runs a story when the app has joined, and gives what was seen after that. */
export async function seenOf(fault: Fault, door: Door): Promise<FaultSeen> {
  const { app, chat } = door;
  const sees: Steps['sees'] = async (what) => expect.poll(() => app.seen()).toMatchObject(what);
  await sees({ room: ['joined: '] });
  const before = (await app.seen()).statuses.length;
  const since = async () => (await app.seen()).statuses.slice(before);
  const enters: Steps['enters'] = async (status) => expect.poll(async () => (await since()).join('; ')).toMatch(status);
  await FAULTS[fault].run({ ...door, sees, enters });
  const { answers, room } = await app.seen();
  return { statuses: kinds(await since()), answers, room: room.slice(1), said: await chat.said() };
}

interface FaultStory {
  readonly run: (steps: Steps) => Promise<void>;
  /** What the app sees where the server is real. */
  readonly seen: FaultSeen;
}

/** Each fault, by what is done. */
export const FAULTS = {
  'cut, a call at work': {
    async run({ app, chat, line, sees, enters }) {
      await app.send('slow');
      await expect.poll(() => chat.atWork()).toBe(1);
      await line.cut();
      await enters(/connected, resumed/);
      await chat.release();
      await sees({ answers: ['ok 1'], room: ['joined: ', 'slow'] });
    },
    seen: {
      statuses: ['waiting: 1006 by peer, was open', ...BACK],
      answers: ['ok 1'],
      room: ['slow'],
      said: ['slow'],
    },
  },
  'refuse, then accept': {
    async run({ app, line, sees, enters }) {
      await line.refuse();
      await app.send('on the open line');
      await sees({ answers: ['ok 1'] });
      await app.reconnect();
      await enters(/never open/);
      await app.send('queued');
      await sees({ queued: 1 });
      await line.accept();
      await app.wake();
      await sees({ answers: ['ok 1', 'ok 2'], room: ['joined: ', 'on the open line', 'queued'] });
    },
    seen: {
      statuses: ['connecting', REFUSED, 'connected, resumed'],
      answers: ['ok 1', 'ok 2'],
      room: ['on the open line', 'queued'],
      said: ['on the open line', 'queued'],
    },
  },
  'freeze, a probe fails': {
    async run({ app, line, sees, enters }) {
      await line.freeze();
      await app.send('held back');
      await app.wake();
      await enters(/probe/);
      await line.thaw();
      await app.wake();
      await sees({ answers: ['ok 1'], room: ['joined: ', 'held back'] });
    },
    seen: {
      statuses: ['waiting: 4408 by probe, was open', ...BACK],
      answers: ['ok 1'],
      room: ['held back'],
      said: ['held back'],
    },
  },
  'freeze, then a new socket': {
    async run({ app, line, enters }) {
      await line.freeze();
      await app.reconnect();
      // It is given little time then.
      await app.wake();
      await enters(/timeout/);
    },
    seen: { statuses: ['connecting', 'waiting: 4408 by timeout, never open'], answers: [], room: [], said: [] },
  },
  'freeze, thaw in time': {
    async run({ app, chat, line, sees }) {
      await line.freeze();
      await app.send('one');
      await app.send('two');
      await sees({ answers: ['pending', 'pending'], queued: 0 });
      expect(await chat.said()).toEqual([]);
      await line.thaw();
      await sees({ answers: ['ok 1', 'ok 2'], room: ['joined: ', 'one', 'two'] });
    },
    seen: { statuses: [], answers: ['ok 1', 'ok 2'], room: ['one', 'two'], said: ['one', 'two'] },
  },
  delay: {
    async run({ app, line, sees }) {
      await line.delay(20);
      await app.send('one');
      await app.send('two');
      await sees({ answers: ['ok 1', 'ok 2'], room: ['joined: ', 'one', 'two'] });
      await line.delay(0);
    },
    seen: { statuses: [], answers: ['ok 1', 'ok 2'], room: ['one', 'two'], said: ['one', 'two'] },
  },
  'restart, a call at work': {
    async run({ app, chat, line, sees, enters }) {
      await app.send('slow');
      await expect.poll(() => chat.atWork()).toBe(1);
      await line.restart();
      await enters(/connected$/);
      await chat.release();
      await app.send('after');
      await sees({
        answers: ['DISCONNECTED, unknown', 'ok 2'],
        room: ['joined: ', 'gap', 'joined: slow', 'slow', 'after'],
      });
    },
    seen: {
      statuses: ['waiting: 1012 by peer, was open', 'connecting', 'connected'],
      answers: ['DISCONNECTED, unknown', 'ok 2'],
      room: ['gap', 'joined: slow', 'slow', 'after'],
      said: ['slow', 'after'],
    },
  },
} satisfies Readonly<Record<string, FaultStory>>;

export type Fault = keyof typeof FAULTS;

export const REAL = 'a real server';

/** What is otherwise where the server is not real. */
const MOCKED: { readonly [Name in Fault]?: Partial<FaultSeen> } = {
  'freeze, then a new socket': { statuses: ['connecting', 'waiting: 4408 by timeout, was open'] },
};

/** What the app sees of a fault behind a door. */
export function expectedOf(fault: Fault, door: string): FaultSeen {
  return { ...FAULTS[fault].seen, ...(door !== REAL && MOCKED[fault]) };
}

export const FAULT_NAMES = Object.keys(FAULTS) as Fault[];

/** The same for the docs: a row each of fault, statuses and what the first call answered. */
export function faultTable(): string[][] {
  const row = (name: string, { statuses, answers }: FaultSeen): string[] => {
    const told = statuses.filter((status) => status !== 'connecting').map((status) => status.replace('waiting: ', ''));
    return [name, told.join('; ') || 'nothing', answers[0] ?? ''];
  };
  return FAULT_NAMES.flatMap((fault) => [
    row(fault, FAULTS[fault].seen),
    ...(MOCKED[fault] === undefined ? [] : [row('the same with a mock', expectedOf(fault, 'a mock'))]),
  ]);
}

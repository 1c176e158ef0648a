import { expect, test } from 'vitest';
import type { Position } from '../../../src/index.ts';
import { redisBroker } from '../../../src/server/redis.ts';
import { FollowedTopic, type Found, type Head } from '../../../src/server/brokers/followed-topic.ts';

/** Answers of a Redis that the test gives when it wants to. */
class Answers {
  readonly heads: Array<(head: Head) => void> = [];
  readonly reads: Array<{ after: Position; answer: (found: Found) => void }> = [];
  readonly questions = {
    head: () => new Promise<Head>((resolve) => this.heads.push(resolve)),
    read: (after: Position) => new Promise<Found>((answer) => this.reads.push({ after, answer })),
  };

  async head(offset: number, mark: string, epoch = 'e'): Promise<void> {
    this.heads.shift()!({ position: [epoch, offset], mark });
    await settle();
  }

  async read(from: number, marks: string): Promise<void> {
    const { answer } = this.reads.shift()!;
    const events = marks.split('').map((mark, index) => ({ offset: from + index, payload: mark, mark }));
    answer({ head: ['e', from + events.length - 1], oldest: 1, events });
    await settle();
  }
}

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

/** A topic at offset 2, whose last publication has the mark `b`. */
async function begun() {
  const answers = new Answers();
  const failures: unknown[] = [];
  const topic = new FollowedTopic(answers.questions, (error) => failures.push(error));
  const told: string[] = [];
  topic.listeners.add({ event: ({ payload }) => told.push(payload), reset: () => told.push('(gap)') });
  const ready = topic.begin();
  await answers.head(2, 'b');
  await ready;
  return { answers, topic, told, failures };
}

test('what continues is told at once, what was told is not told again, and Redis is not asked', async () => {
  const { answers, topic, told } = await begun();
  topic.heard('e', 'b', { offset: 3, payload: 'c', mark: 'c' });
  topic.heard('e', 'b', { offset: 3, payload: 'c', mark: 'c' });
  expect([told, topic.position, answers.heads]).toEqual([['c'], ['e', 3], []]);
});

test('what came while the topic began is read from the stream', async () => {
  const answers = new Answers();
  const topic = new FollowedTopic(answers.questions, () => undefined);
  const told: string[] = [];
  topic.listeners.add({ event: ({ payload }) => told.push(payload), reset: () => undefined });
  const ready = topic.begin();
  topic.heard('e', 'b', { offset: 3, payload: 'c', mark: 'c' });
  await answers.head(2, 'b');
  await ready;
  await answers.head(3, 'c');
  await answers.read(3, 'c');
  expect([told, topic.position]).toEqual([['c'], ['e', 3]]);
});

test('a hole is read from the stream, and so is what comes while it is read', async () => {
  const { answers, topic, told } = await begun();
  topic.heard('e', 'c', { offset: 4, payload: 'd', mark: 'd' });
  topic.heard('e', 'd', { offset: 5, payload: 'e', mark: 'e' });
  await answers.head(4, 'd');
  await answers.read(3, 'cd');
  expect(told).toEqual(['c', 'd']);
  await answers.head(5, 'e');
  await answers.read(5, 'e');
  expect([told, answers.heads, answers.reads]).toEqual([['c', 'd', 'e'], [], []]);
});

test('a count that went back and caught up again is seen by the mark before: the next offset alone proves nothing', async () => {
  const { answers, topic, told } = await begun();
  // Of another history: its second publication had another mark.
  topic.heard('e', 'B', { offset: 3, payload: 'C', mark: 'C' });
  expect(told).toEqual([]);
  await answers.head(0, '', 'another');
  expect([told, topic.position]).toEqual([['(gap)'], ['another', 0]]);
});

test('a comparison that fails is reported, and the next one makes good for it', async () => {
  const answers = new Answers();
  const failures: unknown[] = [];
  let fails = false;
  const head = () => (fails ? Promise.reject(new Error('away')) : answers.questions.head());
  const topic = new FollowedTopic({ ...answers.questions, head }, (error) => failures.push(error));
  const told: string[] = [];
  topic.listeners.add({ event: ({ payload }) => told.push(payload), reset: () => undefined });
  const ready = topic.begin();
  await answers.head(2, 'b');
  await ready;
  fails = true;
  topic.compare(['e', 3]);
  await settle();
  expect(failures).toEqual([new Error('away')]);
  fails = false;
  topic.compare(['e', 3]);
  await answers.head(3, 'c');
  await answers.read(3, 'c');
  expect(told).toEqual(['c']);
});

test('one that is closed tells nothing more, also of what was asked before', async () => {
  const { answers, topic, told } = await begun();
  topic.compare(['e', 3]);
  topic.close();
  await answers.head(3, 'c');
  topic.heard('another', '', { offset: 1, payload: 'x', mark: 'x' });
  topic.compare(['another', 1]);
  expect([told, answers.heads, answers.reads]).toEqual([[], [], []]);
});

test('a broker asks where a topic stands when its channel is subscribed, not before: nothing lies between', async () => {
  const asked: string[] = [];
  let subscribed!: () => void;
  const client = (name: string) => ({
    isOpen: true,
    isReady: true,
    eval: async (_script: string, { arguments: args }: { arguments: string[] }) => {
      asked.push(`${name} eval`);
      return [args.at(-1), ['e', 0, '']];
    },
    subscribe: () => {
      asked.push(`${name} subscribe`);
      return new Promise<void>((resolve) => (subscribed = resolve));
    },
    unsubscribe: async () => undefined,
    on: () => undefined,
    off: () => undefined,
  });
  const broker = redisBroker({ commands: client('commands'), subscriber: client('subscriber') });
  const feed = broker.subscribe('a', { event: () => undefined, reset: () => undefined });
  await settle();
  expect(asked).toEqual(['subscriber subscribe']);
  subscribed();
  expect((await feed).head).toEqual(['e', 0]);
  expect(asked).toEqual(['subscriber subscribe', 'commands eval']);
  await broker.close();
});

import type { Position } from '../../protocol/messages.ts';
import type { Broker, Feed } from '../../server/brokers/broker.ts';
import { Heard, same } from './heard.ts';

/** Events that the history of a topic holds in the tests. */
export const HISTORY_SIZE = 5;

/** What a case is run on: the brokers of two servers, and the name of a topic that nobody has used. */
export interface BrokerWorld {
  readonly one: Broker;
  readonly other: Broker;
  readonly topic: string;
}

type Case = (world: BrokerWorld) => Promise<void>;

const numbers = (count: number, from = 1): string[] => Array.from({ length: count }, (_, n) => `${from + n}`);

async function publishAll(broker: Broker, topic: string, payloads: readonly string[]): Promise<Position[]> {
  const positions: Position[] = [];
  for (const payload of payloads) positions.push(await broker.publish(topic, payload));
  return positions;
}

async function read(feed: Feed, after: Position, limit = 100): Promise<string[] | undefined> {
  return (await feed.read(after, limit))?.map(({ payload }) => payload);
}

const positions: Case = async ({ one, topic }) => {
  const { feed } = await Heard.of(one, topic);
  const [epoch, offset] = feed.head;
  same('the head before the first publication', offset, 0);
  const given = await publishAll(one, topic, ['a', 'b', 'c']);
  const expected = [1, 2, 3].map((its) => [epoch, its]);
  same('the positions of three publications', given, expected);
  same('those of another topic begin anew', (await one.publish(`${topic}/other`, 'a'))[1], 1);
};

const toEverybody: Case = async ({ one, other, topic }) => {
  const all = [await Heard.of(one, topic), await Heard.of(other, topic), await Heard.of(other, topic)];
  await publishAll(one, topic, ['a', 'b']);
  await publishAll(other, topic, ['c']);
  for (const heard of all) {
    await heard.until(3);
    same('what a feed hears', heard.payloads, ['a', 'b', 'c']);
    const expected = [1, 2, 3].map((offset) => [offset, offset]);
    same('the offsets, and what the head says when each comes', heard.offsets, expected);
  }
};

const oneOrder: Case = async ({ one, other, topic }) => {
  const heard = [await Heard.of(one, topic), await Heard.of(other, topic)] as const;
  const payloads = numbers(200);
  const given = await Promise.all(
    payloads.map(async (payload, n) => (n % 2 === 0 ? one : other).publish(topic, payload)),
  );
  for (const each of heard) await each.until(200);
  same('the order that the other server hears', heard[1].payloads, heard[0].payloads);
  const byOffset = given.map(([, offset], n) => [offset, payloads[n]] as const).sort(([a], [b]) => a - b);
  same(
    'the order that the positions say',
    byOffset.map(([, payload]) => payload),
    heard[0].payloads,
  );
  for (const part of [0, 1]) {
    const mine = (payload: string): boolean => Number(payload) % 2 === part;
    same('the order of one server', heard[0].payloads.filter(mine), payloads.filter(mine));
  }
};

const history: Case = async ({ one, other, topic }) => {
  const { feed, until } = await bound(other, topic);
  const [epoch] = feed.head;
  same('what comes after the head', await read(feed, feed.head), []);
  await publishAll(one, topic, ['a', 'b', 'c']);
  await until(3);
  same('what comes after 0', await read(feed, [epoch, 0]), ['a', 'b', 'c']);
  same('one after 1', await read(feed, [epoch, 1], 1), ['b']);
  same('what comes after the head', await read(feed, [epoch, 3]), []);
};

const outOfHistory: Case = async ({ one, topic }) => {
  const { feed, until } = await bound(one, topic);
  const [epoch] = feed.head;
  await publishAll(one, topic, numbers(HISTORY_SIZE + 2));
  await until(HISTORY_SIZE + 2);
  same('what fell out of the history', await read(feed, [epoch, 1]), undefined);
  same('what is just there', await read(feed, [epoch, 2]), numbers(HISTORY_SIZE, 3));
  same('what another epoch has', await read(feed, [`${epoch}x`, 3]), undefined);
  same('what is beyond the head', await read(feed, [epoch, HISTORY_SIZE + 3]), undefined);
  if (feed.oldest !== undefined) same('the oldest position', await feed.oldest(), [epoch, 2]);
};

const closedFeeds: Case = async ({ one, topic }) => {
  const [left, stays] = [await Heard.of(one, topic), await Heard.of(one, topic)];
  await one.publish(topic, 'a');
  await left.until(1);
  const publishing = one.publish(topic, 'b');
  left.feed.close();
  left.feed.close();
  const heard = left.payloads.length;
  await publishing;
  await one.publish(topic, 'c');
  await stays.until(3);
  same('how much a closed feed heard', left.payloads.length, heard);
  same('what the other one hears', stays.payloads, ['a', 'b', 'c']);
};

const lateFeeds: Case = async ({ one, other, topic }) => {
  const given = await publishAll(one, topic, ['a', 'b']);
  const heard = await Heard.of(other, topic);
  same('the head that a feed begins with', heard.feed.head, given[1]);
  same('what was before it', await read(heard.feed, given[0]!), ['b']);
  await one.publish(topic, 'c');
  await heard.until(1);
  same('what it hears', heard.payloads, ['c']);
};

const comingBack: Case = async ({ one, topic }) => {
  const heard = new Heard();
  for (let times = 1; times <= 20; times++) {
    const feed = await one.subscribe(topic, heard.listener);
    await one.publish(topic, `${times}`);
    await heard.until(times);
    feed.close();
  }
  same('what one hears that leaves and comes back at once', [heard.payloads, heard.resets], [numbers(20), 0]);
};

const sameListener: Case = async ({ one, topic }) => {
  const heard = await Heard.of(one, topic);
  const again = await one.subscribe(topic, heard.listener);
  await one.publish(topic, 'a');
  await heard.until(2);
  again.close();
  await one.publish(topic, 'b');
  await heard.untilLast('b');
  same('what a listener of two feeds hears', heard.payloads, ['a', 'a', 'b']);
};

const keys: Case = async ({ one, other, topic }) => {
  const heard = await Heard.of(other, topic);
  const keyed = async (payload: string, n: number): Promise<Position> =>
    (n % 2 === 0 ? one : other).publish(topic, payload, { key: 'k' });
  const given = await Promise.all(numbers(10).map(keyed));
  same('how many positions ten of one key have', new Set(given.map(String)).size, 1);
  same('that of another key', (await one.publish(topic, 'other', { key: 'other' }))[1], 2);
  same('that of the key in another topic', (await one.publish(`${topic}/other`, 'x', { key: 'k' }))[1], 1);
  same('that of the first key again', await keyed('again', 1), given[0]);
  await publishAll(one, topic, numbers(HISTORY_SIZE - 1));
  same('that of a key that fell out of the history', (await keyed('new', 0))[1], HISTORY_SIZE + 2);
  await heard.untilLast('new');
  same('how many were told', heard.payloads.length, HISTORY_SIZE + 2);
};

const texts: Case = async ({ one, other, topic }) => {
  const heard = await Heard.of(other, topic);
  const payloads = ['', ':::', '"a":{"b":[]}', 'ёжик 🦔\u0000\n', 'x'.repeat(100_000)];
  await publishAll(one, topic, payloads);
  await heard.until(payloads.length);
  same('payloads as they were', heard.payloads, payloads);
  same('and from the history', await read(heard.feed, [heard.feed.head[0], 0]), payloads);
};

const names: Case = async ({ one, other, topic }) => {
  const topics = [topic, `${topic}/b`, `${topic}:{c}`, `${topic}/*`, `${topic}/ё?`];
  const all = await Promise.all(topics.map((name) => Heard.of(other, name)));
  await Promise.all(topics.map(async (name) => one.publish(name, name)));
  await Promise.all(all.map((heard) => heard.until(1)));
  same(
    'what each topic hears',
    all.map(({ payloads }) => payloads),
    topics.map((name) => [name]),
  );
};

const MANY = 10_000;
/** So many are asked at a time: what stands behind a broker may have few lines. */
const AT_ONCE = 100;

async function inTurn<From, To>(all: readonly From[], each: (one: From) => To | Promise<To>): Promise<To[]> {
  const done: To[] = [];
  for (let first = 0; first < all.length; first += AT_ONCE) {
    done.push(...(await Promise.all(all.slice(first, first + AT_ONCE).map(each))));
  }
  return done;
}

const manyTopics: Case = async ({ one, other, topic }) => {
  const topics = numbers(MANY).map((name) => `${topic}/${name}`);
  const all = await inTurn(topics, (name) => Heard.of(other, name));
  const given = await inTurn(topics, (name) => one.publish(name, name));
  const epochs = all.map(({ feed }) => feed.head[0]);
  await Promise.all(all.map((heard) => heard.until(1)));
  const hear = all.map(({ payloads, resets }) => [...payloads, resets]);
  same(
    'what each of many topics hears',
    hear,
    topics.map((name) => [name, 0]),
  );
  same(
    'the positions in many topics',
    given,
    epochs.map((epoch) => [epoch, 1]),
  );
  for (const { feed } of all) feed.close();
  const again = await Heard.of(other, topics[0]!);
  await one.publish(topics[0]!, 'again');
  await again.until(1);
  same('what a feed hears that all were closed before', [again.payloads, all[0]!.payloads.length], [['again'], 1]);
};

const connected: Case = async ({ one }) => {
  await one.connection?.ready();
  same('whether it is there', one.connection?.isUp ?? true, true);
};

async function bound(broker: Broker, topic: string): Promise<{ feed: Feed; until: (count: number) => Promise<void> }> {
  const heard = await Heard.of(broker, topic);
  return { feed: heard.feed, until: (count) => heard.until(count) };
}

/** What every broker does, by what it is called. */
export const BROKER_CASES: Readonly<Record<string, Case>> = {
  'positions count up by one, each topic for itself, in one epoch': positions,
  'each feed of each server hears each publication once, in order, with the head already there': toEverybody,
  'what several servers publish at once is heard in one order by all, which its positions tell': oneOrder,
  'the history gives what came after a position, at most the limit': history,
  'the history says where it does not reach': outOfHistory,
  'a closed feed hears no more, and the others go on': closedFeeds,
  'who subscribes late begins at the head, and finds the rest in the history': lateFeeds,
  'who leaves and comes back at once misses nothing and is told of no gap': comingBack,
  'a listener that subscribes twice hears twice': sameListener,
  'what has the key of a publication in the history is that publication': keys,
  'a payload is whatever text it was': texts,
  'topics whose names are alike are not one': names,
  'ten thousand topics are followed at once, each for itself': manyTopics,
  'it says that it is there': connected,
};

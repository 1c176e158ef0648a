import { describe, expect, test } from 'vitest';
import { FrameParts, PartReader } from '../../src/protocol/parts.ts';
import { start } from './fixture.ts';
import { clientName, Peer, settle, type Wire } from './peer.ts';

const LARGE = 100_000;

/** A peer that puts parts together, and answers pings when it is told to. */
class PartsPeer extends Peer {
  readonly parts: string[] = [];
  readonly #reader = new PartReader(Infinity, 4);
  #answered = 0;

  override send(frame: string): void {
    if (!frame.startsWith('+')) return super.send(frame);
    this.parts.push(frame);
    const whole = this.#reader.take(frame);
    if (whole !== undefined) super.send(whole);
  }

  /** Answers all pings that came. */
  async pong(): Promise<void> {
    const pings = this.all('ping').slice(this.#answered);
    this.#answered += pings.length;
    if (pings.length > 0) this.write(...pings.map(([, n]) => ['pong', n]));
    await settle();
  }

  async pongAll(): Promise<void> {
    for (let before = -1; before !== this.parts.length + this.received.length;) {
      before = this.parts.length + this.received.length;
      await this.pong();
    }
  }

  /** Writes a message in parts. */
  writeParts(s: number, message: Wire, partBytes = 16_384): string[] {
    const frame = JSON.stringify([message]);
    const parts = new FrameParts(s, frame, frame.length, partBytes);
    const texts: string[] = [];
    while (parts.left > 0) texts.push(parts.next());
    return texts;
  }
}

async function welcomed(options: Parameters<typeof start>[1] = {}, features: readonly string[] = ['parts']) {
  const started = start({}, options);
  const client = clientName();
  const peer = new PartsPeer(started.server).hello(client, 1, { features });
  await settle();
  return { ...started, client, peer };
}

const large = 'x'.repeat(LARGE);

describe('a large answer', () => {
  test('goes in parts of which three are on their way; small answers, and events, go between them', async () => {
    const { peer, server } = await welcomed();
    peer.write(['subscribe', 1, 'rooms/1'], ['call', 1, 'echo', null, large]);
    await settle();
    expect(peer.parts.map((part) => part.slice(0, 9))).toEqual(['+1,91856,', '+1,83696,', '+1,75536,']);
    peer.write(['call', 2, 'echo', null, 'small']);
    await server.topic('room', { roomId: '1' }).publish({ text: 'event' });
    await settle();
    expect(peer.answers(2)).toHaveLength(1);
    expect(peer.all('event')).toHaveLength(1);
    expect(peer.parts).toHaveLength(3);
    await peer.pongAll();
    expect(peer.parts).toHaveLength(13);
    expect(peer.answers(1)).toEqual([['reply', 1, large]]);
  });

  test('goes whole to a peer that did not say that it takes parts', async () => {
    const { peer } = await welcomed({}, []);
    peer.write(['call', 1, 'echo', null, large]);
    await settle();
    expect(peer.parts).toEqual([]);
    expect(peer.answers(1)).toEqual([['reply', 1, large]]);
  });

  test('takes turns with two others, so that none holds them up; at most four frames are unfinished with one of the bulk', async () => {
    const { peer, server } = await welcomed();
    peer.write(['subscribe', 9, 'rooms/1']);
    peer.write(...[1, 2, 3, 4, 5].map((id) => ['call', id, 'echo', null, large]));
    await settle();
    await server.topic('room', { roomId: '1' }).publish({ text: large });
    await peer.pongAll();
    expect([1, 2, 3, 4, 5].map((id) => peer.answers(id).length)).toEqual([1, 1, 1, 1, 1]);
    expect(peer.all('event')).toHaveLength(1);
    const [first, second, third] = [1, 2, 3].map((s) =>
      peer.parts.findIndex((part) => part.startsWith(`+${String(s)},`)),
    );
    expect(Math.max(first!, second!, third!)).toBeLessThan(5);
  });

  test('is no reason to hold events back, and waits for a socket that is full as they do', async () => {
    const { peer } = await welcomed();
    peer.bufferedAmount = 100_000;
    peer.write(['call', 1, 'echo', null, large], ['call', 2, 'echo', null, 'small']);
    await settle();
    expect([peer.parts.length, peer.answers(2).length]).toEqual([0, 1]);
    peer.drain();
    expect(peer.parts).toHaveLength(3);
  });

  test('that nobody wants any more is given up in its midst, and settled', async () => {
    const { peer } = await welcomed();
    peer.write(['call', 1, 'echo', null, large], ['call', 2, 'echo', null, large]);
    await settle();
    peer.write(['cancel', 1]);
    await settle();
    expect(peer.parts.filter((part) => part.startsWith('+1,')).at(-1)).toBe('+1,0,');
    expect(peer.answers(1)[0]?.[2].code).toBe('ABORTED');
    await peer.pongAll();
    expect(peer.answers(2)).toEqual([['reply', 2, large]]);
  });

  test.each([2, 3, 4, 5, 6])(
    'that is given up after %i pongs leaves no parts that no ping asks for',
    async (rounds) => {
      const { peer, server } = await welcomed();
      peer.write(['subscribe', 9, 'rooms/1'], ['call', 1, 'echo', null, 'x'.repeat(900_000)]);
      await settle();
      for (let round = 0; round < rounds; round++) await peer.pong();
      peer.write(['cancel', 1]);
      await server.topic('room', { roomId: '1' }).publish({ text: large });
      await peer.pongAll();
      expect(peer.all('event')).toHaveLength(1);
    },
  );

  test('is written out wholly when its socket is left for a newer one', async () => {
    const { peer, server, client } = await welcomed();
    peer.write(['call', 1, 'echo', null, large]);
    await settle();
    const next = new PartsPeer(server).hello(client, 2, { features: ['parts'] });
    await settle();
    next.write(['ping', 1]);
    await settle();
    expect(peer.answers(1)).toEqual([['reply', 1, large]]);
  });
});

test('a large event that goes whole is not taken for the one in parts before it: it has a ping of its own', async () => {
  const { peer, server } = await welcomed({ limits: { partBytes: 24_000 } });
  peer.write(['subscribe', 1, 'rooms/1']);
  await settle();
  const room = server.topic('room', { roomId: '1' });
  // In parts for its bytes, and of less than 16 Ki units: what is that short is not watched.
  await room.publish({ text: 'é'.repeat(13_000) });
  await peer.pongAll();
  await room.publish({ text: 'x'.repeat(20_000) });
  await settle();
  expect(peer.parts).not.toEqual([]);
  expect(peer.all('event')).toHaveLength(2);
  expect(peer.received.at(-1)?.[0]).toBe('ping');
});

test('large events keep their order with small ones, and what is told of topics', async () => {
  const { peer, server } = await welcomed();
  peer.write(['subscribe', 1, 'rooms/1']);
  await settle();
  const room = server.topic('room', { roomId: '1' });
  for (const text of ['one', large, 'three', `${large}4`, 'five']) await room.publish({ text });
  peer.write(['unsubscribe', 'rooms/1'], ['subscribe', 2, 'rooms/1']);
  await settle();
  expect(peer.all('event')).toHaveLength(1);
  await peer.pongAll();
  expect(peer.all('event').map(([, , , { text }]) => text.length)).toEqual([3, LARGE, 5, LARGE + 1, 4]);
  expect(peer.received.filter(([name]) => ['event', 'subscribed'].includes(name)).at(-1)?.[0]).toBe('subscribed');
});

describe('a large call', () => {
  test('is taken where its last part stands: what overtook it was carried out', async () => {
    const { peer } = await welcomed();
    const parts = peer.writeParts(1, ['call', 1, 'echo', null, large]);
    for (const part of parts.slice(0, -1)) peer.writeText(part);
    peer.write(['call', 2, 'echo', null, 'small']);
    await settle();
    expect([peer.answers(1).length, peer.answers(2).length]).toEqual([0, 1]);
    peer.writeText(parts.at(-1)!);
    await peer.pongAll();
    expect(peer.answers(1)).toEqual([['reply', 1, large]]);
  });

  test('may be larger than a frame, up to limits.messageBytes: announced as larger it closes with 1009', async () => {
    const { peer } = await welcomed({ limits: { frameBytes: 20_000, messageBytes: 150_000 } });
    for (const part of peer.writeParts(1, ['call', 1, 'echo', null, large])) peer.writeText(part);
    await peer.pongAll();
    expect(peer.answers(1)).toHaveLength(1);
    peer.writeText(peer.writeParts(2, ['call', 2, 'echo', null, large + large])[0]!);
    expect(peer.closedWith).toEqual({ code: 1009, reason: 'a message of more than 150000 bytes' });
  });

  test('that is given up leaves nothing; its number may be used again', async () => {
    const { peer } = await welcomed();
    const parts = peer.writeParts(1, ['call', 1, 'echo', null, large]);
    for (const part of [...parts.slice(0, 3), '+1,0,', ...parts]) peer.writeText(part);
    await peer.pongAll();
    expect([peer.answers(1).length, peer.closedWith]).toEqual([1, undefined]);
  });
});

describe('4400 closes the socket of who writes', () => {
  const part = (s: number, left: number): string => `+${String(s)},${String(left)},${'['.repeat(300)}`;

  test.each([
    ['a part before hello', false, [part(1, 9)]],
    ['more than two frames at a time', true, [part(1, 9), part(2, 9), part(3, 9)]],
    ['a part that does not follow', true, [part(1, 900), part(1, 900)]],
    ['parts of a part', true, ['+1,0,+2,0,[["ping",1]]']],
    ['parts of what is no frame', true, ['+1,0,nothing']],
    ['parts of a second hello', true, [`+1,0,[["hello",{"client":"${'x'.repeat(22)}","n":2,"floor":[1]}]]`]],
    ['parts that nest too deep', true, [`+1,300,${'['.repeat(300)}`, `+1,0,${']'.repeat(300)}`]],
    ['crumbs', true, ['+1,9,[']],
  ])('%s', async (_, isWelcome, texts) => {
    const { server } = start();
    const peer = new PartsPeer(server);
    if (isWelcome) peer.hello(clientName(), 1, { features: ['parts'] });
    await settle();
    for (const text of texts) peer.writeText(text);
    expect(peer.closedWith?.code).toBe(4400);
  });

  test('but not of who leaves frames unfinished, or says nothing of parts', async () => {
    const { peer } = await welcomed({}, []);
    peer.writeText(part(1, 900)).writeText(part(2, 900));
    peer.write(['ping', 1]);
    await settle();
    expect([peer.all('pong').length, peer.closedWith]).toEqual([1, undefined]);
    peer.vanish(1006);
  });
});

describe('an answer whose sockets are lost', () => {
  /** A client that calls again on each socket, and answers so many rounds of pings on each. */
  async function lose(...rounds: number[]) {
    const { server, client, peer } = await welcomed();
    let socket = peer;
    for (const [n, count] of rounds.entries()) {
      if (n > 0) socket = new PartsPeer(server).hello(client, n + 1, { features: ['parts'] });
      await settle();
      socket.write(['call', 1, 'echo', null, large]);
      await settle();
      for (let round = 0; round < count; round++) await socket.pong();
      socket.vanish(1006);
    }
    const last = new PartsPeer(server).hello(client, rounds.length + 1, { features: ['parts'] });
    await settle();
    last.write(['call', 1, 'echo', null, large], ['call', 2, 'echo', null, 'small']);
    await last.pongAll();
    expect(last.answers(2)).toHaveLength(1);
    const [name, id, given] = last.answers(1)[0]!;
    return [name, id, given.code ?? given.length];
  }

  test('is sent again as often as that is at other parts of it', async () => {
    expect(await lose(0, 1, 2, 1, 2, 1, 0, 1)).toEqual(['reply', 1, LARGE]);
  });

  test.each([
    ['its first part', [0, 0, 0, 0, 0, 0]],
    ['the same part in the middle', [1, 1, 1, 1, 1, 1]],
  ])('is given up when that is at %s, again and again', async (_, rounds) => {
    expect(await lose(...rounds)).toEqual(['error', 1, 'TOO_LARGE']);
  });
});

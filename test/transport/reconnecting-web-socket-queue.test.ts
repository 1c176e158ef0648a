import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { opened, pass, thrown, watched } from './reconnecting-harness.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe('what is sent while connecting', () => {
  test('goes out in order when the socket opens, before what open listeners send', () => {
    const { socket, fake } = watched();
    socket.onopen = () => socket.send('from open');
    socket.send('first');
    socket.send('');
    socket.send('third');
    fake.last().open();
    socket.send('last');
    expect(fake.last().sent).toEqual(['first', '', 'third', 'from open', 'last']);
  });

  test('waits over attempts that fail, and over a loss', async () => {
    const { socket, fake, inner } = opened();
    inner.end(1001);
    socket.send('during the outage');
    await pass(1_000);
    fake.last().end(1006);
    socket.send('still');
    await pass(60_000);
    fake.last().open();
    expect(fake.last().sent).toEqual(['during the outage', 'still']);
    expect(fake.made.flatMap(({ sent }) => sent)).toHaveLength(2);
  });

  test('in the close event of a lost socket waits for the next one', async () => {
    const { socket, fake, inner } = opened();
    socket.onclose = () => socket.send('from close');
    inner.end(1001);
    await pass(1_000);
    fake.last().open();
    expect(fake.last().sent).toEqual(['from close']);
  });

  test('while the peer closes waits for the next one, and is not given to a socket that would drop it', async () => {
    const { socket, fake, inner } = opened();
    inner.readyState = 2;
    expect(socket.readyState).toBe(2);
    socket.send('late');
    inner.end(1001);
    await pass(1_000);
    fake.last().open();
    expect([inner.sent, fake.last().sent]).toEqual([[], ['late']]);
  });

  test('is not sent again when the socket that had it is lost', async () => {
    const { socket, fake, inner } = opened();
    socket.send('sent');
    inner.end(1001);
    await pass(1_000);
    fake.last().open();
    expect([inner.sent, fake.last().sent]).toEqual([['sent'], []]);
  });

  test('keeps its place where sockets close in the middle', async () => {
    const { socket, fake } = watched();
    for (const text of ['a', 'b', 'c']) socket.send(text);
    const first = fake.last();
    first.send = (data) => {
      first.sent.push(data);
      first.readyState = 2;
    };
    first.open();
    first.end(1001);
    await pass(60_000);
    fake.last().open();
    expect([first.sent, fake.last().sent]).toEqual([['a'], ['b', 'c']]);
  });

  test('is given up by close()', async () => {
    const { socket, fake } = watched();
    socket.send('four');
    socket.close();
    await pass(0);
    expect(fake.last().sent).toEqual([]);
    expect(socket.bufferedAmount).toBe(4);
  });
});

test('what the engine refuses when its turn comes is reported, and the rest goes on', () => {
  const { socket, fake, told, errors } = watched();
  for (const text of ['a', 'b']) socket.send(text);
  const inner = fake.last();
  const send = inner.send.bind(inner);
  inner.send = (data) => {
    if (data === 'a') throw new TypeError('unsupported');
    send(data);
  };
  inner.open();
  expect([inner.sent, told, errors]).toEqual([['b'], ['open 1'], [new TypeError('unsupported')]]);
});

describe('binary data', () => {
  test('that waits is copied by send()', () => {
    const { socket, fake } = watched();
    const bytes = new Uint8Array([0, 1, 2, 3, 4]);
    socket.send(bytes.buffer);
    socket.send(bytes.subarray(1, 3));
    socket.send(new DataView(bytes.buffer, 4));
    bytes.fill(9);
    fake.last().open();
    const sent = fake.last().sent.map((data: unknown) => [...new Uint8Array(data as ArrayBuffer)]);
    expect(sent).toEqual([[0, 1, 2, 3, 4], [1, 2], [4]]);
  });

  test('of all kinds and text keep their order', () => {
    const { socket, fake } = watched();
    const [blob, file] = [new Blob(['blob']), new File(['file'], 'name')];
    for (const data of [blob, 'text', file, new Uint8Array(1)]) socket.send(data);
    fake.last().open();
    expect(fake.last().sent).toEqual([blob, 'text', file, new Uint8Array(1)]);
  });

  test('on shared memory is a TypeError, waiting or not', () => {
    const view = new Uint8Array(new SharedArrayBuffer(1));
    expect(thrown(() => watched().socket.send(view))).toBe('TypeError');
    expect(thrown(() => opened().socket.send(view))).toBe('TypeError');
  });
});

describe('what is no binary data', () => {
  test('is text by Web IDL, read when send() is called', () => {
    const { socket, fake } = watched();
    const changing = { text: 'before', toString: () => changing.text };
    for (const data of [changing, null, undefined, 7, new SharedArrayBuffer(1)]) socket.send(data as never);
    changing.text = 'after';
    fake.last().open();
    expect(fake.last().sent).toEqual(['before', 'null', 'undefined', '7', '[object SharedArrayBuffer]']);
  });

  test('is a TypeError when it is a symbol or missing', () => {
    for (const { socket } of [watched(), opened()]) {
      expect(thrown(() => socket.send(Symbol('text') as never))).toBe('TypeError');
      expect(thrown(() => (socket as unknown as { send(): void }).send())).toBe('TypeError');
    }
  });
});

describe('bufferedAmount', () => {
  test('counts bytes of UTF-8, buffers, views and Blobs that wait, and those of the socket', () => {
    const { socket, fake } = watched();
    const amounts = ['aä€😀', '\ud800', new ArrayBuffer(5), new Uint16Array(3), new Blob(['1234567'])].map((data) => {
      const before = socket.bufferedAmount;
      socket.send(data);
      return socket.bufferedAmount - before;
    });
    expect(amounts).toEqual([10, 3, 5, 6, 7]);
    fake.last().bufferedAmount = 100;
    expect(socket.bufferedAmount).toBe(131);
    fake.last().open();
    expect(socket.bufferedAmount).toBe(100);
  });

  test('is 0 where the engine tells none', () => {
    const { socket, inner } = opened();
    Object.assign(inner, { bufferedAmount: undefined });
    expect(socket.bufferedAmount).toBe(0);
  });

  test('counts what is sent after close(), which goes nowhere', () => {
    const { socket, inner } = opened();
    socket.close();
    socket.send('1234');
    inner.end(1000);
    socket.send('ä');
    expect(socket.bufferedAmount).toBe(6);
    expect(inner.sent).toEqual([]);
  });

  test('no longer counts what a lost socket had not sent once it has a successor', async () => {
    const { socket, inner } = opened();
    inner.bufferedAmount = 50;
    inner.end(1001);
    expect(socket.bufferedAmount).toBe(50);
    await pass(1_000);
    expect(socket.bufferedAmount).toBe(0);
  });
});

describe('the bounds of the queue', () => {
  test.each([
    [{ maxMessages: 2 }, ['a', 'b'], 'c'],
    [{ maxBytes: 5 }, ['aa', 'bb'], 'cc'],
  ])('%j refuse with QuotaExceededError, and what is in stays', (queue, fitting, excess) => {
    const { socket, fake } = watched({ queue });
    for (const text of fitting) socket.send(text);
    expect(thrown(() => socket.send(excess))).toBe('DOMException QuotaExceededError');
    fake.last().open();
    socket.send(excess);
    expect(fake.last().sent).toEqual([...fitting, excess]);
  });

  test('are 10 000 messages where none are given', () => {
    const { socket } = watched({ queue: { maxMessages: undefined } });
    for (let n = 0; n < 10_000; n++) socket.send('x');
    expect(thrown(() => socket.send('x'))).toBe('DOMException QuotaExceededError');
  });
});

describe('without a queue', () => {
  test('send() throws while connecting, as the standard has it, also between two sockets', () => {
    const { socket, fake } = watched({ queue: false });
    expect(thrown(() => socket.send('early'))).toBe('DOMException InvalidStateError');
    fake.last().open();
    socket.send('in time');
    fake.last().end(1001);
    expect(thrown(() => socket.send('late'))).toBe('DOMException InvalidStateError');
    expect(fake.last().sent).toEqual(['in time']);
    expect(socket.bufferedAmount).toBe(0);
  });

  test('send() drops and counts while the peer closes', () => {
    const { socket, inner } = opened({ queue: false });
    inner.readyState = 2;
    socket.send('1234');
    expect(socket.bufferedAmount).toBe(4);
  });
});

test('with reopen: false nothing waits once the only socket is closing', () => {
  const { socket, inner } = opened({ reopen: false, queue: { maxMessages: 1 } });
  inner.readyState = 2;
  socket.send('12');
  socket.send('34');
  expect(socket.bufferedAmount).toBe(4);
});

import { connect } from '../../client/connect.ts';
import { createClient } from '../../client/create-client.ts';
import { defineContract } from '../../contract/contract.ts';
import { mutation } from '../../contract/procedure.ts';
import { createServer } from '../../server/create-server.ts';
import { READY_STATE, type WebSocketConstructor } from '../../transport/web-socket-like.ts';
import { FAST } from '../mock/mock-engine.ts';
import { Log } from './log.ts';
import type { TestServer } from './test-server.ts';
import type { WatchedSocket } from './watched-socket.ts';

/** What a case is run on. */
export interface SocketWorld {
  readonly server: TestServer;
  readonly WebSocket: WebSocketConstructor;
  readonly url: string;
  /** Makes a socket. */
  readonly open: (protocols?: string[]) => WatchedSocket;
  /** Fails the test, and says of what, unless both are alike. */
  readonly same: (what: string, got: unknown, expected: unknown) => void;
}

type Case = (world: SocketWorld) => Promise<void>;

/** Another socket has been asked and answered: what the first were to be told has come. */
async function aRoundTripLater({ open }: SocketWorld): Promise<void> {
  const other = open();
  await other.log.until(1);
  other.send('round trip');
  await other.log.until(2);
  other.close(1000, '');
  await other.log.until(3);
}

const opening: Case = async ({ open, same }) => {
  const socket = open(['one', 'two']);
  same('readyState at first', socket.socket.readyState, READY_STATE.CONNECTING);
  await socket.log.until(1);
  same('what it tells', [socket.log.entries, socket.states], [['open'], [READY_STATE.OPEN]]);
  same('its protocol', socket.socket.protocol, 'one');
};

const early: Case = async ({ open, server, same }) => {
  const socket = open();
  let thrown = false;
  try {
    socket.send('early');
  } catch {
    thrown = true;
  }
  same('whether it throws', thrown, true);
  await socket.log.until(1);
  socket.send('in time');
  await socket.log.until(2);
  same('what the server hears', server.log.entries, ['message in time']);
};

const messages: Case = async ({ open, server, same }) => {
  const texts = ['', ' \n', 'ёжик 🦔 \u2028', 'x'.repeat(100_000), ...Array.from({ length: 100 }, (_, n) => `${n}`)];
  const socket = open();
  await socket.log.until(1);
  for (const text of texts) socket.send(text);
  await socket.log.until(1 + texts.length);
  const expected = texts.map((text) => `message ${text}`);
  same('what the server hears', server.log.entries, expected);
  same('what it says back', socket.log.entries.slice(1), expected);
};

const atOnce: Case = async ({ open, server, same }) => {
  const { serve } = server;
  server.serve = (peer) => {
    peer.send('at once');
    return serve(peer);
  };
  const socket = open();
  await socket.log.until(2);
  same('what it tells', socket.log.entries, ['open', 'message at once']);
};

const notWithin: Case = async ({ open, same }) => {
  const socket = open();
  await socket.log.until(1);
  socket.send('a');
  socket.send('b');
  await socket.log.until(3);
  socket.close(1000, '');
  await socket.log.until(4);
  same('what comes while a function of the socket runs', socket.within, []);
};

const handlers: Case = async (world) => {
  const { open, server, same } = world;
  const { socket, log } = open();
  await log.until(1);
  const another = new Log();
  socket.onmessage = ({ data }: { readonly data: string }) => another.add(data);
  socket.send('a');
  await another.until(1);
  // So the transport leaves a socket.
  socket.onopen = socket.onmessage = socket.onclose = null;
  server.peer.send('b');
  socket.close(1000, '');
  await server.log.until(2);
  await aRoundTripLater(world);
  same('what the handler hears that was put in the place of the first', another.entries, ['a']);
  same('what the first ones hear', log.entries, ['open']);
};

const closedByServer: Case = async (world) => {
  const { open, server, same } = world;
  const socket = open();
  await socket.log.until(1);
  server.peer.send('last');
  server.peer.close(4001, 'тише');
  await socket.log.until(3);
  await server.log.until(1);
  await aRoundTripLater(world);
  same('what it tells', socket.log.entries, ['open', 'message last', 'close 4001 тише']);
  same('readyState when it is closed', socket.states[2], READY_STATE.CLOSED);
};

const closed: Case = async (world) => {
  const { open, server, same } = world;
  const socket = open();
  await socket.log.until(1);
  socket.send('last');
  socket.close(3001, 'bye');
  const { readyState } = socket.socket;
  same('readyState, at least', Math.max(readyState, READY_STATE.CLOSING), readyState);
  socket.send('late');
  socket.close(3002, 'again');
  await server.log.until(2);
  await aRoundTripLater(world);
  same('what the server is told', server.log.entries.slice(0, 2), ['message last', 'closed 3001']);
  same('what comes late', server.log.entries.indexOf('message late'), -1);
  same(
    'what it tells of its close',
    socket.log.entries.filter((entry) => entry.startsWith('close')),
    ['close 3001 bye'],
  );
};

const givenUp: Case = async (world) => {
  const { open, same } = world;
  const socket = open();
  socket.close(1000, '');
  await socket.log.until(1);
  await aRoundTripLater(world);
  // Its readyState may not say so: that of Node's stays CLOSING.
  same('what it tells', socket.log.entries, ['close 1006 ']);
};

const refused: Case = async (world) => {
  const { open, server, same } = world;
  server.refuses = true;
  const socket = open();
  await socket.log.until(1);
  server.refuses = false;
  await aRoundTripLater(world);
  same('what it tells', [socket.log.entries, socket.states], [['close 1006 '], [READY_STATE.CLOSED]]);
};

const cut: Case = async (world) => {
  const { open, server, same } = world;
  const socket = open();
  await socket.log.until(1);
  server.peer.cut();
  await socket.log.until(2);
  await aRoundTripLater(world);
  same('what it tells', socket.log.entries, ['open', 'close 1006 ']);
  // It does nothing any more.
  socket.send('late');
  socket.close(1000, '');
  same('readyState', socket.socket.readyState, READY_STATE.CLOSED);
};

const buffered: Case = async ({ open, same }) => {
  const { socket, log } = open();
  await log.until(1);
  socket.send('x'.repeat(100_000));
  await log.until(2);
  same('bufferedAmount when all has come back', socket.bufferedAmount ?? 0, 0);
};

const terminated: Case = async ({ open, server, same }) => {
  const { socket, log } = open();
  await log.until(1);
  if (socket.terminate === undefined) return same('what it has', 'terminate' in socket, false);
  socket.terminate();
  await Promise.all([log.until(2), server.log.until(1)]);
  same('what both are told', [log.entries, server.log.entries], [['open', 'close 1006 '], ['closed 1006']]);
};

const apart: Case = async ({ open, same }) => {
  const [one, other] = [open(), open()];
  await Promise.all([one.log.until(1), other.log.until(1)]);
  one.send('one');
  other.send('other');
  await Promise.all([one.log.until(2), other.log.until(2)]);
  one.close(1000, '');
  await one.log.until(3);
  other.send('still');
  await other.log.until(3);
  same('what one tells', one.log.entries, ['open', 'message one', 'close 1000 ']);
  same('what the other tells', other.log.entries, ['open', 'message other', 'message still']);
};

const client: Case = async ({ server, WebSocket, url, same }) => {
  const contract = defineContract({ count: mutation({}) });
  let counted = 0;
  const engine = createServer(contract, {
    handlers: {
      count: () => {
        counted++;
      },
    },
  });
  server.serve = (peer) => {
    const handler = engine.accept(peer);
    return { message: (text) => handler.message(text), closed: (code) => handler.closed(code) };
  };
  const connection = connect(url, { WebSocket, lifecycle: false, ...FAST });
  try {
    const api = createClient(contract, connection);
    await api.count();
    server.peer.cut();
    await api.count();
    same('how many calls came', counted, 2);
  } finally {
    await connection.close();
    await engine.close();
  }
};

/** What the transport relies on, by what it is called. */
export const SOCKET_CASES: Readonly<Record<string, Case>> = {
  'it is connecting, then open, with the first subprotocol that was asked for': opening,
  'to send before it is open is an error, and nothing of it arrives': early,
  'messages arrive once, in order, both ways, with the text that they had': messages,
  'a message that the server sends at once comes after the opening': atOnce,
  'nothing is told while one of its functions runs': notWithin,
  'a handler that was taken away hears no more, and another in its place does': handlers,
  'a close of the server is told once, with its code and reason, after all that it sent': closedByServer,
  'what was sent before a close arrives, and what comes after it is dropped without a word': closed,
  'one that is closed before it is open never opens: 1006': givenUp,
  'one that the server refuses never opens: 1006': refused,
  'a line that breaks is told once: 1006': cut,
  'nothing is buffered when all has arrived, where it tells': buffered,
  'terminate ends it without an answer, where there is such a thing': terminated,
  'two sockets are two lines': apart,
  'a client calls over it, loses its line and is back': client,
};

/* Many listeners of one topic, as light as can be, in a process of their own. */
import { randomBytes } from 'node:crypto';
import { WebSocket } from 'ws';
import { answerParent, childArgument } from '../answer-parent.ts';

/** What it can be asked to do. */
export type SocketOperations = typeof operations;

/** Sockets that are opened at a time. */
const AT_ONCE = 50;

childArgument();
let heard = 0;
let wanted = 0;
let hasHeard = (): void => undefined;

function hear(): void {
  if (++heard === wanted) hasHeard();
}

/** Resolves when it is subscribed. */
function open(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, 'tautline.v1', { perMessageDeflate: false });
    const say = (...messages: readonly unknown[]): void => socket.send(JSON.stringify(messages));
    socket.on('error', reject);
    socket.on('close', (code) => reject(new Error(`a socket was closed with ${code}`)));
    socket.on('open', () => {
      const client = randomBytes(17).toString('base64url');
      say(['hello', { client, n: 1, floor: [1], codec: 'json' }], ['subscribe', 1, 'orders']);
    });
    socket.on('message', (data) => {
      for (const [name, n] of JSON.parse((data as Buffer).toString()) as ReadonlyArray<[string, unknown]>) {
        if (name === 'event') hear();
        else if (name === 'subscribed') resolve();
        else if (name === 'ping') say(['pong', n]);
      }
    });
  });
}

const operations = {
  /** Resolves when all are subscribed. */
  connect: async ({ port, count }: { readonly port: number; readonly count: number }) => {
    let left = count;
    const openSome = async (): Promise<void> => {
      while (left-- > 0) await open(port);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, openSome));
  },
  /** So many more events are expected, by all of them together. */
  expect: async (count: number) => {
    wanted = heard + count;
  },
  /** Resolves when those have come. */
  heard: async () => {
    if (heard < wanted) await new Promise<void>((resolve) => (hasHeard = resolve));
  },
};
answerParent(operations);

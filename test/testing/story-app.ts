import { z } from 'zod';
import { connect, createClient, defineContract, mutation, topic } from '../../src/index.ts';
import type { ConnectionStatus, ConnectOptions } from '../../src/index.ts';

/* The app of the stories, and its server: they run in Node, and in a page. */

export const storyContract = defineContract({
  send: mutation({ input: z.string(), output: z.number() }),
  room: topic('room', { event: z.string(), snapshot: z.array(z.string()) }),
});

/** What the app shows. */
export interface Seen {
  /** Its statuses, in words. */
  readonly statuses: readonly string[];
  /** What became of each text that was sent, in the order of sending. */
  readonly answers: readonly string[];
  /** What was heard in the room. */
  readonly room: readonly string[];
  readonly queued: number;
}

export interface App {
  send(text: string): void;
  wake(): void;
  reconnect(): void;
  seen(): Seen;
  close(): Promise<void>;
}

/** Begins at most ten attempts a minute by itself, and comes back as soon as it may. */
const OPTIONS: ConnectOptions = {
  reconnect: { firstMs: 10, sharedFirstMs: 10, capMs: 10, stableAfterMs: 1, onClose: { 1012: { delayMs: 10 } } },
  lazy: false,
};

/** Joins the room at once. */
export function startApp(url: string, options: ConnectOptions = {}): App {
  const connection = connect(url, { ...OPTIONS, ...options });
  const client = createClient(storyContract, connection);
  const statuses: string[] = [];
  const answers: string[] = [];
  const room: string[] = [];
  connection.on('status', (status) => statuses.push(inWords(status)));
  client.room().subscribe({
    snapshot: (texts) => room.push(`joined: ${texts.join()}`),
    event: (text) => room.push(text),
    gap: () => room.push('gap'),
  });
  return {
    send(text) {
      const at = answers.push('pending') - 1;
      void client
        .send(text)
        .safe()
        .then(({ ok, data, error }) => (answers[at] = ok ? `ok ${data}` : `${error.code}, ${error.outcome}`));
    },
    wake: () => connection.wake(),
    reconnect: () => connection.reconnect(),
    seen: () => ({ statuses, answers, room, queued: connection.stats().queued.messages }),
    close: () => connection.close(),
  };
}

function inWords(status: ConnectionStatus): string {
  if (status.state === 'connected') return status.resumed ? 'connected, resumed' : 'connected';
  if (status.state !== 'waiting') return status.state;
  const { code, by, opened } = status.cause;
  return `waiting: ${code} by ${by}, ${opened ? 'was open' : 'never open'}`;
}

/** What happens at the server. */
export interface Chat {
  /** What was said, as it was heard there. */
  said(): readonly string[];
  /** Texts that are worked at: those that begin with `slow`, until they are released. */
  atWork(): number;
  release(): void;
}

/** Handlers of the server; `publish` is the door's. */
export function chat(publish: (text: string) => Promise<unknown>) {
  const said: string[] = [];
  const held: Array<() => void> = [];
  const handlers = {
    send: async ({ input }: { input: string }) => {
      const count = said.push(input);
      if (input.startsWith('slow')) await new Promise<void>((release) => held.push(release));
      await publish(input);
      return count;
    },
    room: { authorize: () => true, snapshot: () => [...said] },
  };
  const shown: Chat = {
    said: () => said,
    atWork: () => held.length,
    release: () => held.splice(0).forEach((release) => release()),
  };
  return { handlers, chat: shown };
}

import { vi } from 'vitest';
import type { CloseCause, ConnectionStatus, Link, LinkUser, Transport } from '../../src/transport/transport.ts';
import type { TransportOptions } from '../../src/transport/transport-options.ts';
import { createWebSocketTransport } from '../helpers/create-transport.ts';
import type { FakeWebSocket, FakeWebSockets } from '../helpers/fake-web-socket.ts';
import { fakeWebSockets } from '../helpers/fake-web-socket.ts';

/** What the layer above was told, in order. */
export type Told =
  | readonly ['opened', token: string | undefined]
  | readonly ['frame', text: string]
  | readonly ['binary']
  | readonly ['probe']
  | readonly ['silent']
  | readonly ['lost', cause: CloseCause]
  | readonly ['move failed', cause: CloseCause]
  | readonly ['status', status: ConnectionStatus];

export interface Harness {
  readonly transport: Transport;
  readonly fake: FakeWebSockets;
  readonly told: Told[];
  readonly errors: unknown[];
  /** Every link that was opened. */
  readonly links: Link[];
  /** Bytes that the layer above says are not answered. */
  unanswered: number;
  /** What was told, as short words: `connecting`, `opened`, `lost 1006`. */
  words(): string[];
  /** Ends the current macrotask. */
  settle(): Promise<void>;
  /** From idle to a socket that waits for its open. */
  dial(): Promise<FakeWebSocket>;
  /** From idle to connected. */
  connect(heartbeatMs?: number): Promise<FakeWebSocket>;
  /** Opens and welcomes the newest socket. */
  welcome(heartbeatMs?: number): FakeWebSocket;
}

/** A transport on fake sockets whose user records; `react` runs inside every callback. Needs fake timers. */
export function harness(
  options: Partial<TransportOptions> = {},
  react: (told: Told, transport: Transport, link?: Link) => void = () => {},
  fake: FakeWebSockets = fakeWebSockets(),
): Harness {
  const told: Told[] = [];
  const errors: unknown[] = [];
  const links: Link[] = [];
  const tell = (entry: Told, link?: Link) => {
    told.push(entry);
    react(entry, transport, link);
  };
  const user: LinkUser = {
    opened(link, token) {
      links.push(link);
      tell(['opened', token], link);
    },
    frame: (link, text) => tell(['frame', text], link),
    binary: (link) => tell(['binary'], link),
    probe: (link) => tell(['probe'], link),
    silent: (link) => tell(['silent'], link),
    unanswered: () => bench.unanswered,
    lost: (link, cause) => tell(['lost', cause], link),
    moveFailed: (cause) => tell(['move failed', cause]),
    entered: (status) => tell(['status', status]),
  };
  const transport = createWebSocketTransport(user, {
    url: 'ws://server.test/line',
    WebSocket: fake.WebSocket,
    random: () => 0,
    onError: (error) => errors.push(error),
    ...options,
  });
  const settle = async () => {
    await vi.advanceTimersByTimeAsync(0);
  };
  const welcome = (heartbeatMs = 20_000) => {
    fake.last().open();
    links.at(-1)?.welcomed({ heartbeatMs, resumed: false });
    return fake.last();
  };
  const dial = async () => {
    transport.connect();
    await settle();
    return fake.last();
  };
  const connect = async (heartbeatMs?: number) => {
    await dial();
    return welcome(heartbeatMs);
  };
  const words = () => told.map(word);
  const bench: Harness = { transport, fake, told, errors, links, unanswered: 0, words, settle, dial, connect, welcome };
  return bench;
}

function word([what, detail]: Told): string {
  if (what === 'status') return detail.state;
  return what === 'lost' ? `lost ${detail.code}` : what;
}

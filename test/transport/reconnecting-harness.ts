import { vi } from 'vitest';
import { ReconnectingWebSocket } from '../../src/transport/web-socket/reconnecting-web-socket.ts';
import type {
  ProtocolsOption,
  ReconnectingWebSocketOptions,
} from '../../src/transport/web-socket/reconnecting-web-socket-options.ts';
import type { UrlOption } from '../../src/transport/transport-options.ts';
import type { ReconnectingEvent } from '../../src/transport/web-socket/web-socket-events.ts';
import type { FakeWebSocket, FakeWebSockets } from '../helpers/fake-web-socket.ts';
import { fakeWebSockets } from '../helpers/fake-web-socket.ts';

export const url = 'ws://server.test/line';

export interface Watched {
  readonly socket: ReconnectingWebSocket;
  readonly fake: FakeWebSockets;
  /** Events with the state that was seen in them: `open 1`, `close 3 1006`, `reconnecting 0`. */
  readonly told: string[];
  readonly reconnecting: ReconnectingEvent[];
  readonly errors: unknown[];
}

export interface Construction extends ReconnectingWebSocketOptions {
  readonly fake?: FakeWebSockets;
  /** First argument. */
  readonly at?: UrlOption;
  /** Second argument. */
  readonly asks?: ProtocolsOption | undefined;
}

/** A socket on fakes, and what it tells. Needs fake timers. */
export function watched({ fake = fakeWebSockets(), at = url, asks, ...options }: Construction = {}): Watched {
  const errors: unknown[] = [];
  const given = {
    WebSocket: fake.WebSocket,
    random: () => 0,
    onError: (error: unknown) => errors.push(error),
    ...options,
  };
  const socket = new ReconnectingWebSocket(at, asks, given);
  const told: string[] = [];
  const reconnecting: ReconnectingEvent[] = [];
  for (const type of ['open', 'error'] as const) {
    socket.addEventListener(type, () => told.push(`${type} ${socket.readyState}`));
  }
  socket.addEventListener('message', ({ data }) => told.push(`message ${data}`));
  socket.addEventListener('close', ({ code, wasClean }) => {
    told.push(`close ${socket.readyState} ${code}${wasClean ? ' clean' : ''}`);
  });
  socket.addEventListener('reconnecting', (event) => {
    told.push(`reconnecting ${socket.readyState}`);
    reconnecting.push(event);
  });
  return { socket, fake, told, reconnecting, errors };
}

/** One that is open. */
export function opened(construction: Construction = {}): Watched & { readonly inner: FakeWebSocket } {
  const all = watched(construction);
  const inner = all.fake.last();
  inner.open();
  return { ...all, inner };
}

/** Lets time pass, promises settled. */
export async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

/** What it throws, as name and class. */
export function thrown(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return error instanceof DOMException ? `DOMException ${error.name}` : (error as Error).name;
  }
  return 'nothing';
}

/* Runs in the page. Tests read `window.transport`; where they can't reach in, the page reports by fetch. */
import { connect, createClient, type ConnectionStatus, type ConnectOptions, type UrlRequest } from '../../src/index.ts';
import { ReconnectingWebSocket } from '../../src/websocket.ts';
import { contract } from './transport-page-contract.ts';

/** What a test asks of the page, as JSON in its query. */
export interface Settings {
  /** Where to connect, one for each attempt; the last one for all that follow. `/ws` where there is none. */
  readonly urls?: readonly string[];
  readonly options?: ConnectOptions;
  /** Every delay is the longest of its window. */
  readonly longDelays?: boolean;
  /** When to report by fetch: with every event after a return, or always. */
  readonly report?: 'restored' | 'always';
}

/** What the page saw so far. */
export interface Seen {
  readonly statuses: ConnectionStatus[];
  /** Keys whose calls were answered, in this order. */
  readonly answers: string[];
  /** Errors of calls and of the connection. */
  readonly errors: string[];
  /** `pageshow` with `persisted`. */
  restored: number;
  visibility: string;
  /** Times between the last ticks of a timer of 50 ms, ms; from the last change of visibility. */
  gaps: number[];
}

/** What the page gives to tests. */
export interface TransportPage {
  readonly seen: Seen;
  call(key: string): void;
  close(): Promise<void>;
  /** What a {@link ReconnectingWebSocket} told, over a cut. */
  echo(): Promise<readonly string[]>;
}

const settings = JSON.parse(new URLSearchParams(location.search).get('settings') ?? '{}') as Settings;
const { urls = ['/ws'] } = settings;
const seen: Seen = {
  statuses: [],
  answers: [],
  errors: [],
  restored: 0,
  visibility: document.visibilityState,
  gaps: [],
};

const connection = connect(
  urls.length === 1 ? urls[0]! : ({ attempt }: UrlRequest) => urls[attempt - 1] ?? urls.at(-1)!,
  { ...settings.options, ...(settings.longDelays === true ? { random: () => 0.999 } : {}) },
);
const client = createClient(contract, connection);

function report(): void {
  if (settings.report === 'always' || (settings.report === 'restored' && seen.restored > 0)) {
    // What a page that is left was about to report comes from its successor.
    fetch('/report', { method: 'POST', body: JSON.stringify(seen) }).catch(() => undefined);
  }
}

function note(status: ConnectionStatus): void {
  // An error is no JSON: its text is what tests look at.
  const cause = 'cause' in status ? { cause: { ...status.cause, error: String(status.cause.error) } } : {};
  seen.statuses.push({ ...status, ...cause });
  report();
}

function call(key: string): void {
  void client.run({ key }).then(
    () => {
      seen.answers.push(key);
      report();
    },
    (error: unknown) => seen.errors.push(String(error)),
  );
}

/** Sends as soon as its socket is lost, and is done when that came back as an echo. */
function echo(): Promise<readonly string[]> {
  const told: string[] = [];
  const socket = new ReconnectingWebSocket('/echo', [], { reconnect: { firstMs: 10, sharedFirstMs: 10 } });
  return new Promise((resolve) => {
    socket.addEventListener('open', () => {
      told.push('open');
      if (told.length === 1) socket.send('cut me');
    });
    socket.addEventListener('close', ({ code }) => {
      told.push(`close ${code}`);
      if (code === 1006) socket.send('queued');
      else resolve(told);
    });
    socket.addEventListener('message', ({ data }) => {
      told.push(String(data));
      socket.close(1000);
    });
  });
}

note(connection.status);
connection.on('status', note);
connection.on('error', (error) => seen.errors.push(String(error)));
addEventListener('pageshow', ({ persisted }) => {
  if (!persisted) return;
  seen.restored += 1;
  call('after the return');
});
document.addEventListener('visibilitychange', () => {
  seen.visibility = document.visibilityState;
  seen.gaps = [];
  report();
});
let last = performance.now();
setInterval(() => {
  const now = performance.now();
  seen.gaps = [...seen.gaps.slice(-3), now - last];
  last = now;
  if (document.visibilityState === 'hidden') report();
}, 50);

const page: TransportPage = { seen, call, close: () => connection.close(), echo };
Object.assign(globalThis, { transport: page });

import { backoffWindow, drawDelay } from '../../../primitives/backoff.ts';
import {
  borrow,
  type PostgresClient,
  type PostgresListenClient,
  type PostgresPool,
  type PostgresResult,
} from './postgres-port.ts';

/** A client, and how to let go of it. */
export interface OpenLine {
  readonly client: PostgresClient;
  end(): void;
}

/** What a {@link ListenLine} is made with. */
export interface ListenLineOptions {
  readonly open: () => Promise<OpenLine>;
  /** Runs on each new line, before it counts as one. */
  readonly begin: (client: PostgresClient) => Promise<unknown>;
  /** Hears each notification. */
  readonly told: (payload: string) => void;
  /** It has come or gone. */
  readonly changed: () => void;
  /** It could not be made, or was lost. */
  readonly failed: (error: unknown) => void;
}

/** A line is made anew after so long at first, at last, ms. */
const [AGAIN_MS, AT_MOST_MS] = [50, 2000];

/** The one line on which notifications come. When it is lost, another one is made. */
export class ListenLine {
  readonly #options: ListenLineOptions;
  #line: OpenLine | undefined;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor(options: ListenLineOptions) {
    this.#options = options;
  }

  get isUp(): boolean {
    return this.#line !== undefined;
  }

  /** Makes it. */
  start(): void {
    this.#open().catch((error: unknown) => {
      if (this.#isClosed) return;
      this.#options.failed(error);
      const delayMs = drawDelay(backoffWindow(this.#failures++, AGAIN_MS, AT_MOST_MS, AGAIN_MS), Math.random);
      this.#timer = setTimeout(() => this.start(), delayMs);
      // It keeps no process alive, where there are processes.
      (this.#timer as Partial<{ unref(): void }>).unref?.();
    });
  }

  /** Runs a statement on it. Rejects where it is away. */
  query(text: string, values: unknown[]): Promise<PostgresResult> {
    return this.#line?.client.query(text, values) ?? Promise.reject(new Error('the line for notifications is lost'));
  }

  /** It brings nothing: it is ended, and made anew. */
  drop(error: unknown): void {
    if (this.#line !== undefined) this.#lost(this.#line, error);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#line?.end();
    this.#line = undefined;
  }

  async #open(): Promise<void> {
    const { open, begin, told, changed } = this.#options;
    const line = await open();
    let lost: Error | undefined;
    const onLost = (error: Error): void => {
      lost ??= error;
      this.#lost(line, error);
    };
    line.client.on('error', onLost);
    line.client.on('end', () => onLost(new Error('the line for notifications has ended')));
    line.client.on('notification', ({ payload = '' }) => {
      if (line === this.#line) told(payload);
    });
    try {
      await begin(line.client);
      if (lost !== undefined) throw lost;
    } catch (error) {
      line.end();
      throw error;
    }
    if (this.#isClosed) return line.end();
    this.#line = line;
    this.#failures = 0;
    changed();
  }

  #lost(line: OpenLine, error: unknown): void {
    if (line !== this.#line) return;
    this.#line = undefined;
    line.end();
    this.#options.failed(error);
    this.#options.changed();
    this.start();
  }
}

/** Makes lines of clients of the app's, or of its pool. */
export function lineOpener(
  pool: PostgresPool,
  listen: (() => PostgresListenClient) | undefined,
): () => Promise<OpenLine> {
  if (listen === undefined) {
    return async () => {
      const client = await borrow(pool);
      return { client, end: once(() => client.release(true)) };
    };
  }
  return async () => {
    const client = listen();
    // One that fails to connect may tell it twice.
    client.on('error', () => undefined);
    await client.connect();
    return { client, end: once(() => void client.end().catch(() => undefined)) };
  };
}

function once(run: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) run();
    isDone = true;
  };
}

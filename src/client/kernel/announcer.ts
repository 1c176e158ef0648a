import { createNanoEvents } from 'nanoevents';
import { emitIsolated } from '../../primitives/emit.ts';
import type { ConnectionStatus } from '../../transport/transport.ts';
import type { ConnectionEvents } from './connection.ts';
import type { HappeningName } from './happening.ts';

/** Tells the app what happens to a connection. No listener can break anything. */
export class Announcer {
  readonly #emitter = createNanoEvents<ConnectionEvents>();
  readonly #note: (what: HappeningName, about: object) => void;
  /** Statuses to tell; the first is being told. */
  readonly #statuses: ConnectionStatus[] = [];

  /** @param note - Keeps a record of what is told, where somebody does. */
  constructor(note: (what: HappeningName, about: object) => void) {
    this.#note = note;
  }

  /** Listens until the function it returns is called. */
  on<Name extends keyof ConnectionEvents>(event: Name, listener: ConnectionEvents[Name]): () => void {
    // One of its own for each: a listener that is there twice is told twice, and each takes back its own.
    const own = ((about: never) => (listener as (about: never) => void)(about)) as ConnectionEvents[Name];
    return this.#emitter.on(event, own);
  }

  emit<Name extends keyof ConnectionEvents>(event: Name, ...args: Parameters<ConnectionEvents[Name]>): void {
    // Of a happening it is not noted: a listener that throws would be told of that, and throw again.
    emitIsolated(this.#emitter, event, args, event === 'happening' ? this.tellError : this.report);
  }

  /**
   * Notes and tells a status. One that follows from a listener comes after all have heard this: the last one heard is
   * true.
   */
  entered(status: ConnectionStatus): void {
    this.#statuses.push(status);
    if (this.#statuses.length > 1) return;
    for (let next = this.#statuses[0]; next !== undefined; next = this.#statuses[0]) {
      this.#note('status', next);
      this.emit('status', next);
      this.#statuses.shift();
    }
  }

  /** Reports what no caller waits for. */
  readonly report = (error: unknown): void => {
    this.#note('error', { error });
    this.tellError(error);
  };

  /** The same, without a note of it. */
  readonly tellError = (error: unknown): void => {
    if ((this.#emitter.events.error?.length ?? 0) > 0) emitIsolated(this.#emitter, 'error', [error], logError);
    else logError(error);
  };
}

function logError(error: unknown): void {
  const { reportError } = globalThis as { reportError?: (error: unknown) => void };
  if (reportError !== undefined) reportError(error);
  // eslint-disable-next-line no-console -- the last resort, where the platform has no reportError
  else console.error(error);
}

import { KeyedQueue } from '../../topics/keyed-queue.ts';
import type { PostgresConnection } from './postgres-connection.ts';

/** A pool has several lines: what is asked about one thing waits for what was asked about it before. */
export class Turns {
  readonly #connection: PostgresConnection;
  readonly #queues = new KeyedQueue();

  constructor(connection: PostgresConnection) {
    this.#connection = connection;
  }

  /** Runs a task after those of this key; one whose time is over before does not run at all. */
  run<T>(key: string, task: () => Promise<T>): Promise<T> {
    let end!: () => void;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const coming = new Promise<void>((go) => {
      this.#queues.run(key, () => {
        go();
        return ended;
      });
    });
    return this.#connection.turn(coming).then(task).finally(end);
  }
}

import type { AnySchema } from '../../contract/schema.ts';
import { DEVELOPMENT } from '../../development.ts';
import { TautlineError, isTautlineError } from '../../errors.ts';
import type { Codec } from '../../payload.ts';
import { SerialQueue } from '../../primitives/serial-queue.ts';
import type { Position } from '../../protocol/messages.ts';
import { readPayload } from '../requests/read-payload.ts';

/** Who gets what was read, or why there is nothing. */
export interface PayloadTaker {
  take(value: unknown, position: Position): void;
  refuse(error: TautlineError, position: Position): void;
}

/** Reads what comes for one topic, and keeps snapshots, events and gaps in order where a schema is asynchronous. */
export abstract class TopicReader {
  /** Length of what is being delivered, as a message. */
  size = 0;
  readonly #path: string;
  readonly #codec: Codec;
  /** There since a schema was asynchronous. */
  #deliveries: SerialQueue | undefined = undefined;
  /** Counts what {@link forget} ended. */
  #generation = 0;

  constructor(path: string, codec: Codec) {
    this.#path = path;
    this.#codec = codec;
  }

  /** What waits or is being read is not delivered any more. */
  protected forget(): void {
    this.#generation++;
  }

  /** Runs a task behind all that is being read. */
  protected deliver(task: () => void): void {
    if (this.#deliveries === undefined) {
      task();
      return;
    }
    const generation = this.#generation;
    this.#deliveries.run(() => {
      if (generation === this.#generation) task();
    });
  }

  /** Reads the payload at a position behind all that is being read; at once, and without a trace, where nothing is. */
  protected read(
    schema: AnySchema | undefined,
    json: unknown,
    meta: unknown,
    isVetted: boolean,
    position: Position,
    size: number,
    taker: PayloadTaker,
  ): void {
    if (this.#deliveries?.isIdle === false) {
      this.#follow(() => this.#value(schema, json, meta, isVetted), position, size, taker);
      return;
    }
    this.size = size;
    let value: unknown;
    try {
      value = this.#value(schema, json, meta, isVetted);
    } catch (error) {
      taker.refuse(this.#failure(error), position);
      return;
    }
    if (value instanceof Promise) this.#follow(() => value, position, size, taker);
    else taker.take(value, position);
  }

  #follow(read: () => unknown, position: Position, size: number, taker: PayloadTaker): void {
    const generation = this.#generation;
    this.#deliveries ??= new SerialQueue();
    this.#deliveries.run(async () => {
      try {
        const value = await read();
        this.size = size;
        if (generation === this.#generation) taker.take(value, position);
      } catch (error) {
        if (generation === this.#generation) taker.refuse(this.#failure(error), position);
      }
    });
  }

  #value(schema: AnySchema | undefined, json: unknown, meta: unknown, isVetted: boolean): unknown {
    return readPayload(this.#codec, schema, this.#path, json, meta, isVetted);
  }

  #failure(error: unknown): TautlineError {
    if (isTautlineError(error)) return error;
    const what = DEVELOPMENT && `${this.#path}: unreadable.`;
    return new TautlineError('BAD_OUTPUT', what, { outcome: 'unknown', cause: error });
  }
}

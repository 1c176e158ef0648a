import type { AnySchema } from '../../contract/schema.ts';
import { DEVELOPMENT } from '../../development.ts';
import { TautlineError, isTautlineError } from '../../errors.ts';
import type { Codec } from '../../payload.ts';
import { SerialQueue } from '../../primitives/serial-queue.ts';
import { readPayload } from '../kernel/read-payload.ts';

/** Payload slots as they came. */
export interface Slots {
  readonly json: unknown;
  readonly meta: unknown;
  readonly isVetted: boolean;
}

/** Reads what comes for one topic, and keeps snapshots, events and gaps in order where a schema is asynchronous. */
export class TopicReader {
  readonly #path: string;
  readonly #codec: Codec;
  /** There since a schema was asynchronous. */
  #deliveries: SerialQueue | undefined;
  /** Counts what {@link forget} ended. */
  #generation = 0;

  constructor(path: string, codec: Codec) {
    this.#path = path;
    this.#codec = codec;
  }

  /** Nothing is being read: what comes now is delivered at once. */
  get isIdle(): boolean {
    return this.#deliveries?.isIdle !== false;
  }

  /** What waits or is being read is not delivered any more. */
  forget(): void {
    this.#generation++;
  }

  /** Runs a task behind all that is being read. */
  deliver(task: () => void): void {
    if (this.#deliveries === undefined) {
      task();
      return;
    }
    const generation = this.#generation;
    this.#deliveries.run(() => {
      if (generation === this.#generation) task();
    });
  }

  /** The value, or a promise of it. @throws TautlineError when it can't be read */
  value(schema: AnySchema | undefined, json: unknown, meta: unknown, isVetted: boolean): unknown {
    return readPayload(this.#codec, schema, this.#path, json, meta, isVetted);
  }

  /** Reads a payload behind all that is being read, unless that has begun, and hands its value on, or why there is none. */
  read(
    schema: AnySchema | undefined,
    given: Slots | Promise<unknown>,
    take: (value: unknown) => void,
    refuse: (error: TautlineError) => void,
  ): void {
    const generation = this.#generation;
    const ifStill =
      <Value>(tell: (value: Value) => void) =>
      (value: Value): void => {
        if (generation === this.#generation) tell(value);
      };
    const failed = ifStill((error: unknown) => refuse(this.failure(error)));
    this.#deliveries ??= new SerialQueue();
    this.#deliveries.run(() => {
      try {
        const value = given instanceof Promise ? given : this.value(schema, given.json, given.meta, given.isVetted);
        if (value instanceof Promise) return value.then(ifStill(take)).catch(failed);
        ifStill(take)(value);
      } catch (error) {
        failed(error);
      }
      return undefined;
    });
  }

  /** Why a payload could not be read. */
  failure(error: unknown): TautlineError {
    if (isTautlineError(error)) return error;
    const what = DEVELOPMENT && `${this.#path}: unreadable.`;
    return new TautlineError('BAD_OUTPUT', what, { outcome: 'unknown', cause: error });
  }
}

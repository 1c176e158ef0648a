import type { ContractTopic } from '../contract/contract.ts';
import type { AnySchema } from '../contract/schema.ts';
import { TautlineError, isTautlineError } from '../errors.ts';
import type { Codec } from '../payload.ts';
import { SerialQueue } from '../primitives/serial-queue.ts';
import { readPayload } from './payload-reader.ts';

/** Reads what comes for one topic, and keeps snapshots, events and gaps in order where a schema is asynchronous. */
export class TopicReader {
  readonly #topic: ContractTopic;
  readonly #codec: Codec;
  readonly #deliveries = new SerialQueue();
  /** Counts what {@link forget} ended. */
  #generation = 0;

  constructor(topic: ContractTopic, codec: Codec) {
    this.#topic = topic;
    this.#codec = codec;
  }

  /** What waits or is being read is not delivered any more. */
  forget(): void {
    this.#generation++;
  }

  /** Runs a task behind all that is being read. */
  deliver(task: () => void): void {
    const generation = this.#generation;
    this.#deliveries.run(() => {
      if (generation === this.#generation) task();
    });
  }

  /** Reads a payload behind all that is being read, and hands its value on, or why there is none. */
  read(
    schema: AnySchema | undefined,
    json: unknown,
    meta: unknown,
    take: (value: unknown) => void,
    refuse: (error: TautlineError) => void,
  ): void {
    const { path } = this.#topic;
    const failed = (error: unknown): void => {
      refuse(
        isTautlineError(error)
          ? error
          : new TautlineError('BAD_OUTPUT', `${path}: unreadable.`, { outcome: 'unknown', cause: error }),
      );
    };
    const generation = this.#generation;
    const ifStill =
      <Value>(tell: (value: Value) => void) =>
      (value: Value): void => {
        if (generation === this.#generation) tell(value);
      };
    this.#deliveries.run(() => {
      try {
        const value = readPayload(this.#codec, schema, path, json, meta);
        if (value instanceof Promise) return value.then(ifStill(take)).catch(ifStill(failed));
        ifStill(take)(value);
      } catch (error) {
        ifStill(failed)(error);
      }
      return undefined;
    });
  }
}

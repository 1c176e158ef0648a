import type { TautlineError } from '../../src/index.ts';

/** What a reader has got. */
export interface Reading<Item> {
  readonly items: Item[];
  readonly done: boolean;
  readonly error: TautlineError | undefined;
  /** Settles when it is over, however. */
  readonly over: Promise<void>;
}

/** Reads to the end, and tells how it ended. */
export function read<Item>(iterable: AsyncIterable<Item>): Reading<Item> {
  const reading = { items: [] as Item[], done: false, error: undefined as TautlineError | undefined };
  const run = async (): Promise<void> => {
    try {
      for await (const item of iterable) reading.items.push(item);
      reading.done = true;
    } catch (error) {
      reading.error = error as TautlineError;
    }
  };
  return Object.assign(reading, { over: run() });
}

/** Asks for so many items. */
export async function take<Item>(iterator: AsyncIterator<Item>, count: number): Promise<Item[]> {
  const taken: Item[] = [];
  while (taken.length < count) taken.push(((await iterator.next()) as IteratorYieldResult<Item>).value);
  return taken;
}

/** Messages of items with these numbers, each with its number as value. */
export function items(id: number, from: number, to: number): unknown[][] {
  return Array.from({ length: to - from + 1 }, (_, at) => ['item', id, from + at, from + at]);
}

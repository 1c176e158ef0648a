import { isThenable } from '../app/now-or-later.ts';
import type { ServerStream } from './server-stream.ts';

/** What {@link drawItems} works with. */
export interface ItemSource {
  /** What the handler gave. */
  readonly source: unknown;
  readonly stream: ServerStream;
  /** Takes an item; it must neither throw nor reject. */
  readonly each: (value: unknown) => void | Promise<void>;
  /** Gets what ending the source early threw. */
  readonly failed: (error: unknown) => void;
}

/**
 * Draws items from a source one by one, no faster than there is room for them. When nobody wants them any more it ends
 * the source, at once even while that works at an item. Settles when the source is done, or has ended, whatever it still
 * works at; rejects with what it throws.
 */
export async function drawItems({ source, stream, each, failed }: ItemSource): Promise<void> {
  const iterator = iteratorOf(source);
  let isDone = false;
  let hasEnded = false;
  let ending: Promise<void> | undefined;
  return new Promise((resolve, reject) => {
    stream.call.onEnd(() => {
      if (isDone) return;
      ending = end(iterator, failed).then(() => {
        hasEnded = true;
        resolve();
      });
    });
    const done = async (fault?: { readonly error: unknown }): Promise<void> => {
      isDone = true;
      await ending;
      if (fault === undefined) resolve();
      else if (hasEnded) failed(fault.error);
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- it is what the app threw
      else reject(fault.error);
    };
    drawAll(iterator, stream, each).then(
      () => done(),
      (error: unknown) => done({ error }),
    );
  });
}

async function drawAll(
  iterator: AsyncIterator<unknown, unknown>,
  stream: ServerStream,
  each: ItemSource['each'],
): Promise<void> {
  // Not at once: who opens a stream and cancels it in one breath has nothing begun.
  let goesOn = await stream.room();
  while (goesOn) {
    const { done, value } = await iterator.next();
    if (done === true) return;
    const taking = each(value);
    if (taking !== undefined) await taking;
    const room = stream.room();
    goesOn = isThenable(room) ? await room : room;
  }
}

function iteratorOf(source: unknown): AsyncIterator<unknown, unknown> {
  if (
    typeof (source as Partial<AsyncIterable<unknown, unknown>> | null | undefined)?.[Symbol.asyncIterator] !==
    'function'
  ) {
    throw new TypeError('the handler of a stream must give an AsyncIterable: write it as async function*');
  }
  return (source as AsyncIterable<unknown, unknown>)[Symbol.asyncIterator]();
}

/** Never rejects. */
async function end(iterator: AsyncIterator<unknown, unknown>, failed: (error: unknown) => void): Promise<void> {
  try {
    const returned: unknown = iterator.return?.();
    if (isThenable(returned)) await returned;
  } catch (error) {
    failed(error);
  }
}

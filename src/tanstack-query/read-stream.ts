import type { QueryFunctionContext } from '@tanstack/query-core';

/** How the items of a stream become data. */
export interface StreamRun {
  readonly reducer: (data: unknown, item: unknown) => unknown;
  readonly initialValue: unknown;
}

/**
 * Reads a stream into its entry of the cache, which is a success from the start and grows with each item. Where it is
 * cancelled, TanStack Query goes back to what was there before: no half of a stream stays.
 */
export async function readStream(
  { client, queryKey, signal }: QueryFunctionContext,
  items: AsyncIterable<unknown>,
  { reducer, initialValue }: StreamRun,
): Promise<unknown> {
  const query = client.getQueryCache().find({ queryKey, exact: true });
  let data = initialValue;
  const show = (): void => {
    if (signal.aborted) return;
    // Not `setQueryData`: a cancelled stream would come back as far as it was written.
    query?.setState({ data, dataUpdatedAt: Date.now(), status: 'success', error: null });
  };
  show();
  for await (const item of items) {
    data = reducer(data, item);
    show();
  }
  return data;
}

import type { Query } from '@tanstack/query-core';

/** Keeps one entry of a cache up to date from a topic. */
export interface Feed {
  /** Name of the topic. */
  readonly name: string;
  /** A fetch has put its answer into the entry. */
  fetched(): void;
  /** Ends it. */
  stop(): void;
}

/** The topic of an entry has ended with this. A fetch that is under way tells by itself. */
export function failEntry(query: Query, error: Error, data: unknown): void {
  if (query.state.fetchStatus !== 'idle') return;
  const { errorUpdateCount } = query.state;
  query.setState({
    data,
    error,
    status: 'error',
    errorUpdatedAt: Date.now(),
    errorUpdateCount: errorUpdateCount + 1,
    isInvalidated: true,
  });
}

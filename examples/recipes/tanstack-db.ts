import type { SyncConfig } from '@tanstack/db';
import type { Subscription, TopicListeners } from 'tautline';

/** What an event changes. */
export type RowChange<Row, Key> =
  { readonly type: 'upsert'; readonly value: Row } | { readonly type: 'delete'; readonly key: Key };

/** A topic whose snapshot is a list of rows. */
interface RowTopic<Row, Event> {
  subscribe(listeners: TopicListeners<Event, readonly Row[]>): Subscription;
}

/**
 * The `sync` of a collection of TanStack DB: the rows of a topic. A gap brings a snapshot, so that what was missed is there
 * too; a refusal is the collection's error.
 */
export function topicSync<Row extends object, Key extends string | number, Event>(
  topic: RowTopic<Row, Event>,
  changesOf: (event: Event) => readonly RowChange<Row, Key>[],
): SyncConfig<Row, Key> {
  return {
    sync: ({ begin, write, commit, truncate, markReady, markError, collection }) => {
      /** Rows that the server has told of, whatever the page has made of them meanwhile. */
      const known = new Set<Key>();
      const put = (value: Row): void => {
        const key = collection.config.getKey(value);
        write({ type: known.has(key) ? 'update' : 'insert', value });
        known.add(key);
      };
      const subscription = topic.subscribe({
        snapshot: (rows) => {
          begin();
          truncate();
          known.clear();
          rows.forEach(put);
          void commit();
          markReady();
        },
        event: (event) => {
          begin();
          for (const change of changesOf(event)) {
            if (change.type === 'upsert') put(change.value);
            else if (known.delete(change.key)) write(change);
          }
          void commit();
        },
        status: (state, error) => {
          if (state === 'ended' && error !== undefined) markError(error);
        },
      });
      return () => subscription.unsubscribe();
    },
  };
}

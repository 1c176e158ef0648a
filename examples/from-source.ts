/*
 * Lets the examples import `tautline` by its name, as your app does, and get the sources next door.
 * Your app installs the package and needs none of this.
 */
import { registerHooks } from 'node:module';

const ENTRIES = {
  tautline: 'index.ts',
  'tautline/react': 'react/index.ts',
  'tautline/tanstack-query': 'tanstack-query/index.ts',
  'tautline/superjson': 'superjson.ts',
  'tautline/server': 'server/index.ts',
  'tautline/server/node': 'server/node.ts',
  'tautline/server/redis': 'server/redis.ts',
};

/** Where each entry of the package comes from, as file URLs. */
export const sources: ReadonlyMap<string, string> = new Map(
  Object.entries(ENTRIES).map(([entry, file]) => [entry, new URL(`../src/${file}`, import.meta.url).href]),
);

registerHooks({
  resolve: (specifier, context, next) => next(sources.get(specifier) ?? specifier, context),
});

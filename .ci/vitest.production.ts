import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/*
 * `npm run test:production`: tests against the package that was built, in production: without its checks and sentences,
 * and with short names inside. The tests are as they are written: a name that they must know is one that must stay.
 */

const root = fileURLToPath(new URL('../', import.meta.url));

/** Entries whose names differ. */
const ENTRIES: Readonly<Record<string, string>> = { 'server/index': 'server', 'testing/index': 'testing' };

/** The file of the build that was made of a file of src, and is imported by a test in its place. */
const production: Plugin = {
  name: 'production',
  enforce: 'pre',
  load: (id) => (id === `${root}src/development.ts` ? 'export const DEVELOPMENT = false;' : undefined),
  async resolveId(source, importer, options) {
    const resolved = await this.resolve(source, importer, { ...options, skipSelf: true });
    const [, name] =
      /^(.*)\.ts$/.exec(resolved?.id.startsWith(`${root}src/`) ? resolved.id.slice(root.length + 4) : '') ?? [];
    if (name === undefined) return resolved;
    const built = `${root}dist/${ENTRIES[name] ?? name}.js`;
    return existsSync(built) ? built : resolved;
  },
};

export default defineConfig({
  root,
  // Examples import `tautline`, which is then src, and so the build.
  resolve: { tsconfigPaths: true },
  plugins: [production],
  test: {
    name: 'production',
    include: [
      '.ci/*.test.ts',
      'test/{client,codec,integration,react,server,simulation,tanstack-query,testing}/**/*.test.ts',
      'test/recipes/{node,happy-dom,jsdom}.test.ts',
    ],
    // Not what looks at the inside of the client, at checks of options, which production leaves out, starts processes of
    // the sources, or looks at figures.
    exclude: [
      'test/client/connect-options.test.ts',
      'test/client/many-connections.test.ts',
      'test/client/round-trip.test.ts',
      'test/simulation/mutations.test.ts',
      'test/integration/{exits,scale}.test.ts',
    ],
    // Some of the worlds: all of them are for the sources.
    env: { SIMULATION_SEED: '0', SIMULATION_WORLDS: '30' },
    testTimeout: 60_000,
    expect: { poll: { timeout: 60_000 } },
    pool: 'threads',
    maxWorkers: availableParallelism() + 1,
    restoreMocks: true,
    unstubGlobals: true,
  },
});

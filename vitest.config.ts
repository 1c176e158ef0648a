import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** A project for each: a machine may lack some. */
const BROWSERS = {
  browser: 'test/browser/!(transport-*).test.ts',
  firefox: 'test/browser/transport-firefox.test.ts',
  webkit: 'test/browser/transport-webkit.test.ts',
};

/** The folder of its packages: see its package.json. */
const REACT_18 = `${import.meta.dirname}/test/react/react-18/node_modules`;

export default defineConfig({
  // Examples import `tautline`, which is then src.
  resolve: { tsconfigPaths: true },
  test: {
    // Nothing retries and nothing is skipped: see test/support/run.ts for what a machine may lack.
    allowOnly: false,
    retry: 0,
    restoreMocks: true,
    unstubGlobals: true,
    // Each file has a thread of its own, which starts in less time than a process.
    pool: 'threads',
    // One more than there are cores, where vitest would leave one: many wait for Redis, PostgreSQL and slow lines.
    maxWorkers: availableParallelism() + 1,
    // A busy machine is no failure: who waits for something waits until the test has no time left.
    expect: { poll: { timeout: 60_000 } },
    coverage: { provider: 'v8', include: ['src/**'] },
    projects: [
      {
        extends: true,
        // The time limit ends what hangs; nothing is measured by it.
        test: {
          name: 'node',
          include: ['test/**/*.test.ts'],
          exclude: ['test/browser/**', 'test/redis/**', 'test/postgres/**', 'test/haproxy/**'],
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        // The hooks once more, with the oldest React that they are for.
        resolve: { alias: { react: `${REACT_18}/react`, 'react-dom': `${REACT_18}/react-dom` } },
        test: {
          name: 'react-18',
          include: ['test/react/*.test.ts'],
          testTimeout: 15_000,
          // What is not taken along would have the other React.
          server: { deps: { inline: [/@tanstack\/react-query/] } },
        },
      },
      {
        extends: true,
        test: { name: 'redis', include: ['test/redis/**/*.test.ts'], testTimeout: 120_000 },
      },
      {
        extends: true,
        test: { name: 'postgres', include: ['test/postgres/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 60_000 },
      },
      {
        extends: true,
        test: { name: 'haproxy', include: ['test/haproxy/**/*.test.ts'], testTimeout: 120_000 },
      },
      // Driven from Node. They mostly wait, for lines that die and servers that come back: three at a time, on any machine.
      ...Object.entries(BROWSERS).map(([name, include]) => ({
        extends: true as const,
        test: {
          name,
          include: [include],
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      })),
    ],
  },
});

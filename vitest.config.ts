import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Nothing retries and nothing is skipped: see test/support/run.ts for what a machine may lack.
    allowOnly: false,
    retry: 0,
    restoreMocks: true,
    unstubGlobals: true,
    coverage: { provider: 'v8', include: ['src/**'] },
    projects: [
      {
        extends: true,
        // The time limit ends what hangs; nothing is measured by it.
        test: { name: 'node', include: ['test/**/*.test.ts'], exclude: ['test/browser/**'], testTimeout: 15_000 },
      },
      {
        extends: true,
        // Driven from Node through playwright, one file after another and when the others are done.
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});

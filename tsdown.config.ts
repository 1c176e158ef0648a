import { writeFile } from 'node:fs/promises';
import { defineConfig, type UserConfig } from 'tsdown';
import { mangle } from './.ci/mangle.ts';
import { oneFile } from './.ci/one-file.ts';

/** What both builds share: a file a module, so that all entries of one build share the class of errors. */
const common: UserConfig = {
  entry: {
    index: 'src/index.ts',
    core: 'src/core.ts',
    superjson: 'src/superjson.ts',
    websocket: 'src/websocket.ts',
    webview: 'src/webview.ts',
    server: 'src/server/index.ts',
    'server/node': 'src/server/node.ts',
    'server/crossws': 'src/server/crossws.ts',
    'server/postgres': 'src/server/postgres.ts',
    'server/redis': 'src/server/redis.ts',
    'react/index': 'src/react/index.ts',
    'react/suspense': 'src/react/suspense.ts',
    'tanstack-query/index': 'src/tanstack-query/index.ts',
    testing: 'src/testing/index.ts',
    'testing/broker': 'src/testing/broker.ts',
    'testing/playwright': 'src/testing/playwright.ts',
    'testing/faults': 'src/testing/faults.ts',
    'testing/msw': 'src/testing/msw.ts',
  },
  format: 'esm',
  unbundle: true,
  platform: 'neutral',
  target: 'es2022',
  sourcemap: true,
  // .js and .d.ts, as package.json names them.
  fixedExtension: false,
  // Dependencies and peers stay imports; what would be swept in from elsewhere fails the build.
  deps: { neverBundle: [/^node:/], onlyBundle: [] },
  failOnWarn: true,
  report: false,
  // They say how busy the machine is; and that 'use client' may be lost, which a test of the package looks at.
  checks: { bundlerTimings: false, moduleLevelDirective: false },
};

/**
 * Puts `false` for DEVELOPMENT, in each file before anything is linked: what hangs on it is then gone in time for its
 * imports to go, too.
 */
const production = {
  name: 'production',
  transform: {
    filter: { id: /\/src\/.*\.ts$/, code: 'DEVELOPMENT' },
    // The lines stay where they are, and with them the source map.
    handler: (code: string) => ({
      code: code.replace(/^import \{ DEVELOPMENT \} from '[./]*development\.ts';$/m, ''),
      map: null,
    }),
  },
};

export default defineConfig([
  {
    ...common,
    name: 'production',
    outDir: 'dist',
    dts: true,
    // `Symbol.dispose`, which a project of an older target has only from here.
    banner: { dts: '/// <reference lib="esnext.disposable" />' },
    // The page that errors point at.
    copy: ['examples/docs/errors.md'],
    plugins: [production],
    define: { DEVELOPMENT: 'false' },
    inputOptions: { optimization: { inlineConst: { mode: 'all' } } },
    hooks: {
      'build:done': async ({ options: { outDir } }) => {
        await mangle(import.meta.dirname, outDir);
        await writeFile(`${outDir}/tautline.global.min.js`, await oneFile(outDir, 'js', 'iife', true));
        await writeFile(`${outDir}/tautline.esm.min.js`, await oneFile(outDir, 'js', 'esm', true));
      },
    },
    publint: { strict: true },
    attw: { profile: 'esm-only', level: 'error' },
  },
  {
    ...common,
    name: 'development',
    outDir: 'dist/development',
    // The types are those of the other build.
    dts: false,
    // Left in their modules: a module whose constants are all put in place elsewhere would still be imported.
    inputOptions: { optimization: { inlineConst: false } },
    hooks: {
      'build:done': async ({ options: { outDir } }) => {
        await writeFile(`${outDir}/../tautline.global.js`, await oneFile(outDir, 'js', 'iife', false));
      },
    },
  },
]);

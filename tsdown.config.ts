import { defineConfig, type UserConfig } from 'tsdown';

/** What both builds share. The entries of one build share chunks: there is one class of an error in each. */
const common: UserConfig = {
  entry: {
    index: 'src/index.ts',
    superjson: 'src/superjson.ts',
    websocket: 'src/websocket.ts',
    server: 'src/server/index.ts',
    'server/node': 'src/server/node.ts',
    'server/crossws': 'src/server/crossws.ts',
    testing: 'src/testing/index.ts',
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
};

/** Puts `false` for DEVELOPMENT: what hangs on it is then never reached, and left out. */
const production = {
  name: 'production',
  load: {
    filter: { id: /\/src\/development\.ts$/ },
    handler: () => 'export const DEVELOPMENT = false;',
  },
};

export default defineConfig([
  {
    ...common,
    name: 'production',
    outDir: 'dist',
    dts: true,
    // The page that errors point at.
    copy: ['examples/docs/errors.md'],
    plugins: [production],
    inputOptions: { optimization: { inlineConst: { mode: 'all', pass: 3 } } },
    publint: { strict: true },
    attw: { profile: 'esm-only', level: 'error' },
  },
  {
    ...common,
    name: 'development',
    outDir: 'dist/development',
    // The types are those of the other build.
    dts: false,
  },
]);

import { defineConfig } from 'tsdown';

export default defineConfig({
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
  platform: 'neutral',
  target: 'es2022',
  dts: true,
  sourcemap: true,
  // .js and .d.ts, as package.json names them.
  fixedExtension: false,
  // Dependencies and peers stay imports; what would be swept in from elsewhere fails the build.
  deps: { neverBundle: [/^node:/], onlyBundle: [] },
  failOnWarn: true,
  publint: { strict: true },
  attw: { profile: 'esm-only', level: 'error' },
});

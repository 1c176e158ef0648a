import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import { runBuild, loadConfig } from 'metro';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

/* React Native's bundler finds the package, by its exports and as before React Native 0.79 without them. */

const root = fileURLToPath(new URL('../', import.meta.url));
const entries = ['core', 'react', 'react/suspense', 'websocket'];
const app = `
import * as tautline from 'tautline';
${entries.map((entry, at) => `import * as entry${String(at)} from 'tautline/${entry}';`).join('\n')}
globalThis.found = [tautline, ${entries.map((_, at) => `entry${String(at)}`).join(', ')}].map(Object.keys);
`;

let project: string;

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'tautline-metro-'));
  vi.stubEnv('TMPDIR', project); // where Metro keeps what it knows of files
  const modules = join(project, 'node_modules');
  for (const part of ['dist', 'package.json'])
    cpSync(join(root, part), join(modules, 'tautline', part), { recursive: true });
  for (const name of ['nanoevents', 'react', '@standard-schema/spec', 'metro-runtime', '@babel/runtime']) {
    cpSync(join(root, 'node_modules', name), join(modules, name), { recursive: true });
  }
  writeFileSync(join(project, 'index.js'), app);
});

afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(project, { recursive: true });
});

test.each([true, false])(
  'Metro bundles the client and its hooks; with package exports: %s',
  async (unstable_enablePackageExports) => {
    const config = await loadConfig(
      { cwd: project },
      {
        projectRoot: project,
        watchFolders: [join(root, 'node_modules/metro-runtime')],
        maxWorkers: 1,
        cacheStores: [],
        reporter: { update: () => undefined },
        resolver: { unstable_enablePackageExports, resolverMainFields: ['react-native', 'browser', 'main'] },
        transformer: {
          getTransformOptions: () =>
            Promise.resolve({ transform: { experimentalImportSupport: true, inlineRequires: false } }),
        },
      },
    );
    const { code } = await runBuild(config, { entry: 'index.js', dev: false, platform: 'ios' });
    const context = createContext({});
    runInContext(code, context);
    const found = context.found as string[][];
    expect(found).toHaveLength(entries.length + 1);
    for (const names of found) expect(names.length).toBeGreaterThan(0);
  },
);

/* `npm run size`: bundles what a page would load, each file of .ci/size alone, and holds it to .size-limit.json. */
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const root = fileURLToPath(new URL('../', import.meta.url));
const outDir = `${root}.reports/size`;

rmSync(outDir, { recursive: true, force: true });
for (const file of readdirSync(`${root}.ci/size`)) {
  await build({
    root,
    configFile: false,
    logLevel: 'warn',
    build: {
      outDir,
      emptyOutDir: false,
      target: ['safari16.4', 'chrome111'],
      minify: true,
      rolldownOptions: {
        input: `${root}.ci/size/${file}`,
        preserveEntrySignatures: 'strict',
        output: { entryFileNames: '[name].js', format: 'es' },
      },
    },
  });
}
const cli = fileURLToPath(new URL('bin.js', import.meta.resolve('size-limit/package.json')));
process.exitCode = spawnSync(process.execPath, [cli], { cwd: root, stdio: 'inherit' }).status ?? 1;

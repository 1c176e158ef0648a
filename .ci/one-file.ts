/* The client as one file, for pages without a bundler: `window.Tautline`, or a module. */
import { build } from 'esbuild';

const LICENSE = '/*! Tautline, MIT license. https://www.npmjs.com/package/tautline */';

/** @param folder - Of a build, whose files end with `js`, or of the sources, `ts`. */
export async function oneFile(
  folder: string,
  ending: 'js' | 'ts',
  format: 'iife' | 'esm',
  minify: boolean,
): Promise<string> {
  const entries = ['index', 'webview'].map((entry) => `export * from './${entry}.${ending}';`);
  const { outputFiles } = await build({
    stdin: { contents: entries.join('\n'), resolveDir: folder },
    bundle: true,
    format,
    minify,
    globalName: 'Tautline',
    target: 'es2022',
    banner: { js: LICENSE },
    // The paths of tsconfig.json are for tests.
    tsconfigRaw: '{}',
    write: false,
    logLevel: 'error',
  });
  return outputFiles[0]!.text;
}

/*
 * `npm run size`: what a page would load of the built package, in production, and its limits, .size-limit.json.
 * Each file of .ci/size is bundled alone and compressed with gzip.
 *   --folders, --files   also what each folder of src, or each file, has in it
 *   --set                makes what is reached now the limits
 * A limit is what was reached once: raise one only for something that is worth it, and say in the commit what that is.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, type Metafile } from 'esbuild';

const root = fileURLToPath(new URL('../', import.meta.url));
const limitsFile = `${root}.size-limit.json`;
/** What one scenario costs more than another has a limit of its own. */
const DIFFERENCES = [['superjson on top', 'everything-superjson', 'everything']] as const;
/** Limits are rounded up to this, in bytes. */
const STEP = 50;

interface Bundle {
  readonly gzip: number;
  readonly minified: number;
  /** Bytes in the minified bundle by input. */
  readonly inputs: Metafile['outputs'][string]['inputs'];
}

async function bundle(scenario: string): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    entryPoints: [`${root}.ci/size/${scenario}.ts`],
    absWorkingDir: root,
    bundle: true,
    minify: true,
    format: 'esm',
    target: ['safari16.4', 'chrome111'],
    write: false,
    metafile: true,
    // The paths of tsconfig.json lead to the sources; without them the package is found by its name, as in an app.
    tsconfigRaw: '{}',
  });
  const { contents } = outputFiles[0]!;
  const inputs = Object.values(metafile.outputs)[0]!.inputs;
  return { gzip: gzipSync(contents, { level: 9 }).length, minified: contents.length, inputs };
}

/** Where a file belongs: a folder of src, a file directly in it, or a package. */
function folderOf(input: string): string {
  const parts = /^dist\/(.*)$/.exec(input)?.[1]?.split('/') ?? /(?:^|\/)node_modules\/([^/]+)/.exec(input)?.slice(1);
  return parts?.[0] ?? 'the scenario';
}

/** A table of what is in a bundle; gzip is shared out by the minified bytes. */
function printParts({ gzip, minified, inputs }: Bundle, nameOf: (input: string) => string): void {
  const sums = new Map<string, number>();
  for (const [input, { bytesInOutput }] of Object.entries(inputs)) {
    sums.set(nameOf(input), (sums.get(nameOf(input)) ?? 0) + bytesInOutput);
  }
  for (const [name, bytes] of [...sums].sort(([, one], [, other]) => other - one)) {
    if (bytes > 0) console.log(`  ${name.padEnd(44)}${column(bytes)} min ${column((bytes / minified) * gzip)} gz`);
  }
}

function column(bytes: number): string {
  return String(Math.round(bytes)).padStart(7);
}

const reached = new Map<string, number>();
const scenarios = readdirSync(`${root}.ci/size`).map((file) => file.replace(/\.ts$/, ''));
for (const scenario of scenarios.sort()) {
  const made = await bundle(scenario);
  reached.set(scenario, made.gzip);
  console.log(`${scenario.padEnd(46)}${column(made.minified)} min ${column(made.gzip)} gz`);
  if (process.argv.includes('--folders')) printParts(made, folderOf);
  if (process.argv.includes('--files')) printParts(made, (input) => input);
}
const oneFile = readFileSync(`${root}dist/tautline.global.min.js`);
reached.set('one-file', gzipSync(oneFile, { level: 9 }).length);
console.log(`${'one-file'.padEnd(46)}${column(oneFile.length)} min ${column(reached.get('one-file')!)} gz`);
for (const [name, whole, part] of DIFFERENCES) reached.set(name, reached.get(whole)! - reached.get(part)!);

if (process.argv.includes('--set')) {
  const limits = [...reached].map(([name, bytes]) => [name, Math.ceil(bytes / STEP) * STEP] as const);
  writeFileSync(limitsFile, `${JSON.stringify(Object.fromEntries(limits), null, 2)}\n`);
}
const limits = JSON.parse(readFileSync(limitsFile, 'utf8')) as Readonly<Record<string, number>>;
for (const [name, bytes] of reached) {
  const limit = limits[name];
  if (limit !== undefined && bytes <= limit) continue;
  console.log(`✗ ${name} has ${bytes} bytes, ${limit === undefined ? 'and no limit' : `more than ${limit}`}`);
  process.exitCode = 1;
}

import { functionsOf, importsOf } from './source.ts';
import type { Files } from './source.ts';

/*
 * The rules of the folders, as pure functions over a map of files: each returns one line for each violation.
 * `test/architecture.test.ts` holds the repository to them, and each of them to a planted violation.
 */

/** Level of each folder of src, and of each file directly in it. Imports go down only. */
const LEVELS: Readonly<Record<string, number>> = {
  'development.ts': -1,
  'brand.ts': -1,
  'errors.ts': 0,
  'payload.ts': 0,
  contract: 1,
  protocol: 1,
  codec: 1,
  primitives: 1,
  transport: 2,
  client: 3,
  server: 3,
  react: 4,
  'tanstack-query': 4,
  testing: 4,
  'index.ts': 5,
  'core.ts': 5,
  'superjson.ts': 5,
  'webview.ts': 5,
  'websocket.ts': 5,
};

/** Where a package may be imported: a file, or a folder with a slash at its end. Others have no place in src. */
const PLACES: Readonly<Record<string, string>> = {
  nanoevents: 'src/',
  '@standard-schema/spec': 'src/',
  superjson: 'src/codec/superjson.ts',
  ws: 'src/server/adapters/load-ws.ts',
  msw: 'src/testing/mock-server.ts',
  react: 'src/react/',
  '@tanstack/query-core': 'src/tanstack-query/',
};

/** Where modules of Node may be imported. */
const NODE_PLACES = ['src/server/adapters/', 'src/testing/faults/'];

/** Files that are made for one runtime or one service, and the entries that may bring them in. */
const RUNTIME_ENTRIES: Readonly<Record<string, readonly string[]>> = {
  'src/server/adapters/': ['src/server/node.ts', 'src/server/crossws.ts'],
  'src/server/brokers/redis/': ['src/server/redis.ts'],
  'src/server/brokers/postgres/': ['src/server/postgres.ts'],
  'src/react/': ['src/react/index.ts', 'src/react/suspense.ts'],
  'src/tanstack-query/': ['src/tanstack-query/index.ts'],
  'src/testing/mock-server.ts': ['src/testing/msw.ts'],
  'src/testing/faults/': ['src/testing/faults.ts'],
};

/** What a client and a transport are made around: they import no capability, so that each can be left out. */
const KERNELS: readonly { readonly kernel: RegExp; readonly capabilities: RegExp }[] = [
  { kernel: /^src\/client\/(kernel|requests)\//, capabilities: /^src\/client\/(?!kernel\/|requests\/)/ },
  { kernel: /^src\/transport\/[^/]+$/, capabilities: /^src\/transport\/.+\// },
];

const MAX_FOLDER_FILES = 16;
const MAX_MEDIAN_LINES = 90;
const MAX_FILE_LINES = 300;
const MAX_FUNCTION_LINES = 60;
const MAX_TEST_FILE_LINES = 400;

/** Imports go down only; folders on one level never import each other; what is imported exists. */
export function checkLayers(files: Files): string[] {
  return eachImport(files, (path, { file, specifier }) => {
    if (file === undefined) return undefined;
    if (!file.startsWith('src/')) return `imports ${specifier}: src imports nothing from outside of it`;
    if (!files.has(file)) return `imports ${specifier}: there is no such file`;
    const [from, to] = [unitOf(path), unitOf(file)];
    const [fromLevel, toLevel] = [LEVELS[from], LEVELS[to]];
    if (fromLevel === undefined) return `is in no known layer: ${from}`;
    if (toLevel === undefined) return `imports ${specifier}, which is in no known layer: ${to}`;
    if (from === to || toLevel < fromLevel) return undefined;
    return `imports ${specifier}: ${from} is on level ${fromLevel}, ${to} on level ${toLevel}`;
  });
}

/** Each file of src belongs to a layer, also one that imports nothing. */
export function checkFolders(files: Files): string[] {
  const strangers = [...files.keys()].filter((path) => path.startsWith('src/') && LEVELS[unitOf(path)] === undefined);
  return strangers.map((path) => `${path} is in no known layer`);
}

/** The index of a folder is a door for users of the package: nothing inside goes through it. */
export function checkIndexes(files: Files): string[] {
  return eachImport(files, (_path, { file, specifier }) =>
    file !== undefined && /(^|\/)index\.tsx?$/.test(file)
      ? `imports ${specifier}: import the file that it is in`
      : undefined,
  );
}

/** What knows a runtime or a service is reached through its own entry only. */
export function checkRuntimes(files: Files): string[] {
  return eachImport(files, (path, { file, specifier }) => {
    for (const [place, entries] of Object.entries(RUNTIME_ENTRIES)) {
      if (file?.startsWith(place) && !path.startsWith(place) && !entries.includes(path)) {
        return `imports ${specifier}: only ${entries.join(' or ')} may`;
      }
    }
    return undefined;
  });
}

/** Each package is imported in its one place, and Node's modules by what is made for Node. */
export function checkPackages(files: Files): string[] {
  return eachImport(files, (path, { pkg, specifier }) => {
    if (pkg === undefined) return undefined;
    if (pkg.startsWith('node:') && NODE_PLACES.some((folder) => path.startsWith(folder))) return undefined;
    const place = Object.hasOwn(PLACES, pkg) ? PLACES[pkg] : undefined;
    if (place === undefined) return `imports ${specifier}: src knows no such package`;
    if (place.endsWith('/') ? path.startsWith(place) : path === place) return undefined;
    return `imports ${specifier}: its place is ${place}`;
  });
}

/** No file reaches itself through its imports, `import type` included. Names each cycle once. */
export function checkCycles(files: Files): string[] {
  const cycles = new Map<string, string>();
  const done = new Set<string>();
  const walk = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) {
      const cycle = trail.slice(start);
      cycles.set([...cycle].sort().join(), [...cycle, path].join(' -> '));
      return;
    }
    if (done.has(path)) return;
    for (const { file } of importsOf(path, files.get(path) ?? '')) {
      if (file !== undefined && files.has(file)) walk(file, [...trail, path]);
    }
    done.add(path);
  };
  for (const path of files.keys()) walk(path, []);
  return [...cycles.values()];
}

/** No file and no function that takes more than a sitting to read. */
export function checkLengths(files: Files): string[] {
  return [...files].flatMap(([path, text]) => {
    const isTest = path.startsWith('test/');
    const cap = isTest ? MAX_TEST_FILE_LINES : MAX_FILE_LINES;
    const lines = linesOf(text);
    const tooLong = lines > cap ? [`${path} has ${lines} lines, at most ${cap} are allowed`] : [];
    // The callback of a `describe` holds a whole suite.
    if (isTest) return tooLong;
    const functions = functionsOf(path, text).filter((found) => found.lines > MAX_FUNCTION_LINES);
    return tooLong.concat(
      functions.map(
        (found) =>
          `${path}:${found.line} ${found.name} has ${found.lines} lines, at most ${MAX_FUNCTION_LINES} are allowed`,
      ),
    );
  });
}

/** The kernel imports no capability. */
export function checkKernels(files: Files): string[] {
  return eachImport(files, (path, { file, specifier }) => {
    const found = KERNELS.some(({ kernel, capabilities }) => kernel.test(path) && capabilities.test(file ?? ''));
    return found ? `imports ${specifier}: a kernel imports no capability` : undefined;
  });
}

/** No folder that one has to search, and most files short. */
export function checkFolderSizes(files: Files): string[] {
  const counts = new Map<string, number>();
  for (const path of files.keys()) {
    const folder = path.slice(0, path.lastIndexOf('/'));
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  const full = [...counts].filter(([, count]) => count > MAX_FOLDER_FILES);
  return full.map(([folder, count]) => `${folder} has ${count} files, at most ${MAX_FOLDER_FILES} are allowed`);
}

/** Half of the files have at most so many lines. */
export function checkMedian(files: Files): string[] {
  const lengths = [...files.values()].map(linesOf).sort((one, other) => one - other);
  const median = lengths[lengths.length >> 1] ?? 0;
  return median > MAX_MEDIAN_LINES ? [`half of the files have ${median} lines or more, not ${MAX_MEDIAN_LINES}`] : [];
}

function linesOf(text: string): number {
  return text.replace(/\n$/, '').split('\n').length;
}

const TOP_LEVEL = new Set([
  'LICENSE',
  'README.md',
  'eslint.config.js',
  'examples',
  'package-lock.json',
  'package.json',
  'src',
  'test',
  'tsconfig.json',
  'tsdown.config.ts',
  'typedoc.json',
  'vitest.config.ts',
]);

/** The first thing that a newcomer sees is short. Dotfiles are not seen, generated files are in .gitignore. */
export function checkTopLevel(names: readonly string[], gitignore: string): string[] {
  const ignored = gitignore
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => new RegExp(`^${line.replace(/\/$/, '').replaceAll('.', '\\.').replaceAll('*', '.*')}$`));
  return names
    .filter((name) => !TOP_LEVEL.has(name) && !name.startsWith('.') && !ignored.some((pattern) => pattern.test(name)))
    .map((name) => `${name} has no place at the top level`);
}

function unitOf(path: string): string {
  return path.split('/')[1] ?? path;
}

function eachImport(
  files: Files,
  check: (path: string, found: ReturnType<typeof importsOf>[number]) => string | undefined,
): string[] {
  return [...files]
    .filter(([path]) => path.startsWith('src/'))
    .flatMap(([path, text]) =>
      importsOf(path, text).flatMap((found) => {
        const complaint = check(path, found);
        return complaint === undefined ? [] : [`${path}:${found.line} ${complaint}`];
      }),
    );
}

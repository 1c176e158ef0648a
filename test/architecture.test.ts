import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  checkCycles,
  checkFolders,
  checkFolderSizes,
  checkIndexes,
  checkKernels,
  checkLayers,
  checkLengths,
  checkMedian,
  checkPackages,
  checkRuntimes,
  checkTopLevel,
} from './support/architecture.ts';
import { functionsOf, importsOf, readFiles, root } from './support/source.ts';

const lines = (count: number) => 'x;\n'.repeat(count);

/** Checks files written down here: path to text. */
const planted = (check: (files: ReadonlyMap<string, string>) => string[], files: Record<string, string>) =>
  check(new Map(Object.entries(files)));

describe('the repository', () => {
  const src = readFiles('src');

  test('was read', () => {
    expect(src.size).toBeGreaterThan(20);
    expect(src.has('src/transport/transport.ts')).toBe(true);
  });

  test.each([
    ['imports go down only', checkLayers],
    ['each file is in a layer', checkFolders],
    ['nothing goes through an index', checkIndexes],
    ['only its entry reaches what knows a runtime', checkRuntimes],
    ['each package is imported in its one place', checkPackages],
    ['there are no cycles', checkCycles],
    ['a kernel imports no capability', checkKernels],
    ['folders are small', checkFolderSizes],
    ['most files are short', checkMedian],
  ])('%s', (_title, check) => {
    expect(check(src)).toEqual([]);
  });

  test('files and functions are short, in src, tests and examples', () => {
    expect(checkLengths(readFiles('src', 'test', 'examples', '.ci'))).toEqual([]);
  });

  test('the top level holds nothing that is not needed', () => {
    expect(checkTopLevel(readdirSync(root), readFileSync(join(root, '.gitignore'), 'utf8'))).toEqual([]);
  });
});

describe('a planted violation is found', () => {
  test('an import that goes up', () => {
    const files = { 'src/transport/a.ts': `import { b } from '../client/b.ts';`, 'src/client/b.ts': '' };
    expect(planted(checkLayers, files)).toEqual([
      'src/transport/a.ts:1 imports ../client/b.ts: transport is on level 2, client on level 3',
    ]);
  });

  test('an import of types alone that goes up, over several lines', () => {
    const files = { 'src/codec/a.ts': `\nimport type {\n  B,\n} from '../transport/b.ts';`, 'src/transport/b.ts': '' };
    expect(planted(checkLayers, files)).toEqual([
      'src/codec/a.ts:2 imports ../transport/b.ts: codec is on level 1, transport on level 2',
    ]);
  });

  test.each([
    ['client', 'server'],
    ['server', 'client'],
    ['contract', 'protocol'],
    ['primitives', 'codec'],
    ['testing', 'react'],
    ['errors.ts', 'payload.ts'],
  ])('an import between neighbours, %s and %s', (from, to) => {
    const pathOf = (unit: string) => (unit.endsWith('.ts') ? `src/${unit}` : `src/${unit}/a.ts`);
    const specifier = `${from.endsWith('.ts') ? './' : '../'}${pathOf(to).slice('src/'.length)}`;
    const files = { [pathOf(from)]: `export * from '${specifier}';`, [pathOf(to)]: '' };
    expect(planted(checkLayers, files)).toHaveLength(1);
  });

  test('an import of a type in place, and one at run time', () => {
    const text = `type B = import('../client/b.ts').B;\nconst c = await import('../client/b.ts');`;
    const files = { 'src/transport/a.ts': text, 'src/client/b.ts': '' };
    expect(planted(checkLayers, files)).toHaveLength(2);
  });

  test('an import from outside of src, and one of a file that is not there', () => {
    const text = `import '../../test/support/run.ts';\nimport './gone.ts';`;
    expect(planted(checkLayers, { 'src/client/a.ts': text })).toEqual([
      'src/client/a.ts:1 imports ../../test/support/run.ts: src imports nothing from outside of it',
      'src/client/a.ts:2 imports ./gone.ts: there is no such file',
    ]);
  });

  test('a folder that no layer knows', () => {
    expect(planted(checkFolders, { 'src/utils/a.ts': '', 'src/helpers.ts': '', 'src/client/a.ts': '' })).toEqual([
      'src/utils/a.ts is in no known layer',
      'src/helpers.ts is in no known layer',
    ]);
  });

  test('an import of an index', () => {
    const files = { 'src/testing/a.ts': `import { x } from '../server/index.ts';`, 'src/server/index.ts': '' };
    expect(planted(checkIndexes, files)).toEqual([
      'src/testing/a.ts:1 imports ../server/index.ts: import the file that it is in',
    ]);
  });

  test('an adapter that the engine imports', () => {
    const text = `import { x } from './adapters/node.ts';`;
    const files = { 'src/server/server.ts': text, 'src/server/node.ts': text, 'src/server/adapters/node.ts': '' };
    expect(planted(checkRuntimes, files)).toEqual([
      'src/server/server.ts:1 imports ./adapters/node.ts: only src/server/node.ts or src/server/crossws.ts may',
    ]);
  });

  test('an entry that brings React in for others', () => {
    const text = `export { x } from './react/x.ts';`;
    expect(planted(checkRuntimes, { 'src/index.ts': text, 'src/react/x.ts': '' })).toEqual([
      'src/index.ts:1 imports ./react/x.ts: only src/react/index.ts or src/react/suspense.ts may',
    ]);
  });

  test('an entry that brings msw in for others', () => {
    const text = `export { x } from './mock-server.ts';`;
    expect(planted(checkRuntimes, { 'src/testing/index.ts': text, 'src/testing/mock-server.ts': '' })).toEqual([
      'src/testing/index.ts:1 imports ./mock-server.ts: only src/testing/msw.ts may',
    ]);
  });

  test.each([
    ['superjson', 'src/codec/json.ts'],
    ['ws', 'src/transport/socket.ts'],
    ['redis', 'src/server/brokers/memory.ts'],
    ['msw/core', 'src/testing/connected-pair.ts'],
    ['react', 'src/client/store.ts'],
    ['@tanstack/query-core', 'src/client/store.ts'],
    ['zod', 'src/contract/schema.ts'],
    ['node:fs', 'src/server/server.ts'],
    ['left-pad', 'src/client/a.ts'],
    ['constructor', 'src/client/a.ts'],
  ])('%s imported by %s', (specifier, path) => {
    expect(planted(checkPackages, { [path]: `import type { X } from '${specifier}';` })).toHaveLength(1);
    expect(planted(checkPackages, { [path]: `const x = process.getBuiltinModule('${specifier}');` })).toHaveLength(1);
  });

  test('a package whose name is computed', () => {
    expect(planted(checkPackages, { 'src/client/a.ts': 'await import(name);' })).toHaveLength(1);
  });

  test.each([
    ['superjson', 'src/codec/superjson.ts'],
    ['ws', 'src/server/adapters/load-ws.ts'],
    ['node:http', 'src/server/adapters/node.ts'],
    ['@tanstack/query-core', 'src/tanstack-query/query-utils.ts'],
    ['nanoevents', 'src/client/connection.ts'],
  ])('but not %s imported by %s', (specifier, path) => {
    expect(planted(checkPackages, { [path]: `import { x } from '${specifier}';` })).toEqual([]);
  });

  test('a cycle, also one of types alone', () => {
    const files = {
      'src/client/a.ts': `import { b } from './b.ts';`,
      'src/client/b.ts': `import type { C } from './c.ts';`,
      'src/client/c.ts': `export type { A } from './a.ts';`,
      'src/client/d.ts': `import { a } from './a.ts';`,
    };
    expect(planted(checkCycles, files)).toEqual([
      'src/client/a.ts -> src/client/b.ts -> src/client/c.ts -> src/client/a.ts',
    ]);
    expect(planted(checkCycles, { ...files, 'src/client/c.ts': '' })).toEqual([]);
  });

  test('a long file, a long function, a long test', () => {
    const files = {
      'src/client/a.ts': lines(301),
      'src/client/b.ts': lines(300),
      'src/client/c.ts': `function long() {\n${lines(59)}}\nconst fits = () => {\n${lines(58)}};\n`,
      'test/client/a.test.ts': lines(401),
      'test/client/b.test.ts': `test('a', () => {\n${lines(398)}});\n`,
    };
    expect(planted(checkLengths, files)).toEqual([
      'src/client/a.ts has 301 lines, at most 300 are allowed',
      'src/client/c.ts:1 long has 61 lines, at most 60 are allowed',
      'test/client/a.test.ts has 401 lines, at most 400 are allowed',
    ]);
  });

  test.each([
    ['src/client/kernel/a.ts', '../topics/b.ts', 'src/client/topics/b.ts'],
    ['src/client/requests/a.ts', '../calls/b.ts', 'src/client/calls/b.ts'],
    ['src/transport/a.ts', './moves/b.ts', 'src/transport/moves/b.ts'],
  ])('a capability that the kernel imports: %s, %s', (path, specifier, file) => {
    const files = { [path]: `import type { B } from '${specifier}';`, [file]: '' };
    expect(planted(checkKernels, files)).toEqual([`${path}:1 imports ${specifier}: a kernel imports no capability`]);
    expect(planted(checkKernels, { 'src/client/topics/a.ts': `import { b } from '../kernel/b.ts';` })).toEqual([]);
  });

  test('a folder with too many files, and files that are mostly long', () => {
    const many = Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`src/client/f${n}.ts`, '']));
    expect(planted(checkFolderSizes, many)).toEqual(['src/client has 17 files, at most 16 are allowed']);
    const long = { 'src/a.ts': lines(91), 'src/b.ts': lines(91), 'src/c.ts': lines(1) };
    expect(planted(checkMedian, long)).toEqual(['half of the files have 91 lines or more, not 90']);
    expect(planted(checkMedian, { ...long, 'src/d.ts': '', 'src/e.ts': '' })).toEqual([]);
  });

  test('a file that has no place at the top level', () => {
    const names = ['package.json', 'notes.txt', '.ci', 'dist', 'npm-debug.log', 'distance'];
    expect(checkTopLevel(names, 'dist/\n*.log\n')).toEqual([
      'notes.txt has no place at the top level',
      'distance has no place at the top level',
    ]);
  });
});

test('imports are read from code, not from text and comments', () => {
  const text = `// import './a.ts';\nconst s = "import './b.ts'"; const t = \`import('./c.ts')\`; export * as d from '@s/d/e';`;
  expect(importsOf('src/x.ts', text)).toEqual([{ specifier: '@s/d/e', file: undefined, pkg: '@s/d', line: 2 }]);
});

test('functions of each kind are measured', () => {
  const text = `class A { constructor() {} get b() { return 1; }\nc = () => 1; static d() {} }\nfunction e(): void;\nfunction e() {}`;
  expect(functionsOf('src/x.ts', text).map(({ name }) => name)).toEqual(['constructor', 'b', 'c', 'd', 'e']);
});

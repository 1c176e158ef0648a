/*
 * `npm run check -- instantiations`: what the types of a large app cost the compiler, held to a budget. Instantiations
 * are counted and not seconds, as they are the same on every machine. What is not ours is taken off: a twin makes the
 * same schemas without Tautline, and for handlers it also types the same functions by zod itself, which is most of their
 * cost.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { largeApp } from './large-app.ts';
import type { Size } from './large-app.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const folder = `${root}.reports/instantiations`;

interface Program {
  readonly name: string;
  readonly file: string;
  readonly twin: string;
  /** Without one it is only told. */
  readonly most?: number;
}

const programs: readonly Program[] = [
  { name: 'contract', file: 'contract.ts', twin: 'schemas.ts' },
  { name: 'contract, client with a call a group', file: 'client.ts', twin: 'schemas.ts', most: 45_000 },
  { name: 'contract, client with every call', file: 'every-call.ts', twin: 'schemas.ts' },
  { name: 'contract, handlers', file: 'server.ts', twin: 'server-twin.ts', most: 100_000 },
  // They never leave the form that handlers have while nothing is known of their context: see given-handlers.ts.
  {
    name: 'contract, handlers without authenticate',
    file: 'anonymous-server.ts',
    twin: 'server-twin.ts',
    most: 160_000,
  },
];

const runs: readonly { readonly size: Size; readonly compiler: string; readonly command: readonly string[] }[] = [
  { size: 'small', compiler: 'TypeScript 7', command: ['tsc', '--singleThreaded'] },
  { size: 'rich', compiler: 'TypeScript 7', command: ['tsc', '--singleThreaded'] },
  // Slower by far, and within a few hundred of the other: one size shows that it stays so.
  { size: 'small', compiler: 'TypeScript 6', command: ['tsc6'] },
];

/** What one program costs. The library's own files are part of each, so that a difference does not count them. */
function count(size: Size, file: string, [command = '', ...args]: readonly string[]): number {
  const config = `${folder}/${size}/tsconfig.json`;
  const files = ['../../../src/index.ts', '../../../src/server/index.ts', 'schemas.ts', file];
  const compilerOptions = { rootDir: '../../..', declaration: false, isolatedDeclarations: false };
  writeFileSync(config, JSON.stringify({ extends: '../../../tsconfig.json', compilerOptions, files }));
  return instantiationsOf(`${size}/${file}`, config, [command, ...args]);
}

function instantiationsOf(name: string, config: string, [command = '', ...args]: readonly string[]): number {
  const { stdout, stderr, status } = spawnSync(
    `${root}node_modules/.bin/${command}`,
    [...args, '-p', config, '--pretty', 'false', '--extendedDiagnostics'],
    { cwd: root, encoding: 'utf8' },
  );
  const counted = /^Instantiations:\s*(\d+)/m.exec(stdout)?.[1];
  if (status === 0 && counted !== undefined) return Number(counted);
  throw new Error(`${name} does not compile:\n${stdout.slice(0, 4_000)}${stderr}`);
}

rmSync(folder, { recursive: true, force: true });
for (const { size, compiler, command } of runs) {
  mkdirSync(`${folder}/${size}`, { recursive: true });
  for (const [name, text] of Object.entries(largeApp(size))) writeFileSync(`${folder}/${size}/${name}`, text);
  console.log(`\n200 procedures and 50 topics, ${size} schemas, ${compiler}`);
  const twins = new Map<string, number>();
  for (const { name, file, twin, most = Infinity } of programs) {
    const theirs = twins.get(twin) ?? count(size, twin, command);
    twins.set(twin, theirs);
    const ours = count(size, file, command) - theirs;
    const limit = most === Infinity ? '' : ` of ${most}`;
    console.log(`${ours > most ? '✗' : ' '} ${name}: ${ours}${limit} (the twin ${theirs})`);
    if (ours > most) process.exitCode = 1;
  }
}

/** The board: its page and its server, beside React, TanStack Query and zod that say nothing. */
const BOARD_MOST = 45_000;
const boardFolder = `${folder}/board`;
mkdirSync(boardFolder, { recursive: true });
const packages = ['react', 'react/jsx-runtime', 'react-dom/client', '@tanstack/react-query', 'zod', 'node:http'];
writeFileSync(`${boardFolder}/twin.ts`, packages.map((name) => `import '${name}';\n`).join(''));

function countBoard(files: readonly string[]): number {
  const config = `${boardFolder}/tsconfig.json`;
  writeFileSync(config, JSON.stringify({ extends: '../../../examples/tsconfig.json', files, include: [] }));
  return instantiationsOf('board', config, ['tsc', '--singleThreaded']);
}
const library = ['index', 'server/index', 'react/index', 'tanstack-query/index'].map(
  (name) => `../../../src/${name}.ts`,
);
const twin = countBoard([...library, 'twin.ts']);
const app = ['page/main.tsx', 'server/board.ts'].map((name) => `../../../examples/board/${name}`);
const ours = countBoard([...library, 'twin.ts', ...app]) - twin;
console.log(
  `\nThe board of examples, TypeScript 7\n${ours > BOARD_MOST ? '✗' : ' '} ${ours} of ${BOARD_MOST} (the twin ${twin})`,
);
if (ours > BOARD_MOST) process.exitCode = 1;

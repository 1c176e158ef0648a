import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findProgram, isExecutable } from './find-program.ts';

/** Where Debian has the programs of each version, which are not in `PATH`. */
const DEBIAN = '/usr/lib/postgresql';

/** The folder of `initdb` and `postgres`. */
export function findPostgres(env: NodeJS.ProcessEnv = process.env, debian: string = DEBIAN): string | undefined {
  const inPath = findProgram(['initdb'], env);
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...(inPath === undefined ? [] : [dirname(inPath)]),
    ...versions.map((version) => join(debian, version, 'bin')),
  ];
  return folders.find((folder) => ['initdb', 'postgres'].every((name) => isExecutable(join(folder, name))));
}

/** Whom PostgreSQL runs as where this is root, as whom it refuses to. */
export function postgresUser(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const [, , uid, gid] = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody')!;
  return { uid: Number(uid), gid: Number(gid) };
}

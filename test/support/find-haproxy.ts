import { findProgram } from './find-program.ts';

/** Where Debian and Homebrew put it, which is not in everybody's `PATH`. */
const FOLDERS = '/usr/sbin:/usr/local/sbin:/opt/homebrew/bin';

/** The program of HAProxy. */
export function findHaProxy(env: NodeJS.ProcessEnv = process.env, folders: string = FOLDERS): string | undefined {
  return findProgram(['haproxy'], env) ?? findProgram(['haproxy'], { PATH: folders });
}

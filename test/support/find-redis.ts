import { findProgram } from './find-program.ts';

/** The program of a Redis or Valkey server. */
export function findRedis(env: NodeJS.ProcessEnv = process.env): string | undefined {
  return findProgram(['redis-server', 'valkey-server'], env);
}

/**
 * Whether to spend a little on finding mistakes early: as the option says; without it unless `NODE_ENV` is
 * `production`, on runtimes that have such a thing.
 * @throws TypeError for an option that is no boolean.
 */
export function isDevelopment(option: boolean | undefined): boolean {
  if (option === undefined) return environmentName() !== 'production';
  if (typeof option === 'boolean') return option;
  throw new TypeError(`development must be true or false, not ${typeof option}: leave it off for what NODE_ENV says`);
}

function environmentName(): unknown {
  try {
    const { process } = globalThis as { process?: { env?: { NODE_ENV?: unknown } } };
    return process?.env?.NODE_ENV;
  } catch {
    // A runtime that asks for permission to read the environment was not given it.
    return undefined;
  }
}

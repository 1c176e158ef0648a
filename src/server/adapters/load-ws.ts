import { createRequire } from 'node:module';
import type * as Ws from 'ws';

export type { RawData, WebSocket } from 'ws';

/** The lowest that works, and the lowest that bounds the control frames and fragments which a peer sends. */
const LOWEST = [8, 18];
const BOUNDED = [8, 23];

let warned = false;

/**
 * The package `ws` of the app. It is loaded when a server listens, so that what is missing is said there.
 * @throws Error saying what to install, as a rejection
 */
export async function loadWs(): Promise<typeof Ws> {
  let ws: typeof Ws;
  try {
    ws = await import('ws');
  } catch (cause) {
    throw new Error('listen needs the package ws, which could not be loaded: npm install ws', { cause });
  }
  const version = versionOfWs();
  if (isBelow(version, LOWEST) || ws.WebSocketServer === undefined) {
    throw new Error(`listen needs ws ${LOWEST.join('.')} or later, and found ${version}: npm install ws@latest`);
  }
  if (!warned && isBelow(version, BOUNDED)) {
    warned = true;
    process.emitWarning(
      `ws ${version} bounds neither the pongs nor the fragments of a peer: use ${BOUNDED.join('.')} or later`,
      { type: 'TautlineWarning' },
    );
  }
  return ws;
}

function versionOfWs(): string {
  try {
    return (createRequire(import.meta.url)('ws/package.json') as { version: string }).version;
  } catch {
    // A bundler has put it into the app: then it is what the app was built with.
    return 'of unknown version';
  }
}

/** `false` for a version that is unknown. */
function isBelow(version: string, [major = 0, minor = 0]: readonly number[]): boolean {
  const [ownMajor = NaN, ownMinor = NaN] = version.split('.').map(Number);
  return ownMajor < major || (ownMajor === major && ownMinor < minor);
}

export { listen } from './adapters/node.ts';
export type { AcceptingServer, CompressionOptions, Listener, ListenOptions } from './adapters/node.ts';
export type { Origins } from './adapters/origins.ts';

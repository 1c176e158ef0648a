export { crosswsHooks } from './adapters/crossws.ts';
export type { CrosswsHooks, CrosswsMessage, CrosswsOptions, CrosswsPeer, CrosswsUpgrade } from './adapters/crossws.ts';
export type { Origins } from './adapters/origins.ts';

export { connectedPair } from './connected-pair.ts';
export type { ConnectedPair, ConnectedPairOptions } from './connected-pair.ts';

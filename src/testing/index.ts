export { connectedPair } from './connected-pair.ts';
export type { ConnectedPair, ConnectedPairOptions, PairClient, PairConnectOptions } from './connected-pair.ts';
export type { LineFaults, ServerControls } from './mock/controls.ts';
export type { FastOptions, MockedCall } from './mock/mock-engine.ts';
export type { PartialHandlers } from './mock/mock-handlers.ts';
export type { SettledOptions } from './mock/settled.ts';
export type { TestLifecycle } from './test-lifecycle.ts';

export { connectedPair } from './connected-pair.ts';
export type { ConnectedPair, ConnectedPairOptions, PairClient, PairConnectOptions } from './connected-pair.ts';
export type { LineFaults, ServerControls } from './controls.ts';
export type { FastOptions, MockedCall } from './mock-engine.ts';
export type { PartialHandlers } from './mock-handlers.ts';
export type { SettledOptions } from './settled.ts';
export type { TestLifecycle } from './test-lifecycle.ts';

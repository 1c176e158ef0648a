export { mockServer } from './mock-server.ts';
export type { MockServer } from './mock-server.ts';
export type { MockServerOptions, MockServerSettings } from './mock-options.ts';
export type { FastOptions, MockedCall } from './mock-engine.ts';
export type { PartialHandlers } from './mock-handlers.ts';
export type { SettledOptions } from './settled.ts';
export type { LineFaults, ServerControls } from './controls.ts';

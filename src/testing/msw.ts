export { mockServer } from './mock-server.ts';
export type { MockServer } from './mock-server.ts';
export type { MockServerOptions, MockServerSettings } from './mock/mock-options.ts';
export type { FastOptions, MockedCall } from './mock/mock-engine.ts';
export type { PartialHandlers } from './mock/mock-handlers.ts';
export type { SettledOptions } from './mock/settled.ts';
export type { LineFaults, ServerControls } from './mock/controls.ts';

export { routeServer } from './route-server.ts';
export type { RoutablePage, RoutedServer, RoutedSocket } from './route-server.ts';
export type { LineFaults, ServerControls } from './mock/controls.ts';
export type { FastOptions, MockedCall } from './mock/mock-engine.ts';
export type { PartialHandlers } from './mock/mock-handlers.ts';
export type { MockServerOptions, MockServerSettings } from './mock/mock-options.ts';
export type { SettledOptions } from './mock/settled.ts';

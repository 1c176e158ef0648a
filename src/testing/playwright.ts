export { routeServer } from './route-server.ts';
export type { RoutablePage, RoutedServer, RoutedSocket } from './route-server.ts';
export type { LineFaults, ServerControls } from './controls.ts';
export type { FastOptions, MockedCall } from './mock-engine.ts';
export type { PartialHandlers } from './mock-handlers.ts';
export type { MockServerOptions, MockServerSettings } from './mock-options.ts';
export type { SettledOptions } from './settled.ts';

export type { CloseRule, CloseRules } from './transport/close-rule.ts';
export type { Lifecycle, LifecycleSignal } from './transport/lifecycle.ts';
export { ReconnectingWebSocket } from './transport/web-socket/reconnecting-web-socket.ts';
export { RECONNECTING_WEB_SOCKET_DEFAULTS } from './transport/web-socket/reconnecting-web-socket-options.ts';
export type {
  ProtocolsOption,
  ReconnectingWebSocketOptions,
  WebSocketQueueOptions,
} from './transport/web-socket/reconnecting-web-socket-options.ts';
export { StopReconnecting } from './transport/stop-reconnecting.ts';
export type { CloseCause } from './transport/transport.ts';
export type { ReconnectOptions, TransportOptions, UrlOption, UrlRequest } from './transport/transport-options.ts';
export type { ReconnectingEvent, ReconnectingWebSocketEventMap } from './transport/web-socket/web-socket-events.ts';
export type { WebSocketConstructor, WebSocketLike } from './transport/web-socket-like.ts';

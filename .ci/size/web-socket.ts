/* The standard WebSocket that comes back, alone. */
export { ReconnectingWebSocket } from 'tautline/websocket';

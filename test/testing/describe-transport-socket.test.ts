import { describe, expect, test } from 'vitest';
import { WebSocket as WsWebSocket } from 'ws';
import { describeTransportSocket } from '../../src/testing/index.ts';
import type { WebSocketConstructor } from '../../src/transport/web-socket-like.ts';
import { inMemory, overTheNetwork } from './sockets-under-test.ts';

const runner = { describe, test, expect };
const ofWs = WsWebSocket as unknown as WebSocketConstructor;

describeTransportSocket('The global WebSocket', (server) => overTheNetwork(globalThis.WebSocket, server), runner);
describeTransportSocket('ws', (server) => overTheNetwork(ofWs, server), runner);
describeTransportSocket('Sockets in memory', (server) => inMemory(server), { describe, test });

export { createServer } from './create-server.ts';
export type { Server, ServerCloseOptions, ServerOptions } from './create-server.ts';
export type { ServerTopic, TopicAt, TopicParamsRest, TopicPath } from './server-topic.ts';
export type { GivenHandlers } from './app/given-handlers.ts';
export type { ArrivedPeer, AuthenticateArgs, Authenticate, Credentials } from './engine.ts';
export type { DisconnectOptions, PeerInfo } from './peers/admission.ts';
export type { FindPeersOptions, FoundPeer, FoundPeers } from './brokers/peer-finder.ts';
export type { RefusedUpgrade } from './peers/refused-upgrades.ts';
export type {
  AuthorizeArgs,
  CallInfo,
  HandlerArgs,
  GivenSnapshot,
  HandlerOf,
  Handlers,
  HandlersByKind,
  ProcedureHandler,
  PublishArgs,
  SnapshotPart,
  SnapshotRule,
  StreamHandler,
  TopicHandlers,
  TopicRules,
} from './app/handlers.ts';
export { DeclaredFailure } from './app/declared-failure.ts';
export type { Fail } from './app/declared-failure.ts';
export type { InterceptedCall, Interceptor } from './app/interceptor.ts';
export { refuse } from './app/refusal.ts';
export type { Observe, ServerHappening } from './app/observer.ts';
export type { ErrorInfo } from './app/reporter.ts';
export { DEFAULT_LIMITS, DEFAULT_TIMES } from './app/server-options.ts';
export type { Resolved, ResolvedLimits, ResolvedTimes, ServerLimits, ServerTimes } from './app/server-options.ts';
export type { ServerRequest, ServerSocket, SocketHandler } from './peers/server-socket.ts';
export { snapshotAt } from './topics/snapshot-at.ts';
export type { PlacedState, SnapshotAt } from './topics/snapshot-at.ts';
export type { ServerHealth, ServerStats } from './peers/session-table.ts';
export type { CallStore, Claim, ClaimRequest, MemoryName, Opened, Opening, StoredAnswer } from './calls/call-store.ts';
export type { PresenceStore } from './presence/presence-store.ts';
export { MEMORY_BROKER_DEFAULTS, memoryBroker } from './brokers/memory.ts';
export type { MemoryBrokerOptions } from './brokers/memory.ts';
export type { Broker, BrokerConnection, Feed, FeedListener, PublishOptions, StoredEvent } from './brokers/broker.ts';
export type { DeclaredErrorInputs, HandlerOutput, ParsedInput, SnapshotInput } from '../contract/infer.ts';
export type { Headers, WireLimits } from '../protocol/messages.ts';

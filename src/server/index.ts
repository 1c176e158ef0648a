export { createServer } from './create-server.ts';
export type {
  Server,
  ServerCloseOptions,
  ServerOptions,
  ServerTopic,
  TopicAt,
  TopicParamsRest,
  TopicPath,
} from './create-server.ts';
export type { GivenHandlers } from './given-handlers.ts';
export type { AuthenticateArgs, Authenticate, Credentials } from './engine.ts';
export type {
  AuthorizeArgs,
  CallInfo,
  Fail,
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
} from './handlers.ts';
export { DeclaredFailure } from './declared-failure.ts';
export type { InterceptedCall, Interceptor } from './interceptor.ts';
export type { Observe, ServerHappening } from './observer.ts';
export type { ErrorInfo } from './reporter.ts';
export { DEFAULT_LIMITS, DEFAULT_TIMES } from './server-options.ts';
export type { Resolved, ResolvedLimits, ResolvedTimes, ServerLimits, ServerTimes } from './server-options.ts';
export type { ServerRequest, ServerSocket, SocketHandler } from './server-socket.ts';
export { snapshotAt } from './snapshot-at.ts';
export type { SnapshotAt } from './snapshot-at.ts';
export type { ServerStats } from './session-table.ts';
export { MEMORY_BROKER_DEFAULTS, memoryBroker } from './brokers/memory.ts';
export type { MemoryBrokerOptions } from './brokers/memory.ts';
export type { Broker, Feed, FeedListener, StoredEvent } from './brokers/broker.ts';
export type { DeclaredErrorInputs, HandlerOutput, ParsedInput, SnapshotInput } from '../contract/infer.ts';
export type { Headers, WireLimits } from '../protocol/messages.ts';

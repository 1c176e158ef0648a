export { CallPromise } from './client/calls/call-promise.ts';
export type { Safe } from './client/calls/call-promise.ts';
export type { CallOptions, CallProgress, PublishOptions } from './client/requests/request-options.ts';
export type {
  CallError,
  CallFunction,
  CallFunctionWithInput,
  CallFunctionWithoutInput,
  Client,
  ClientFunction,
  ClientNode,
  ClientNodes,
  StreamFunction,
  StreamFunctionWithInput,
  StreamFunctionWithoutInput,
  PresenceFunction,
  PresenceHandle,
  StatefulTopicFunction,
  StatefulTopicHandle,
  TopicFunction,
  TopicHandle,
  TopicInitial,
  TopicNode,
} from './client/client-types.ts';
export { connect } from './client/connect.ts';
export { CONNECT_DEFAULTS } from './client/connect-options.ts';
export type { ConnectOptions, ResolvedConnectOptions } from './client/connect-options.ts';
export type { KernelOptions, QueueOptions, ResolvedKernelOptions } from './client/kernel/connect-options.ts';
export type { CloseOptions, Connection, ConnectionEvents, ConnectionStats } from './client/kernel/connection.ts';
export type { FlowOptions } from './client/flow/flow.ts';
export type { TopicsOptions } from './client/topics/warm-topics.ts';
export type { FlowMarks } from './primitives/flow-control.ts';
export { createClient } from './client/create-client.ts';
export type { Happening, HappeningDetails, HappeningName } from './client/kernel/happening.ts';
export type { InterceptedCall, Interceptor, Next } from './client/interceptors/interceptor.ts';
export type { ItemStream } from './client/streams/item-stream.ts';
export type { Stay } from './client/presence/stay.ts';
export type { LossyOptions, LossyOutcome } from './client/requests/lossy-lane.ts';
export type { Gap, Subscription, SubscriptionState, TopicListeners } from './client/topics/subscription.ts';
export { TOPIC_EVENTS_DEFAULTS } from './client/topic-events/event-feed.ts';
export type { TopicEvents, TopicEventsOptions } from './client/topic-events/event-feed.ts';
export type { TopicView } from './client/topics/topic-view.ts';
export { defineContract } from './contract/contract.ts';
export type { Contract, ContractOptions, ContractTopic, ContractTree } from './contract/contract.ts';
export type {
  DeclaredErrors,
  EventInput,
  EventOutput,
  Params,
  ProcedureInput,
  ProcedureOutput,
  SnapshotOutput,
  StateOutput,
} from './contract/infer.ts';
export { mutation, query, stream } from './contract/procedure.ts';
export type { ErrorSchemas, Procedure, ProcedureKind, ProcedureOptions } from './contract/procedure.ts';
export type { AnySchema, SchemaInput, SchemaOutput } from './contract/schema.ts';
export { presence } from './contract/presence.ts';
export type { FedSchema, InfoInput, Presence, PresenceEvent, PresenceOptions, Present } from './contract/presence.ts';
export { topic } from './contract/topic.ts';
export type {
  Apply,
  Folding,
  MadeTopic,
  ParamNames,
  StatefulTopic,
  Topic,
  TopicOptions,
  TopicParams,
} from './contract/topic.ts';
export type { TopicTemplate } from './contract/topic-name.ts';
export { isTautlineError, SYSTEM_CODES, TautlineError } from './errors.ts';
export type { Issue, Outcome, SystemCode, TautlineErrorDetails } from './errors.ts';
export type { Codec } from './payload.ts';
export { perFrame } from './client/per-frame.ts';
export type { Store } from './primitives/store.ts';
export type { Position } from './protocol/messages.ts';
export type { CloseRule, CloseRules } from './transport/close-rule.ts';
export type { Lifecycle, LifecycleSignal } from './transport/lifecycle.ts';
export { browserLifecycle } from './transport/lifecycle/lifecycle-browser.ts';
export { hostLifecycle, reactNativeLifecycle } from './transport/lifecycle/lifecycle-host.ts';
export type {
  AppStateLike,
  HostLifecycle,
  NativeSubscription,
  NetInfoLike,
  NetInfoStateLike,
} from './transport/lifecycle/lifecycle-host.ts';
export { StopReconnecting } from './transport/stop-reconnecting.ts';
export type { CloseCause, ConnectionStatus, ReconnectRequest } from './transport/transport.ts';
export { TRANSPORT_DEFAULTS } from './transport/transport-options.ts';
export type {
  AuthOption,
  AuthRequest,
  AuthResult,
  AuthToken,
  Complete,
  HeartbeatOptions,
  ReconnectOptions,
  ReconnectTimes,
  TransportOptions,
  UrlOption,
  UrlRequest,
} from './transport/transport-options.ts';
export type { WebSocketConstructor, WebSocketLike } from './transport/web-socket-like.ts';

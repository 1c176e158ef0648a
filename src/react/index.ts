'use client';

export { createClientContext } from './client-context.ts';
export type { ClientContext } from './client-context.ts';
export { useCall } from './use-call.ts';
export type { Action, ActionState } from './use-action.ts';
export type { OfClient } from './use-identity.ts';
export { useConnection } from './use-connection.ts';
export { usePublish } from './use-publish.ts';
export type { Publishing } from './use-publish.ts';
export { useStream } from './use-stream.ts';
export type { StreamOptions, StreamView } from './use-stream.ts';
export { useTopic } from './use-topic.ts';
export type { UseTopicOptions } from './use-topic.ts';
export { useTopicEvents } from './use-topic-events.ts';
export type { HeardTopic, UseTopicEventsOptions } from './use-topic-events.ts';
export type { ViewedTopic } from './viewed-topic.ts';

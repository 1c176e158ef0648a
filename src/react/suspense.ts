'use client';

export { topicReady } from './topic-ready.ts';
export { useTopicValue } from './use-topic-value.ts';
export type { StatefulViewedTopic, ViewedTopic } from './viewed-topic.ts';

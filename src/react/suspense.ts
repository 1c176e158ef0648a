'use client';

export { topicReady } from './suspense/topic-ready.ts';
export { useTopicValue } from './suspense/use-topic-value.ts';
export type { StatefulViewedTopic, ViewedTopic } from './viewed-topic.ts';

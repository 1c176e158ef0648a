'use client';

export { useTopicValue } from './use-topic-value.ts';
export type { StatefulViewedTopic } from './viewed-topic.ts';

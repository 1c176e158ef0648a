'use client';

export { useTopicValue } from './use-topic-value.ts';

export { attachTopics } from './attach-topics.ts';
export { bridgeOnline } from './bridge-online.ts';
export type { OnlineManagerLike } from './bridge-online.ts';
export { queryUtils } from './query-utils.ts';
export type { KeyOptions, KeyType, UtilsKey } from './keys.ts';
export type {
  CallExtras,
  Cached,
  Live,
  LiveListeners,
  LiveTopic,
  MutationExtras,
  QueryExtras,
  StreamExtras,
} from './options.ts';
export type {
  ClientUtils,
  FactoryInput,
  GroupUtils,
  MadeOptions,
  MutationUtils,
  NodeUtils,
  QueryUtils,
  StreamUtils,
  TopicUtils,
} from './utils-types.ts';

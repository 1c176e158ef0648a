export { redisCallStore } from './brokers/redis/redis-call-store.ts';
export type { RedisCallStoreOptions } from './brokers/redis/redis-call-store.ts';
export { redisPresenceStore } from './brokers/redis/redis-presence-store.ts';
export type { RedisPresenceStore, RedisPresenceStoreOptions } from './brokers/redis/redis-presence-store.ts';
export { redisBroker } from './brokers/redis/redis-broker.ts';
export type { RedisBrokerOptions } from './brokers/redis/redis-broker.ts';
export type {
  IoRedisClient,
  LineEvent,
  NodeRedisClient,
  RedisClient,
  RedisClients,
} from './brokers/redis/redis-port.ts';

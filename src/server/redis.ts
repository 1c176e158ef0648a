export { redisBroker } from './brokers/redis/redis-broker.ts';
export type { RedisBrokerOptions } from './brokers/redis/redis-broker.ts';
export type { IoRedisClient, LineEvent, NodeRedisClient, RedisClient } from './brokers/redis/redis-port.ts';

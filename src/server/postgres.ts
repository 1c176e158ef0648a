export { postgresBroker } from './brokers/postgres/postgres-broker.ts';
export type { PostgresBroker, PostgresBrokerOptions } from './brokers/postgres/postgres-broker.ts';
export { postgresCallStore } from './brokers/postgres/postgres-call-store.ts';
export type { PostgresCallStore, PostgresCallStoreOptions } from './brokers/postgres/postgres-call-store.ts';
export type {
  PostgresClient,
  PostgresListenClient,
  PostgresPool,
  PostgresPoolClient,
  PostgresResult,
  PostgresTransaction,
} from './brokers/postgres/postgres-port.ts';
export { postgresSchema } from './brokers/postgres/schema.ts';
export type { PostgresSchemaOptions } from './brokers/postgres/schema.ts';

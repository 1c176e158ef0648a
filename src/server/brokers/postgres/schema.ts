import { CALL_SCHEMA } from './call-schema.ts';

/** Options of {@link postgresSchema}. */
export interface PostgresSchemaOptions {
  /**
   * Begins the names of all tables and functions, the same for the broker: lower case letters, digits and `_`; with the
   * name of a schema of the database before it, `app.tautline_`, where they are to be there. @default 'tautline_'
   */
  readonly prefix?: string | undefined;
}

/** Of the tables and functions below. Another one means that they have to be made anew. */
export const SCHEMA_VERSION = 2;

/** @throws TypeError for what can't begin a name */
export function resolvePrefix(owner: string, prefix: string = 'tautline_'): string {
  if (typeof prefix === 'string' && /^([a-z_][a-z0-9_]{0,30}\.)?[a-z_][a-z0-9_]{0,30}$/.test(prefix)) return prefix;
  throw new TypeError(`${owner}: prefix must be lower case letters, digits and _, like 'tautline_' or 'app.tautline_'`);
}

/**
 * SQL that makes the tables and functions which {@link postgresBroker} and {@link postgresCallStore} work with. Run it as a migration, before the
 * servers start; it may be run again. PostgreSQL 13 or newer.
 *
 * The role of the servers needs `SELECT`, `INSERT`, `UPDATE` and `DELETE` on the tables, which their owner has.
 * @throws TypeError for a prefix that can't begin a name
 */
export function postgresSchema({ prefix: given }: PostgresSchemaOptions = {}): string {
  const prefix = resolvePrefix('postgresSchema', given);
  const statements = TABLES + PUBLISH + HEAD + SWEEP + CALL_SCHEMA;
  return `${statements.replaceAll('@', prefix)}
CREATE OR REPLACE FUNCTION ${prefix}version() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT ${SCHEMA_VERSION}';
`;
}

/*
 * A topic is a row with its epoch, the offset of its last publication and that one's mark; what is published is a row
 * each. A mark is of one publication alone: a count that went back, in a copy of the database, is seen by it.
 */
const TABLES = `CREATE TABLE IF NOT EXISTS @topics (
  topic text PRIMARY KEY,
  epoch text NOT NULL,
  head bigint NOT NULL DEFAULT 0,
  mark text NOT NULL DEFAULT '',
  -- Nothing of it is kept where this is NULL.
  published_at timestamptz,
  used_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

CREATE TABLE IF NOT EXISTS @events (
  topic text NOT NULL,
  "offset" bigint NOT NULL,
  payload bytea NOT NULL,
  mark text NOT NULL,
  key text,
  published_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (topic, "offset"),
  UNIQUE (topic, key)
);
`;

const PUBLISH = `
-- The lock on the topic's row is held until the transaction ends: offsets count in the order of commits.
CREATE OR REPLACE FUNCTION @publish(
  its_topic text, its_payload bytea, its_key text DEFAULT NULL, most integer DEFAULT 1000,
  OUT its_epoch text, OUT its_offset bigint
) LANGUAGE plpgsql AS $$
DECLARE
  its_mark text := gen_random_uuid();
  known bigint;
BEGIN
  INSERT INTO @topics AS t (topic, epoch) VALUES (its_topic, gen_random_uuid())
    ON CONFLICT (topic) DO UPDATE SET used_at = now()
    RETURNING t.epoch, t.head INTO its_epoch, its_offset;
  IF its_key IS NOT NULL THEN
    SELECT e."offset" INTO known FROM @events e WHERE e.topic = its_topic AND e.key = its_key;
    IF known > its_offset - most THEN
      its_offset := known;
      RETURN;
    END IF;
    UPDATE @events e SET key = NULL WHERE e.topic = its_topic AND e."offset" = known;
  END IF;
  its_offset := its_offset + 1;
  UPDATE @topics SET head = its_offset, mark = its_mark, published_at = clock_timestamp() WHERE topic = its_topic;
  -- What servers that follow may not have read yet stays. Two for one that comes: it gets less.
  DELETE FROM @events e USING (
    SELECT s."offset", s.published_at FROM @events s WHERE s.topic = its_topic AND s."offset" <= its_offset - most
    ORDER BY s."offset" LIMIT 2
  ) o WHERE e.topic = its_topic AND e."offset" = o."offset" AND o.published_at < clock_timestamp() - interval '10 s';
  INSERT INTO @events (topic, "offset", payload, mark, key)
    VALUES (its_topic, its_offset, its_payload, its_mark, its_key);
  -- PostgreSQL refuses more than 8000 bytes; without a topic, all are looked at.
  PERFORM pg_notify('@events', CASE WHEN octet_length(its_topic) < 7000 THEN its_offset || ':' || its_topic ELSE '' END);
END $$;
`;

const HEAD = `
-- Where a topic stands. What was known of it and is not so any more was lost: then a new history begins.
CREATE OR REPLACE FUNCTION @head(its_topic text, known_epoch text, known_head bigint, known_mark text)
RETURNS SETOF @topics LANGUAGE plpgsql AS $$
DECLARE
  its @topics%ROWTYPE;
  its_mark text;
BEGIN
  LOOP
    SELECT * INTO its FROM @topics t WHERE t.topic = its_topic;
    EXIT WHEN FOUND;
    INSERT INTO @topics (topic, epoch) VALUES (its_topic, gen_random_uuid()) ON CONFLICT DO NOTHING;
  END LOOP;
  IF its.epoch = known_epoch THEN
    IF its.head = known_head THEN
      its_mark := its.mark;
    ELSIF its.head > known_head THEN
      SELECT e.mark INTO its_mark FROM @events e WHERE e.topic = its_topic AND e."offset" = known_head;
      IF NOT FOUND THEN its_mark := known_mark; END IF;
    END IF;
    IF its_mark IS DISTINCT FROM known_mark THEN
      UPDATE @topics t SET epoch = gen_random_uuid(), head = 0, mark = '', published_at = NULL
        WHERE t.topic = its_topic AND t.epoch = known_epoch;
      IF FOUND THEN DELETE FROM @events e WHERE e.topic = its_topic; END IF;
      SELECT * INTO its FROM @topics t WHERE t.topic = its_topic;
    END IF;
  END IF;
  RETURN NEXT its;
END $$;
`;

const SWEEP = `
-- Removes what is too old; a topic that somebody publishes to at the moment is left for the next time.
CREATE OR REPLACE FUNCTION @sweep(ttl interval, life interval) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  WITH old AS (
    SELECT topic FROM @topics WHERE published_at < now() - ttl LIMIT 1000 FOR UPDATE SKIP LOCKED
  ), swept AS (
    UPDATE @topics t SET published_at = NULL FROM old WHERE t.topic = old.topic
  )
  DELETE FROM @events e USING old WHERE e.topic = old.topic;
  DELETE FROM @topics WHERE topic IN (
    SELECT topic FROM @topics WHERE published_at IS NULL AND used_at < now() - life LIMIT 1000 FOR UPDATE SKIP LOCKED
  );
END $$;
`;

/*
 * What servers remember together of each client's calls. A client is a row, which each step locks; a call that acts is a
 * row: it runs on a node, is free for any, or has its answer. A node is a row as long as it says that it lives.
 */
const TABLES = `
CREATE TABLE IF NOT EXISTS @clients (
  client text PRIMARY KEY,
  history text NOT NULL,
  memory text NOT NULL,
  identity text NOT NULL,
  -- Number of its newest socket.
  n bigint NOT NULL,
  -- The highest id that was forgotten before its client had settled it.
  forgotten bigint NOT NULL DEFAULT 0,
  -- The floor: ids below it are settled at the client, but for some.
  below bigint NOT NULL DEFAULT 0,
  but_for bigint[] NOT NULL DEFAULT '{}',
  -- How many calls are known, and the bytes of their answers.
  known integer NOT NULL DEFAULT 0,
  bytes bigint NOT NULL DEFAULT 0,
  expires_at timestamptz NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE IF NOT EXISTS @calls (
  client text NOT NULL REFERENCES @clients ON DELETE CASCADE,
  id bigint NOT NULL,
  key text NOT NULL,
  node text NOT NULL,
  claim bigint NOT NULL,
  is_free boolean NOT NULL DEFAULT false,
  -- Another server wants to be told.
  is_awaited boolean NOT NULL DEFAULT false,
  message text,
  PRIMARY KEY (client, id)
) WITH (fillfactor = 50);

CREATE TABLE IF NOT EXISTS @nodes (node text PRIMARY KEY, expires_at timestamptz NOT NULL);
`;

const MEMORY = `
-- Another one means that writes may have been lost: the database took the place of another, or was restarted where it
-- does not wait for its disk.
CREATE OR REPLACE FUNCTION @history() RETURNS text LANGUAGE sql AS $$
  SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)
    || CASE current_setting('fsync') WHEN 'on' THEN '' ELSE ' ' || extract(epoch FROM pg_postmaster_start_time()) END
$$;

-- The memory, locked until the end of the transaction, where it is still there under this name.
CREATE OR REPLACE FUNCTION @memory(its_client text, its_memory text) RETURNS SETOF @clients LANGUAGE sql AS $$
  SELECT * FROM @clients WHERE client = its_client AND memory = its_memory AND history = @history()
    AND expires_at > clock_timestamp() FOR UPDATE
$$;

CREATE OR REPLACE FUNCTION @open(
  its_client text, its_identity text, its_n bigint, its_memory text, life interval, OUT refused text, OUT memory text
) LANGUAGE plpgsql AS $$
DECLARE
  m @clients%ROWTYPE;
BEGIN
  INSERT INTO @clients (client, history, memory, identity, n, expires_at)
    VALUES (its_client, @history(), its_memory, its_identity, its_n, clock_timestamp() + life) ON CONFLICT DO NOTHING;
  IF FOUND THEN
    memory := its_memory;
    RETURN;
  END IF;
  SELECT * INTO m FROM @clients c WHERE c.client = its_client FOR UPDATE;
  IF m.history = @history() AND m.expires_at > clock_timestamp() THEN
    IF m.identity <> its_identity THEN refused := 'identity'; RETURN; END IF;
    IF m.n >= its_n THEN refused := 'older'; RETURN; END IF;
    UPDATE @clients c SET n = its_n, expires_at = clock_timestamp() + life WHERE c.client = its_client;
    memory := m.memory;
  ELSE
    DELETE FROM @clients c WHERE c.client = its_client;
    SELECT o.refused, o.memory INTO refused, memory FROM @open(its_client, its_identity, its_n, its_memory, life) o;
  END IF;
END $$;
`;

const CLAIM = `
-- Forgets answers, the oldest first, where there are too many, or too large ones.
CREATE OR REPLACE FUNCTION @trim(its_client text, most integer, most_bytes bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  m @clients%ROWTYPE;
  old record;
BEGIN
  SELECT * INTO m FROM @clients WHERE client = its_client;
  IF m.known <= most AND m.bytes <= most_bytes THEN RETURN; END IF;
  FOR old IN SELECT id, @size(k) AS size FROM @calls k WHERE client = its_client AND message IS NOT NULL ORDER BY id LOOP
    EXIT WHEN m.known <= most AND m.bytes <= most_bytes;
    DELETE FROM @calls WHERE client = its_client AND id = old.id;
    m.known := m.known - 1;
    m.bytes := m.bytes - old.size;
    m.forgotten := greatest(m.forgotten, old.id);
  END LOOP;
  UPDATE @clients SET known = m.known, bytes = m.bytes, forgotten = m.forgotten WHERE client = its_client;
END $$;

-- What became of a call; where nobody has it, it is the node's from now on. Again: a node that is dead had begun it.
CREATE OR REPLACE FUNCTION @claim(
  its_client text, its_memory text, its_id bigint, its_key text, its_node text, its_claim bigint, is_idempotent boolean,
  lost text, most integer, most_bytes bigint, life interval, OUT state text, OUT message text
) LANGUAGE plpgsql AS $$
DECLARE
  m @clients%ROWTYPE;
  c @calls%ROWTYPE;
BEGIN
  -- A claim that is lost in a crash would be run twice.
  PERFORM set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off';
  SELECT * INTO m FROM @memory(its_client, its_memory);
  IF NOT FOUND THEN state := 'gone'; RETURN; END IF;
  SELECT * INTO c FROM @calls k WHERE k.client = its_client AND k.id = its_id;
  IF NOT FOUND THEN
    state := 'unknown';
    IF its_id <= m.forgotten OR (its_id < m.below AND its_id <> ALL (m.but_for)) THEN RETURN; END IF;
    INSERT INTO @calls (client, id, key, node, claim) VALUES (its_client, its_id, its_key, its_node, its_claim);
    UPDATE @clients k SET known = k.known + 1, expires_at = clock_timestamp() + life WHERE k.client = its_client;
    PERFORM @trim(its_client, most, most_bytes);
    state := 'new';
  ELSIF c.key <> its_key THEN state := 'other';
  ELSIF c.message IS NOT NULL THEN
    state := 'answered';
    message := c.message;
  ELSIF c.is_free AND c.node = its_node AND c.claim = its_claim THEN
    -- It comes after it was given up.
    state := 'unknown';
  ELSIF c.is_free THEN
    UPDATE @calls k SET node = its_node, claim = its_claim, is_free = false WHERE k.client = its_client AND k.id = its_id;
    state := 'new';
  ELSIF c.node = its_node OR EXISTS (SELECT FROM @nodes a WHERE a.node = c.node AND a.expires_at > clock_timestamp()) THEN
    UPDATE @calls k SET is_awaited = true WHERE k.client = its_client AND k.id = its_id AND NOT k.is_awaited;
    state := 'running';
  ELSIF is_idempotent THEN
    UPDATE @calls k SET node = its_node, claim = its_claim WHERE k.client = its_client AND k.id = its_id;
    state := 'again';
  ELSE
    PERFORM @answer(its_client, its_memory, its_id, its_key, c.node, c.claim, lost, most, most_bytes);
    state := 'unknown';
  END IF;
END $$;
`;

const ANSWER = `
CREATE OR REPLACE FUNCTION @size(c @calls) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT octet_length(c.key) + octet_length(c.message) + 2
$$;

-- Keeps an answer, unless the claim is another's by now. Without a message it is given up, also where it is still to come.
CREATE OR REPLACE FUNCTION @answer(
  its_client text, its_memory text, its_id bigint, its_key text, its_node text, its_claim bigint, its_message text,
  most integer, most_bytes bigint
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  m @clients%ROWTYPE;
  c @calls%ROWTYPE;
BEGIN
  SELECT * INTO m FROM @memory(its_client, its_memory);
  IF NOT FOUND THEN RETURN; END IF;
  SELECT * INTO c FROM @calls k WHERE k.client = its_client AND k.id = its_id;
  IF NOT FOUND THEN
    IF its_message IS NOT NULL OR its_id <= m.forgotten OR (its_id < m.below AND its_id <> ALL (m.but_for)) THEN RETURN; END IF;
    INSERT INTO @calls (client, id, key, node, claim, is_free)
      VALUES (its_client, its_id, its_key, its_node, its_claim, true);
    UPDATE @clients SET known = known + 1 WHERE client = its_client;
    RETURN;
  END IF;
  IF c.node <> its_node OR c.claim <> its_claim OR c.message IS NOT NULL OR c.is_free THEN RETURN; END IF;
  IF its_message IS NULL THEN
    UPDATE @calls SET is_free = true WHERE client = its_client AND id = its_id;
  ELSE
    UPDATE @calls SET message = its_message WHERE client = its_client AND id = its_id RETURNING * INTO c;
    UPDATE @clients SET bytes = bytes + @size(c) WHERE client = its_client;
    PERFORM @trim(its_client, most, most_bytes);
  END IF;
  IF c.is_awaited THEN PERFORM pg_notify('@calls', its_client); END IF;
END $$;
`;

const ENDS = `
-- Forgets the ids below that the client has settled. None of them is claimed after that.
CREATE OR REPLACE FUNCTION @floor(its_client text, its_memory text, its_below bigint, excepted bigint[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  m @clients%ROWTYPE;
  gone record;
BEGIN
  SELECT * INTO m FROM @memory(its_client, its_memory);
  IF NOT FOUND OR its_below < m.below THEN RETURN; END IF;
  m.but_for := ARRAY(
    SELECT e FROM unnest(excepted) e WHERE e >= m.below OR e = ANY (m.but_for)
      OR EXISTS (SELECT FROM @calls k WHERE k.client = its_client AND k.id = e)
  );
  WITH settled AS (
    DELETE FROM @calls k WHERE k.client = its_client AND k.id < its_below AND k.id <> ALL (excepted) RETURNING @size(k) AS size
  ) SELECT count(*) AS calls, coalesce(sum(size), 0) AS bytes INTO gone FROM settled;
  UPDATE @clients SET below = its_below, but_for = m.but_for, known = known - gone.calls, bytes = bytes - gone.bytes
    WHERE client = its_client;
END $$;

-- The node lives for so long; without a time, no more.
CREATE OR REPLACE FUNCTION @lease(its_node text, life interval) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM @nodes WHERE node IN (
    SELECT n.node FROM @nodes n WHERE n.expires_at < clock_timestamp() - interval '1 hour' FOR UPDATE SKIP LOCKED
  );
  IF life IS NULL THEN DELETE FROM @nodes WHERE node = its_node; END IF;
  INSERT INTO @nodes (node, expires_at) SELECT its_node, clock_timestamp() + life WHERE life IS NOT NULL
    ON CONFLICT (node) DO UPDATE SET expires_at = excluded.expires_at;
END $$;

-- A socket of the client is gone: its memory is kept for so long; without a time, no more. Nothing where there is a newer one.
CREATE OR REPLACE FUNCTION @leave(its_client text, its_memory text, its_n bigint, life interval)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM @memory(its_client, its_memory) m WHERE m.n = its_n;
  IF NOT FOUND THEN RETURN; END IF;
  IF life IS NULL THEN DELETE FROM @clients WHERE client = its_client;
  ELSE UPDATE @clients SET expires_at = clock_timestamp() + life WHERE client = its_client;
  END IF;
END $$;

CREATE OR REPLACE FUNCTION @sweep_clients() RETURNS void LANGUAGE sql AS $$
  DELETE FROM @clients WHERE client IN (
    SELECT client FROM @clients WHERE expires_at < clock_timestamp() LIMIT 1000 FOR UPDATE SKIP LOCKED
  )
$$;
`;

/** What the call store works with; `@` stands for the prefix. */
export const CALL_SCHEMA: string = TABLES + MEMORY + ANSWER + CLAIM + ENDS;

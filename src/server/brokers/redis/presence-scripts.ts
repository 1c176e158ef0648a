/* What runs inside Redis for a presence, each at once as a whole, and each on one key. */

/** KEYS: hash of a topic. ARGV: somebody, what must be stored of him, what then is, '' for nothing. Gives what is stored. */
export const REPLACE_MEMBER: string = `
local stored = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if stored ~= ARGV[2] then return stored end
if ARGV[3] == '' then redis.call('HDEL', KEYS[1], ARGV[1])
elseif ARGV[3] ~= stored then redis.call('HSET', KEYS[1], ARGV[1], ARGV[3]) end
return ARGV[3]
`;

/** KEYS: hash of a topic. Gives each of whom something is stored, and what. */
export const MEMBERS: string = `return redis.call('HGETALL', KEYS[1])`;

/** KEYS: set of those whom a server answers for. ARGV: one of them. */
export const HOLD: string = `return redis.call('SADD', KEYS[1], ARGV[1])`;
export const RELEASE: string = `return redis.call('SREM', KEYS[1], ARGV[1])`;

/** KEYS: the same. Gives all. */
export const HELD: string = `return redis.call('SMEMBERS', KEYS[1])`;

/** By the clock of Redis, which all servers share. */
const NOW = `
redis.replicate_commands()
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/**
 * KEYS: when the lease of each server ends. ARGV: a server that holds somebody, a lease (ms). Where all leases were lost it
 * has one again, lest nobody find out when it dies: one of half a millisecond more, by which it is no good.
 */
export const LIST_SERVER: string = `${NOW}
return redis.call('ZADD', KEYS[1], 'NX', string.format('%.1f', now + ARGV[2] + 0.5), ARGV[1])
`;

/**
 * KEYS: the same. ARGV: a server, its lease (ms). Gives whether it was still good, and the history of Redis: one that was
 * restarted, or took the place of another, may have lost writes, and begins a new one.
 */
export const RENEW: string = `${NOW}
local untilMs = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or 0)
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
local history = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)') or '-'
return {untilMs > now and untilMs % 1 == 0 and 1 or 0, history}
`;

/** KEYS: the same. Gives the servers whose lease is over. */
export const LAPSED: string = `${NOW}
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now)
`;

/** KEYS: the same. ARGV: a server. */
export const FORGET_SERVER: string = `return redis.call('ZREM', KEYS[1], ARGV[1])`;

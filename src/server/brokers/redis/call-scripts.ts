/*
 * What runs inside Redis for the memory of one client, each at once as a whole. It is a hash:
 *   g      which history of Redis it belongs to. A Redis that was restarted, or took the place of another, may have lost
 *          writes; it begins a new one, and what it holds of others is no more
 *   m      the name of the memory     i  the identity      n  the number of the newest socket
 *   f      the highest id that was forgotten before its client had settled it
 *   l, x   the floor: ids below it are settled at the client, but for those between commas
 *   b      bytes of answers
 *   <id>   'r', the process, ':', a number of its own, a line feed, and what was called: it runs
 *          'a', what was called, a line feed, and the message: the answer
 */
const OPEN = `
redis.replicate_commands()
local h = KEYS[1]
local g = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)') or '-'
local m = redis.call('HMGET', h, 'g', 'm', 'i', 'n', 'f', 'l', 'x')
local function isThere(memory) return m[1] == g and m[2] == memory end
local function isSettled(id) return tonumber(id) < tonumber(m[6]) and not string.find(m[7], ',' .. id .. ',', 1, true) end
`;

/** Forgets answers, the oldest first, where there are too many, or too large ones. */
const TRIM = `
local function trim(most, bytes)
  local size = redis.call('HLEN', h) - 8
  local held = tonumber(redis.call('HGET', h, 'b'))
  if size <= most and held <= bytes then return end
  local ids = {}
  for _, field in ipairs(redis.call('HKEYS', h)) do
    local id = tonumber(field)
    if id then ids[#ids + 1] = id end
  end
  table.sort(ids)
  local last = tonumber(m[5])
  for _, id in ipairs(ids) do
    if size <= most and held <= bytes then break end
    local field = string.format('%.0f', id)
    local value = redis.call('HGET', h, field)
    if string.sub(value, 1, 1) == 'a' then
      redis.call('HDEL', h, field)
      size = size - 1
      held = held - #value
      last = math.max(last, id)
    end
  end
  redis.call('HSET', h, 'b', string.format('%.0f', held), 'f', string.format('%.0f', last))
end
`;

/** ARGV: identity, number of the socket, a new name, how long it lives (ms). Gives why not, or '', and the name. */
export const OPEN_MEMORY: string = `${OPEN}
if m[1] ~= g then
  redis.call('DEL', h)
  redis.call('HSET', h, 'g', g, 'm', ARGV[3], 'i', ARGV[1], 'n', ARGV[2], 'f', '0', 'l', '0', 'x', '', 'b', '0')
  m[2] = ARGV[3]
elseif m[3] ~= ARGV[1] then return {'identity', ''}
elseif tonumber(m[4]) >= tonumber(ARGV[2]) then return {'older', ''}
else redis.call('HSET', h, 'n', ARGV[2]) end
redis.call('PEXPIRE', h, ARGV[4])
return {'', m[2]}
`;

/**
 * ARGV: name of the memory, id, what is stored of it if nothing is, most answers, their most bytes, how long it lives
 * (ms). Gives 'gone', 'unknown', 'new', or 'known' and what is stored.
 */
export const CLAIM: string = `${OPEN}${TRIM}
if not isThere(ARGV[1]) then return {'gone', ''} end
local known = redis.call('HGET', h, ARGV[2])
if known then return {'known', known} end
if tonumber(ARGV[2]) <= tonumber(m[5]) or isSettled(ARGV[2]) then return {'unknown', ''} end
redis.call('HSET', h, ARGV[2], ARGV[3])
trim(tonumber(ARGV[4]), tonumber(ARGV[5]))
redis.call('PEXPIRE', h, ARGV[6])
return {'new', ''}
`;

/**
 * ARGV: name of the memory, id, what must be stored of it, what then is, '' for nothing, most answers, their most bytes,
 * the channel. Gives what is stored now, '' for nothing.
 */
export const REPLACE: string = `${OPEN}${TRIM}
if not isThere(ARGV[1]) then return '' end
local known = redis.call('HGET', h, ARGV[2])
if known ~= ARGV[3] then return known or '' end
if ARGV[4] == '' then redis.call('HDEL', h, ARGV[2])
else redis.call('HSET', h, ARGV[2], ARGV[4]) end
if string.sub(ARGV[4], 1, 1) == 'a' then
  redis.call('HINCRBY', h, 'b', #ARGV[4])
  trim(tonumber(ARGV[5]), tonumber(ARGV[6]))
end
redis.call('PUBLISH', ARGV[7], ARGV[2])
return ARGV[4]
`;

/**
 * ARGV: name of the memory, an id, ids. Forgets those below the first but for the others. None of them is claimed after
 * that: a server may be late with what its client has had from another.
 */
export const FLOOR: string = `${OPEN}
if not isThere(ARGV[1]) then return 0 end
local below, except, open, held = tonumber(ARGV[2]), {}, {}, 0
if below < tonumber(m[6]) then return 0 end
for index = 3, #ARGV do
  local id = ARGV[index]
  except[id] = true
  if not isSettled(id) or redis.call('HEXISTS', h, id) == 1 then open[#open + 1] = id end
end
redis.call('HSET', h, 'l', ARGV[2], 'x', ',' .. table.concat(open, ',') .. ',')
for _, field in ipairs(redis.call('HKEYS', h)) do
  local id = tonumber(field)
  if id and id < below and not except[field] then
    local value = redis.call('HGET', h, field)
    if string.sub(value, 1, 1) == 'a' then held = held + #value end
    redis.call('HDEL', h, field)
  end
end
if held > 0 then redis.call('HINCRBY', h, 'b', string.format('%.0f', -held)) end
return 1
`;

/** ARGV: name of the memory, number of a socket, how long it is kept (ms). Nothing where there is a newer socket. */
export const LEAVE: string = `${OPEN}
if isThere(ARGV[1]) and m[4] == ARGV[2] then redis.call('PEXPIRE', h, ARGV[3]) end
return 1
`;

/** ARGV: name of the memory, number of a socket. Nothing where there is a newer socket. */
export const FORGET: string = `${OPEN}
if isThere(ARGV[1]) and m[4] == ARGV[2] then redis.call('DEL', h) end
return 1
`;

/** KEYS: of a process. ARGV: how long it is thought to live, ms; '' to give up at once. */
export const LEASE: string = `
if ARGV[1] == '' then return redis.call('DEL', KEYS[1]) end
return redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])
`;

/** KEYS: of a process. Gives whether it lives. */
export const LIVES: string = `return redis.call('EXISTS', KEYS[1])`;

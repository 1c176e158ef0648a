/*
 * What runs inside Redis, each at once as a whole. A topic has a hash with its epoch `e`, the offset `o` of its last
 * publication and that one's mark `n`, a stream of its publications, whose ids are `offset-0`, and a hash with the offset
 * of each that has a key and is in the stream. All have the same part in braces, so that a cluster keeps them together.
 */

/**
 * A script that answers with what it was asked under, its last argument, before its own answer. A client that loses its
 * line at a bad moment may take the answer to one command for that to another: what is claimed must not be claimed by
 * such a mistake.
 */
export function marked(script: string): string {
  let text = MARKED.get(script);
  if (text === undefined) {
    text = `local mark = table.remove(ARGV)\nlocal function run()\n${script}\nend\nreturn {mark, run()}`;
    MARKED.set(script, text);
  }
  return text;
}

const MARKED = new Map<string, string>();

/** Names the topic's keys, and begins a history where there is none. */
const OPEN = `
local m = redis.call('HMGET', KEYS[1], 'e', 'o', 'n')
local e, o, n = m[1], tonumber(m[2]), m[3]
local function begin()
  e, o, n = ARGV[1], 0, ''
  redis.call('DEL', KEYS[2], KEYS[3])
  redis.call('HSET', KEYS[1], 'e', e, 'o', 0, 'n', '')
end
if not e then begin() end
`;

/**
 * ARGV: a new epoch, how long the keys live (ms), the payload, its mark, how many publications are kept, how long (ms),
 * the channel, a key or ''. Gives `[epoch, offset]`. What goes to the channel also names the mark before: who follows
 * sees a hole, also where the count had gone back. A key goes with its publication.
 */
export const PUBLISH: string = `${OPEN}
local key = ARGV[8]
if key ~= '' then
  local known = redis.call('HGET', KEYS[3], key)
  if known then return {e, tonumber(known)} end
end
o = o + 1
redis.call('HSET', KEYS[1], 'o', o, 'n', ARGV[4])
if redis.call('EXISTS', KEYS[3]) == 1 then
  local more = redis.call('XLEN', KEYS[2]) + 1 - ARGV[5]
  if more > 0 then
    for _, entry in ipairs(redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', more)) do
      if entry[2][6] then redis.call('HDEL', KEYS[3], entry[2][6]) end
    end
  end
end
if key == '' then
  redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[5], o .. '-0', 'p', ARGV[3], 'n', ARGV[4])
else
  redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[5], o .. '-0', 'p', ARGV[3], 'n', ARGV[4], 'k', key)
  redis.call('HSET', KEYS[3], key, o)
end
redis.call('PEXPIRE', KEYS[3], ARGV[6])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[6])
redis.call('PUBLISH', ARGV[7], e .. ':' .. o .. ':' .. n .. ':' .. ARGV[4] .. ':' .. ARGV[3])
return {e, o}
`;

/**
 * ARGV: a new epoch, how long the keys live (ms), and the last that is known: epoch, offset, mark. Gives
 * `[epoch, offset, mark]`. What is known and is not so any more was lost: then a new history begins.
 */
export const HEAD: string = `${OPEN}
if e == ARGV[3] then
  local known = tonumber(ARGV[4])
  local at = o == known and n or nil
  if o > known then
    local entry = redis.call('XRANGE', KEYS[2], ARGV[4] .. '-0', ARGV[4] .. '-0')[1]
    at = entry and entry[2][4] or ARGV[5]
  end
  if at ~= ARGV[5] then begin() end
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {e, o, n}
`;

/**
 * ARGV: a new epoch (unused), an epoch, an offset, how many at most. Gives the epoch and the offset of the head, the
 * offset of the oldest publication that there is, and those after the offset, each as payload and mark.
 */
export const READ: string = `
local m = redis.call('HMGET', KEYS[1], 'e', 'o')
if not m[1] then return {'', 0, 1} end
local first = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
local oldest = first and tonumber(string.match(first[1], '^%d+')) or tonumber(m[2]) + 1
local found = {m[1], tonumber(m[2]), oldest}
if m[1] == ARGV[1] and tonumber(ARGV[2]) + 1 >= oldest then
  for _, entry in ipairs(redis.call('XRANGE', KEYS[2], (ARGV[2] + 1) .. '-0', '+', 'COUNT', ARGV[3])) do
    found[#found + 1] = entry[2][2]
    found[#found + 1] = entry[2][4]
  end
end
return found
`;

/** KEYS: of many topics. ARGV: how long they live, ms. Gives epoch and offset of each, `['', 0]` where there is none. */
export const POSITIONS: string = `
local found = {}
for _, key in ipairs(KEYS) do
  local m = redis.call('HMGET', key, 'e', 'o')
  redis.call('PEXPIRE', key, ARGV[1])
  found[#found + 1] = m[1] or ''
  found[#found + 1] = tonumber(m[2] or 0)
end
return found
`;

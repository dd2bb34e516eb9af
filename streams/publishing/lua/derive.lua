-- Advances the revisions of hashes that are computed from other hashes' totals, then reads those totals. So whoever
-- advanced a revision last has seen every total.
-- KEYS[1]: the marker; KEYS[2]: the notes of partitions; then for each hash its shares, then the shares of its inputs.
-- ARGV[1]: the marker's value; ARGV[2]: the stream time that they are computed for; ARGV[3]: msgpack list, for each hash
--   {number of inputs, time to live in ms or 0, whether it has shares of its own}.
-- The revision of a hash that should have shares and has none is empty. The largest stream time for which anything was
-- computed is kept among the notes of partitions.
-- Returns false if the marker differs, else {revision, total as msgpack or false, ..., revision, ...}.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
if tonumber(redis.call('HGET', KEYS[2], 'judged') or '0') < tonumber(ARGV[2]) then
  redis.call('HSET', KEYS[2], 'judged', ARGV[2])
end
local at, answer = 3, {}
for _, entry in ipairs(cmsgpack.unpack(ARGV[3])) do
  local shares, revision = KEYS[at], redis.call('HGET', KEYS[at], 'revision')
  if revision then
    revision = string.format('%.0f', tonumber(revision) + 1)
  elseif not entry[3] then
    -- From the clock: a hash that was deleted and comes back must not get a revision that it had before.
    local now = redis.call('TIME')
    revision = string.format('%.0f', now[1] * 1000000 + now[2])
  else
    revision = ''
  end
  if revision ~= '' then
    redis.call('HSET', shares, 'revision', revision)
    if entry[2] > 0 then redis.call('PEXPIRE', shares, entry[2]) end
  end
  answer[#answer + 1] = revision
  for input = at + 1, at + entry[1] do answer[#answer + 1] = redis.call('HGET', KEYS[input], 'total') end
  at = at + entry[1] + 1
end
return answer

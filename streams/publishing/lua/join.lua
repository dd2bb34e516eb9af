-- Joins the publishers of a prefix: finds its owner, and whether its data was lost.
-- KEYS[1]: the owner; KEYS[2]: the marker; KEYS[3]: the set of partitions to publish again;
-- KEYS[4]: the published versions; KEYS[5]: the set of partitions with shares of older incarnations.
-- ARGV[1]: the application; ARGV[2]: a fresh token; ARGV[3]: partitions.
-- A marker of another run of the server is replaced: that run may have lost its newest writes. If there was a marker,
-- shares from before a rebuild may be left.
-- Returns {owner, marker}.
local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
redis.call('SET', KEYS[1], ARGV[1], 'NX')
local before = redis.call('GET', KEYS[2])
local marker = before
if not before or string.sub(before, 1, #run_id) ~= run_id then
  marker = run_id .. ':' .. ARGV[2]
  redis.call('SET', KEYS[2], marker)
  redis.call('DEL', KEYS[4])
  for partition = 0, tonumber(ARGV[3]) - 1 do
    redis.call('SADD', KEYS[3], partition)
    if before then redis.call('SADD', KEYS[5], partition) end
  end
end
return {redis.call('GET', KEYS[1]), marker}

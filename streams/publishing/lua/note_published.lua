-- Notes the versions up to which partitions are published, and that they need not be published again or swept.
-- KEYS[1]: the marker; KEYS[2]: the published versions; KEYS[3]: the set of partitions to publish again;
-- KEYS[4]: the set of those with shares of older incarnations; KEYS[5]: the offsets (see begin_round).
-- ARGV[1]: the marker's value; then partition, version, end, partition, version, end, ...
--   end: the source offset up to which readers see everything; empty: not known; -1: hashes are not complete.
-- Returns false if the marker differs: what was published before the loss must be published again.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
for place = 2, #ARGV, 3 do
  local partition, until_ = ARGV[place], ARGV[place + 2]
  redis.call('HSET', KEYS[2], partition, ARGV[place + 1])
  redis.call('SREM', KEYS[3], partition)
  redis.call('SREM', KEYS[4], partition)
  if until_ == '-1' then
    redis.call('HDEL', KEYS[5], 'done:' .. partition)
  elseif until_ ~= '' then
    redis.call('HSET', KEYS[5], 'done:' .. partition, until_)
  end
end
return 1

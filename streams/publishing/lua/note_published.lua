-- Notes the versions up to which partitions are published, and that they need not be published again or swept.
-- KEYS[1]: the marker; KEYS[2]: the published versions; KEYS[3]: the set of partitions to publish again;
-- KEYS[4]: the set of those with shares of older incarnations.
-- ARGV[1]: the marker's value; then partition, version, partition, version, ...
-- Returns false if the marker differs: what was published before the loss must be published again.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
for place = 2, #ARGV, 2 do
  redis.call('HSET', KEYS[2], ARGV[place], ARGV[place + 1])
  redis.call('SREM', KEYS[3], ARGV[place])
  redis.call('SREM', KEYS[4], ARGV[place])
end
return 1

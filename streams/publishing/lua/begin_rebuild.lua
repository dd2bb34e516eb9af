-- Notes that all partitions are recounted, and forgets those that the source no longer has, and what is of none.
-- KEYS[1]: the marker; KEYS[2]: the set of partitions to be published anew; KEYS[3]: the set of those that are
--   recounted; KEYS[4]: the set of those with shares of older incarnations; KEYS[5]: the versions published;
--   KEYS[6]: what is noted of partitions.
-- ARGV[1]: the marker's value; ARGV[2]: partitions.
-- Returns false where the marker differs; else the versions published of the partitions that there are.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
local count, versions = tonumber(ARGV[2]), {}
for set = 2, 4 do
  redis.call('DEL', KEYS[set])
  for partition = 0, count - 1 do redis.call('SADD', KEYS[set], partition) end
end
for hash = 5, 6 do
  for _, field in ipairs(redis.call('HKEYS', KEYS[hash])) do
    if (tonumber(field) or count) >= count then redis.call('HDEL', KEYS[hash], field) end
  end
end
return redis.call('HVALS', KEYS[5])

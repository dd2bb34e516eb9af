-- Marks all partitions as being recounted. Forgets partitions that the source no longer has, and `judged`, the largest
-- stream time for which anything was computed.
-- KEYS[1]: the marker; KEYS[2]: the set of partitions to publish again; KEYS[3]: the set of those being recounted;
--   KEYS[4]: the set of those with shares of older incarnations; KEYS[5]: the published versions;
--   KEYS[6]: the notes of partitions; KEYS[7]: the offsets (see begin_round).
-- ARGV[1]: the marker's value; ARGV[2]: partitions.
-- Returns false if the marker differs; else the published versions of the partitions that remain.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
local count, versions = tonumber(ARGV[2]), {}
for set = 2, 4 do
  redis.call('DEL', KEYS[set])
  for partition = 0, count - 1 do redis.call('SADD', KEYS[set], partition) end
end
for partition = 0, count - 1 do redis.call('HDEL', KEYS[7], 'done:' .. partition) end
for hash = 5, 6 do
  for _, field in ipairs(redis.call('HKEYS', KEYS[hash])) do
    if (tonumber(field) or count) >= count then redis.call('HDEL', KEYS[hash], field) end
  end
end
return redis.call('HVALS', KEYS[5])

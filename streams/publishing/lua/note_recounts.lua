-- Notes which partitions are recounted, and which are through with it.
-- KEYS[1]: the marker; KEYS[2]: the set of partitions that are recounted.
-- ARGV[1]: the marker's value; then partition, '1' (is recounted) or '0' (is through), partition, ...
-- Returns false where the marker differs, else how many partitions are recounted, of whatever worker.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
for place = 2, #ARGV, 2 do
  redis.call(ARGV[place + 1] == '1' and 'SADD' or 'SREM', KEYS[2], ARGV[place])
end
return redis.call('SCARD', KEYS[2])

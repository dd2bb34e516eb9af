-- Notes which partitions are being recounted, and which are done.
-- KEYS[1]: the marker; KEYS[2]: the set of partitions being recounted.
-- ARGV[1]: the marker's value; then partition, '1' (is being recounted) or '0' (is done), partition, ...
-- Returns false if the marker differs, else how many partitions of all workers are being recounted.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
for place = 2, #ARGV, 2 do
  redis.call(ARGV[place + 1] == '1' and 'SADD' or 'SREM', KEYS[2], ARGV[place])
end
return redis.call('SCARD', KEYS[2])

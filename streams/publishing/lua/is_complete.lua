-- Whether every partition has been published since data was lost.
-- KEYS[1]: the marker; KEYS[2]: the set of partitions to publish again. ARGV[1]: the marker's value.
-- It runs on the server that has these keys now: after a failover, that is another server with another run id.
-- Returns false if the marker differs, or belongs to another run of the server; else 1 or 0.
local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
if redis.call('GET', KEYS[1]) ~= ARGV[1] or string.sub(ARGV[1], 1, #run_id) ~= run_id then return false end
return redis.call('SCARD', KEYS[2]) == 0 and 1 or 0

-- Begins a round of publishing: whether every partition has been published since data was lost, and the notes of all
-- partitions, those of this worker replaced by newer ones.
-- KEYS[1]: the marker; KEYS[2]: the set of partitions to publish again; KEYS[3]: the notes of partitions.
-- ARGV[1]: the marker's value; then partition, note, partition, note, ...
-- It runs on the server that has these keys now: after a failover, that is another server with another run id.
-- Returns false if the marker differs, or belongs to another run of the server; else {1 or 0, field, note, field, ...}.
local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
if redis.call('GET', KEYS[1]) ~= ARGV[1] or string.sub(ARGV[1], 1, #run_id) ~= run_id then return false end
for place = 2, #ARGV, 2 do redis.call('HSET', KEYS[3], ARGV[place], ARGV[place + 1]) end
local notes = redis.call('HGETALL', KEYS[3])
return {redis.call('SCARD', KEYS[2]) == 0 and 1 or 0, unpack(notes)}

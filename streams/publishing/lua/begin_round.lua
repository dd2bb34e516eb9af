-- Begins a round of publishing: whether every partition has been published since data was lost, and the notes of all
-- partitions, those of this worker replaced by newer ones. Notes up to which source offset counters may be written from
-- now on, unless a promotion holds the application still.
-- KEYS[1]: the marker; KEYS[2]: the set of partitions to publish again; KEYS[3]: the notes of partitions;
-- KEYS[4]: what holds it still; KEYS[5]: the offsets, `begun:<partition>` and `done:<partition>`.
-- ARGV[1]: the marker's value; ARGV[2]: the source topic's id; ARGV[3]: how many notes; then partition, note, partition,
--   note, ...; then partition, offset, partition, offset, ...
-- Offsets only advance, as a worker that was frozen may know older ones; those of another topic are forgotten.
-- It runs on the server that has these keys now: after a failover, that is another server with another run id.
-- Returns false if the marker differs, or belongs to another run of the server; else {1 or 0 for each: all is published,
--   held still; field, note, field, ...}.
local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
if redis.call('GET', KEYS[1]) ~= ARGV[1] or string.sub(ARGV[1], 1, #run_id) ~= run_id then return false end
local offsets = 4 + 2 * ARGV[3]
for place = 4, offsets - 1, 2 do redis.call('HSET', KEYS[3], ARGV[place], ARGV[place + 1]) end
local held = redis.call('EXISTS', KEYS[4])
if held == 0 and #ARGV >= offsets then
  if redis.call('HGET', KEYS[5], 'topic_id') ~= ARGV[2] then
    redis.call('DEL', KEYS[5])
    redis.call('HSET', KEYS[5], 'topic_id', ARGV[2])
  end
  for place = offsets, #ARGV, 2 do
    local field = 'begun:' .. ARGV[place]
    if tonumber(redis.call('HGET', KEYS[5], field) or '-1') < tonumber(ARGV[place + 1]) then
      redis.call('HSET', KEYS[5], field, ARGV[place + 1])
    end
  end
end
local notes = redis.call('HGETALL', KEYS[3])
return {redis.call('SCARD', KEYS[2]) == 0 and 1 or 0, held, unpack(notes)}

-- Moves readers from one application to another, if that one shows as much as they have seen.
-- KEYS[1]: the alias; KEYS[2]: the offsets of the one that is shown (see begin_round); then of the other one:
-- KEYS[3]: its marker; KEYS[4]: its offsets; KEYS[5]: its set of partitions to publish again; KEYS[6]: of those that are
--   being recounted; KEYS[7]: the published versions of the one that is shown.
-- ARGV[1]: the other one's prefix; ARGV[2]: '1' to move them even if they see less than before; ARGV[3]: the prefix of
--   the one that is shown.
-- Readers have seen no record at or past `begun` of the one, and see all below `done` of the other.
-- Returns {'moved'}; or why they were not: {'another', prefix that is shown}, {'nothing'}, {'incomplete', partitions},
--   {'recounts', partitions}, {'unknown'}, {'topics'}, {'behind', records}.
local shown = redis.call('HGET', KEYS[1], 'prefix')
if shown and shown ~= ARGV[3] then return {'another', shown} end
local marker = redis.call('GET', KEYS[3])
if not marker then return {'nothing'} end
local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
if string.sub(marker, 1, #run_id) ~= run_id then return {'incomplete', 0} end
if redis.call('SCARD', KEYS[6]) > 0 then return {'recounts', redis.call('SCARD', KEYS[6])} end
if redis.call('SCARD', KEYS[5]) > 0 then return {'incomplete', redis.call('SCARD', KEYS[5])} end

local function offsets(key)
  local found, flat = {}, redis.call('HGETALL', key)
  for place = 1, #flat, 2 do found[flat[place]] = flat[place + 1] end
  return found
end

local seen, shows, behind, partitions = offsets(KEYS[2]), offsets(KEYS[4]), 0, 0
for field, offset in pairs(seen) do
  local partition = string.match(field, '^begun:(%d+)$')
  if partition then
    partitions = partitions + 1
    behind = behind + math.max(0, tonumber(offset) - tonumber(shows['done:' .. partition] or '0'))
  end
end
for field in pairs(shows) do
  local partition = string.match(field, '^begun:(%d+)$')
  -- Not all of its hashes are marked as complete yet.
  if partition and not shows['done:' .. partition] then return {'incomplete', 1} end
end
if ARGV[2] ~= '1' then
  for _, partition in ipairs(redis.call('HKEYS', KEYS[7])) do
    if not seen['begun:' .. partition] then return {'unknown'} end
  end
  if partitions > 0 and seen['topic_id'] ~= shows['topic_id'] then return {'topics'} end
  if behind > 0 then return {'behind', behind} end
end
redis.call('HSET', KEYS[1], 'prefix', ARGV[1])
return {'moved'}

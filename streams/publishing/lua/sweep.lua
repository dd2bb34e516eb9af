-- Deletes shares of older incarnations, and of partitions that no longer exist, and takes them out of totals.
-- KEYS[1]: the marker; KEYS[2]: the stream of changes; then for each key its shares hash and its hash; then boards, and
--   the shares and hashes of computed hashes.
-- ARGV[1]: the marker's value; ARGV[2]: the wall clock in ms; ARGV[3]: the channel of changes;
-- ARGV[4]: the changes kept in the stream; ARGV[5]: partitions; ARGV[6]: msgpack list {{partition, incarnation}, ...};
-- ARGV[7]: msgpack list, for each key {member, {place of a board in KEYS, ...}, {place in KEYS of the shares of one of
--   its computed hashes, ...}}.
-- A hash without any share left is deleted, with its places on boards and its computed hashes, and that is announced. A
-- hash with shares left keeps its fields: their partitions are published again, too, and write the whole hash.
-- Returns false if the marker differs, else how many hashes were deleted, computed ones not counted.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
local count, newest, deleted = tonumber(ARGV[5]), {}, 0
for _, entry in ipairs(cmsgpack.unpack(ARGV[6])) do newest[entry[1]] = entry[2] end

local function delete(shares, key)
  local before = redis.call('HGET', key, 'version')
  local version = math.max(tonumber(before or '0') + 1, tonumber(ARGV[2]))
  redis.call('DEL', shares, key)
  redis.call('PUBLISH', ARGV[3], cjson.encode({key = key, version = version}))
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[4], '*', 'key', key, 'version', string.format('%.0f', version))
end

for index, held in ipairs(cmsgpack.unpack(ARGV[7])) do
  local shares, key = KEYS[index * 2 + 1], KEYS[index * 2 + 2]
  local total, old, left = nil, {}, 0
  for _, field in ipairs(redis.call('HKEYS', shares)) do
    local partition = tonumber(field)
    if partition then
      left = left + 1
      if partition >= count or newest[partition] then
        local share = cmsgpack.unpack(redis.call('HGET', shares, field))
        if partition >= count or share[2] < newest[partition] then
          total = total or cmsgpack.unpack(redis.call('HGET', shares, 'total'))
          for counter = 4, #share do total[counter - 3] = total[counter - 3] - share[counter] end
          old[#old + 1] = field
        end
      end
    end
  end
  if #old > 0 and #old == left then
    delete(shares, key)
    for _, board in ipairs(held[2]) do redis.call('ZREM', KEYS[board], held[1]) end
    for _, computed in ipairs(held[3]) do
      if redis.call('EXISTS', KEYS[computed + 1]) == 1 then delete(KEYS[computed], KEYS[computed + 1]) end
      redis.call('DEL', KEYS[computed])
    end
    deleted = deleted + 1
  elseif #old > 0 then
    redis.call('HDEL', shares, unpack(old))
    redis.call('HSET', shares, 'total', cmsgpack.pack(total))
    redis.call('HINCRBY', shares, 'revision', 1)
  end
end
return deleted

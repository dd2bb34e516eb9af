-- Replaces partitions' shares of keys by newer ones, and adds the differences to the totals.
-- KEYS[1]: the marker; KEYS[2..]: one shares hash for each key.
-- ARGV[1]: the marker's value; ARGV[2]: msgpack list, for each key {time to live in ms or 0,
--   {{partition, incarnation, sequence, counter...}, ...}}.
-- Returns false if the marker differs (Redis lost its data); else
--   {shares refused, revision, total as msgpack, revision, total, ...}. The revision of a key all of whose shares are
--   refused is empty.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
local refused, answer = 0, {0}
for place, entry in ipairs(cmsgpack.unpack(ARGV[2])) do
  local key, ttl, shares = KEYS[place + 1], entry[1], entry[2]
  local fields = {'total', 'revision'}
  for index, share in ipairs(shares) do fields[index + 2] = tostring(share[1]) end
  local held = redis.call('HMGET', key, unpack(fields))
  local packed, revision = held[1], held[2] or '0'
  local total, changes, older = packed and cmsgpack.unpack(packed) or {}, {}, 0
  for index, share in ipairs(shares) do
    local old = held[index + 2] and cmsgpack.unpack(held[index + 2]) or nil
    if old and (old[2] > share[2] or (old[2] == share[2] and old[3] > share[3])) then
      older = older + 1
    elseif not (old and old[2] == share[2] and old[3] == share[3]) then
      -- A share that was computed with other rules may have more counters.
      for counter = 4, math.max(#share, old and #old or 0) do
        total[counter - 3] = (total[counter - 3] or 0) + (share[counter] or 0) - (old and old[counter] or 0)
      end
      changes[#changes + 1] = fields[index + 2]
      changes[#changes + 1] = cmsgpack.pack(share)
    end
  end
  if #changes > 0 then
    packed, revision = cmsgpack.pack(total), string.format('%.0f', tonumber(revision) + 1)
    redis.call('HSET', key, 'total', packed, 'revision', revision, unpack(changes))
  end
  if ttl > 0 then redis.call('PEXPIRE', key, ttl) end
  answer[#answer + 1] = older > 0 and older == #shares and '' or revision
  answer[#answer + 1] = packed or cmsgpack.pack(total)
  refused = refused + older
end
answer[1] = refused
return answer

-- Writes readers' hashes and their places on boards, each only if its revision is unchanged since it was computed.
-- KEYS[1]: the marker; KEYS[2]: the stream of changes; then for each hash its shares and itself; then the boards.
-- ARGV[1]: the marker's value; ARGV[2]: the wall clock in ms; ARGV[3]: the channel of changes;
-- ARGV[4]: the changes kept in the stream;
-- ARGV[5]: msgpack list, for each hash {revision, time to live in ms or 0, {field, text, ...}, group or 0, member,
--   whether other fields are deleted}; a hash without fields is deleted;
-- ARGV[6]: msgpack list of groups of boards, {place in KEYS before the first, time to live in ms or 0,
--   {{place of the score among fields and texts, place of its judge (a count) or 0, the judge's least value}, ...}}.
-- A version is at least the clock, so that it grows even after a loss of data. A hash has no place on a board if its
-- score is missing or 0, or if its judge is below the least value.
-- Returns false if the marker differs, else how many hashes were written.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
local written, groups, placed, removed = 0, cmsgpack.unpack(ARGV[6]), {}, {}

local function put(lists, board, first, second)
  local list = lists[board]
  if not list then list = {}; lists[board] = list end
  list[#list + 1] = first
  list[#list + 1] = second
end

for place, entry in ipairs(cmsgpack.unpack(ARGV[5])) do
  local shares, key, fields = KEYS[place * 2 + 1], KEYS[place * 2 + 2], entry[3]
  local before = redis.call('HGET', key, 'version')
  if redis.call('HGET', shares, 'revision') == entry[1] and (before or #fields > 0) then
    local version = math.max(tonumber(before or '0') + 1, tonumber(ARGV[2]))
    local text = string.format('%.0f', version)
    if #fields == 0 then redis.call('DEL', key) else redis.call('HSET', key, 'version', text, unpack(fields)) end
    if entry[6] and #fields > 0 and redis.call('HLEN', key) * 2 > #fields + 2 then
      redis.call('DEL', key)
      redis.call('HSET', key, 'version', text, unpack(fields))
    end
    if entry[2] > 0 then redis.call('PEXPIRE', key, entry[2]) end
    redis.call('PUBLISH', ARGV[3], cjson.encode({key = key, version = version}))
    redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[4], '*', 'key', key, 'version', text)
    local group = groups[entry[4]]
    if group then
      for index, metric in ipairs(group[3]) do
        local score, judge = fields[metric[1]], metric[2]
        if (tonumber(score) or 0) == 0 or (judge > 0 and tonumber(fields[judge]) < metric[3]) then
          put(removed, group[1] + index, entry[5])
        else
          put(placed, group[1] + index, score, entry[5])
        end
      end
    end
    written = written + 1
  end
end
for board, members in pairs(removed) do redis.call('ZREM', KEYS[board], unpack(members)) end
for board, places in pairs(placed) do redis.call('ZADD', KEYS[board], unpack(places)) end
for _, group in ipairs(groups) do
  if group[2] > 0 then
    for index = 1, #group[3] do redis.call('PEXPIRE', KEYS[group[1] + index], group[2]) end
  end
end
return written

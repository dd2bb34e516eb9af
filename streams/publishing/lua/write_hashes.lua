-- Writes readers' hashes and their places on boards, each only if its revision is unchanged since it was computed.
-- KEYS[1]: the marker; KEYS[2]: the stream of changes; KEYS[3]: the stream of verdicts; KEYS[4]: the verdicts told so far;
--   then for each hash its shares and itself; then the boards.
-- ARGV[1]: the marker's value; ARGV[2]: the wall clock in ms; ARGV[3]: the channel of changes;
-- ARGV[4]: the changes kept in the stream;
-- ARGV[5]: msgpack list, for each hash {revision, time to live in ms or 0, {field, text, ...}, group or 0, member,
--   whether other fields are deleted}; a hash without fields is deleted;
-- ARGV[6]: msgpack list of groups of boards, {place in KEYS before the first, time to live in ms or 0,
--   {{place of the score among fields and texts, or 0 for a list, place of the score's judge (a count) or 0, the
--   judge's least value}, ...}, {} or {verdict, what the member is, place of the field's text} for what is told};
-- ARGV[7]: the verdicts kept in their stream.
-- A version is at least the clock, so that it grows even after a loss of data. A hash has no place on a board if its
-- score is missing or 0, or if its judge is below the least value. Every hash is on a list, with the score 0.
-- A verdict is told when it changes from the hash as it was to the hash as it is, both complete. The hashes between
-- (after a loss, in a rebuild) tell nothing, so the verdict that held before them is kept, and compared in the end.
-- Returns false if the marker differs, else how many hashes were written.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
local written, groups, placed, removed = 0, cmsgpack.unpack(ARGV[6]), {}, {}

local function put(lists, board, first, second)
  local list = lists[board]
  if not list then list = {}; lists[board] = list end
  list[#list + 1] = first
  list[#list + 1] = second
end

local function tell(told, member, id, value, fields, ...)
  redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[7], '*', 'id', told[2] .. ':' .. member .. ':' .. told[1] .. ':' .. id,
    'verdict', told[1], told[2] .. '_id', member, 'value', value, 'as_of_ms', fields[#fields - 2], ...)
end

-- Completions: the largest power of ten that they have reached. Every one on the way is told.
local function tell_milestones(told, member, was, is, fields)
  local field = told[2] .. ':' .. member .. ':' .. told[1]
  local noted = tonumber(redis.call('HGET', KEYS[4], field) or nil)
  local known = noted or (was and #was - 1) or 0
  if is then
    for power = known + 1, #is - 1 do
      local milestone = '1' .. string.rep('0', power)
      tell(told, member, milestone, milestone, fields)
    end
    known = math.max(known, #is - 1)
  end
  if known > (noted or 0) then redis.call('HSET', KEYS[4], field, known) end
end

-- A flag, 0 or 1, as of a week. Noted with it: how often it was told, as it may change twice in a week, and the week: a
-- worker that is behind may write an older one again, which is told to nobody.
local function tell_flag(told, member, was, is, fields)
  local field = told[2] .. ':' .. member .. ':' .. told[1]
  local noted, times, week = string.match(redis.call('HGET', KEYS[4], field) or '', '^(%d):(%d+):?(%d*)$')
  local known = noted or was or '0'
  if is and is ~= known and tonumber(fields[2]) >= (tonumber(week or '') or 0) then
    times = (times or 0) + 1
    tell(told, member, fields[2] .. ':' .. string.format('%.0f', times), is, fields, 'week', fields[2])
    known, week = is, fields[2]
  end
  if known ~= (noted or '0') then
    redis.call('HSET', KEYS[4], field, known .. ':' .. string.format('%.0f', times or 0) .. ':' .. (week or ''))
  end
end

-- before: the hash's version, value of the field and completeness, before it was written; read only for what is told.
local function judge(told, member, before, fields)
  local was = before[3] == '1' and before[2] or nil
  local is = fields[#fields] == '1' and fields[told[3]] or nil
  if told[1] == 'completions' then
    if #(was or '') ~= #(is or '') then tell_milestones(told, member, was, is, fields) end
  elseif was or is then
    tell_flag(told, member, was, is, fields)
  end
end

for place, entry in ipairs(cmsgpack.unpack(ARGV[5])) do
  local shares, key, fields = KEYS[place * 2 + 3], KEYS[place * 2 + 4], entry[3]
  local group = groups[entry[4]]
  local told, seen = group and group[4][1] and group[4], nil
  if told then seen = redis.call('HMGET', key, 'version', told[1], 'complete') end
  local before = seen and seen[1] or not seen and redis.call('HGET', key, 'version')
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
    if told then judge(told, entry[5], seen, fields) end
    if group then
      for index, metric in ipairs(group[3]) do
        local score, judge = fields[metric[1]], metric[2]
        if metric[1] == 0 then
          put(placed, group[1] + index, 0, entry[5])
        elseif (tonumber(score) or 0) == 0 or (judge > 0 and tonumber(fields[judge]) < metric[3]) then
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

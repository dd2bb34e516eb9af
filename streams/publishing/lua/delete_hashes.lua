-- Deletes computed hashes with their revisions, if they exist, and announces that.
-- KEYS[1]: the marker; KEYS[2]: the stream of changes; then for each its shares and itself.
-- ARGV[1]: the marker's value; ARGV[2]: the wall clock in ms; ARGV[3]: the channel of changes;
-- ARGV[4]: the changes kept in the stream.
-- Returns false if the marker differs, else how many existed.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
local deleted = 0
for place = 3, #KEYS, 2 do
  local key, before = KEYS[place + 1], redis.call('HGET', KEYS[place + 1], 'version')
  redis.call('DEL', KEYS[place], key)
  if before then
    local version = math.max(tonumber(before) + 1, tonumber(ARGV[2]))
    redis.call('PUBLISH', ARGV[3], cjson.encode({key = key, version = version}))
    redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[4], '*', 'key', key, 'version', string.format('%.0f', version))
    deleted = deleted + 1
  end
end
return deleted

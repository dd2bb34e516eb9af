-- Writes readers' hashes, each only if its total has not moved on since it was computed.
-- KEYS[1]: the marker; KEYS[2]: the stream of changes; then for each key its shares hash and its hash.
-- ARGV[1]: the marker's value; ARGV[2]: the wall clock in ms; ARGV[3]: the channel of changes;
-- ARGV[4]: the changes kept in the stream; ARGV[5]: msgpack list, for each key
--   {revision, time to live in ms or 0, {field, text, ...}}.
-- A version grows beyond the clock, so that it grows even past a loss of data.
-- Returns false where the marker differs, else how many hashes were written.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
local written = 0
for place, entry in ipairs(cmsgpack.unpack(ARGV[5])) do
  local shares, key = KEYS[place * 2 + 1], KEYS[place * 2 + 2]
  if redis.call('HGET', shares, 'revision') == entry[1] then
    local version = math.max(tonumber(redis.call('HGET', key, 'version') or '0') + 1, tonumber(ARGV[2]))
    local text = string.format('%.0f', version)
    redis.call('HSET', key, 'version', text, unpack(entry[3]))
    if entry[2] > 0 then redis.call('PEXPIRE', key, entry[2]) end
    redis.call('PUBLISH', ARGV[3], cjson.encode({key = key, version = version}))
    redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[4], '*', 'key', key, 'version', text)
    written = written + 1
  end
end
return written

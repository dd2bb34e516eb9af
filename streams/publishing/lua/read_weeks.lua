-- The field `week` of each title's legs.
-- KEYS[1]: the marker; then the hashes of legs. ARGV[1]: the marker's value.
-- Returns false if the marker differs, else the week of each, or false if there are no legs.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
local weeks = {}
for place = 2, #KEYS do weeks[place - 1] = redis.call('HGET', KEYS[place], 'week') end
return weeks

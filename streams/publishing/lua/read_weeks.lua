-- The week that each title's legs are of.
-- KEYS[1]: the marker; then the hashes of legs. ARGV[1]: the marker's value.
-- Returns false where the marker differs, else for each the week, or false where there are no legs.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
local weeks = {}
for place = 2, #KEYS do weeks[place - 1] = redis.call('HGET', KEYS[place], 'week') end
return weeks

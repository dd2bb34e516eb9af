-- Scans for keys of shares, some at a time, on the server that has the marker.
-- KEYS[1]: the marker. ARGV[1]: the marker's value; ARGV[2]: the cursor; ARGV[3]: the pattern; ARGV[4]: about how many.
-- Returns false if the marker differs, else {next cursor, {key, ...}}.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
return redis.call('SCAN', ARGV[2], 'MATCH', ARGV[3], 'COUNT', ARGV[4])

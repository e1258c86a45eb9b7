/** With the flag Upstash locks only the keys that a script is given, so that others run beside it. */
const HEAD = "#!lua flags=allow-key-locking\n";

/**
 * A value is `<stale>:<text>`: it is fresh as long as more than `stale` milliseconds of its lifetime are left, so that
 * only Redis's own clock decides. KEYS: value, claim. ARGV: token, milliseconds of the claim.
 * Gives 0 (fresh), 1 (claim held) or 2 (busy), and the value.
 */
export const LOOKUP_SCRIPT = `${HEAD}
local value = redis.call("GET", KEYS[1])
local stale = value and tonumber(string.match(value, "^(%d+):"))
if stale and redis.call("PTTL", KEYS[1]) > stale then return {0, value} end
local holder = redis.call("GET", KEYS[2])
if holder and holder ~= ARGV[1] then return {2, value} end
redis.call("SET", KEYS[2], ARGV[1], "PX", ARGV[2])
return {1, value}
`;

/** Deletes the key where it holds the token: 1, else 0. */
export const RELEASE_SCRIPT = `${HEAD}
if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("DEL", KEYS[1]) end
return 0
`;

/** Gives the key ARGV[2] milliseconds more where it holds the token: 1, else 0. */
export const RENEW_SCRIPT = `${HEAD}
if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("PEXPIRE", KEYS[1], ARGV[2]) end
return 0
`;

/**
 * Puts tokens back into a bucket of @upstash/ratelimit, whose own way of doing so would fill one whose window is over
 * above its limit. ARGV: limit, window in milliseconds, now, tokens, the window's end in which they were taken, or 0.
 * Gives what is left in the bucket, or -1 where another window has begun.
 */
export const GIVE_BACK_SCRIPT = `${HEAD}
local bucket = redis.call("HMGET", KEYS[1], "refilledAt", "tokens")
local refilledAt, tokens = tonumber(bucket[1]), tonumber(bucket[2])
if not refilledAt or not tokens then return -1 end
local windowEnd = refilledAt + tonumber(ARGV[2])
local takenBefore = tonumber(ARGV[5])
if tonumber(ARGV[3]) >= windowEnd or (takenBefore > 0 and takenBefore ~= windowEnd) then return -1 end
local left = math.min(tonumber(ARGV[1]), tokens + tonumber(ARGV[4]))
redis.call("HSET", KEYS[1], "tokens", left)
return left
`;

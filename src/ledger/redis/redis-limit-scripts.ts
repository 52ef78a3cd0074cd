/** The start of all keys. They have one hash tag, so that a cluster keeps them together. */
export const LIMITS_PREFIX = '{nexcode-limits}'
/** How long a call's reservation stands without being renewed. */
export const LEASE_MS = 10_000
/** How long an end waits to be booked by the node that it is of, before another one does that. */
const BOOKING_MS = 60_000
/** A server that has begun anew decides nothing for so long: all nodes tell it meanwhile what is under way, and book what has ended. */
export const REGISTER_SETTLING_MS = 2_500
/** How long it is known of a reservation that another node has ended it. */
const GONE_MS = 3_600_000

/**
 * What all scripts begin with. KEYS: the prefix. ARGV: the question as JSON. Amounts are text, for cjson writes 14 digits. Times are the
 * server's, so that the clocks of nodes need not agree.
 *
 * Keys: `:era`, the register's identity; `:settling`, that it is new; `:leases`, reservations by the time when they expire; `:r:` buckets,
 * `:p:` places, `:b:` budgets (spent, held, unbooked, known), `:v:` reservations.
 */
const PRELUDE = `
local q = cjson.decode(ARGV[1])
local P = KEYS[1]
local t = redis.call('TIME')
local us = q.now and q.now * 1000 or (t[1] * 1000000 + t[2])
local ms = math.floor(us / 1000)
local function text(n) return string.format('%.0f', n) end
local function era()
  local known = redis.call('GET', P .. ':era')
  if known then return known end
  redis.call('SET', P .. ':era', q.drawn)
  redis.call('SET', P .. ':settling', '1', 'PX', ${REGISTER_SETTLING_MS})
  return q.drawn
end
local function lease(id, forMs) redis.call('ZADD', P .. ':leases', text(ms + forMs), id) end
local function hold(v)
  for _, b in ipairs(cjson.decode(v.budgets)) do redis.call('HINCRBY', P .. ':b:' .. b, 'held', v.amount) end
  for _, p in ipairs(cjson.decode(v.places)) do redis.call('INCR', P .. ':p:' .. p) end
end
local function read(id)
  local f = redis.call('HMGET', P .. ':v:' .. id, 'state', 'amount', 'seen', 'budgets', 'places', 'record', 'interrupted')
  return { state = f[1], amount = f[2], seen = f[3], budgets = f[4], places = f[5], record = f[6], interrupted = f[7] }
end
local function write(id, state, r, cost)
  redis.call('HSET', P .. ':v:' .. id, 'state', state, 'amount', r.amount, 'seen', cost, 'budgets', r.budgets, 'places', r.places, 'record', r.record)
end
local function unbook(v, by)
  for _, b in ipairs(cjson.decode(v.budgets)) do redis.call('HINCRBY', P .. ':b:' .. b, 'unbooked', by) end
end
local function settle(id, v, cost, record, interrupted)
  for _, b in ipairs(cjson.decode(v.budgets)) do
    redis.call('HINCRBY', P .. ':b:' .. b, 'held', '-' .. v.amount)
    redis.call('HINCRBY', P .. ':b:' .. b, 'spent', cost)
  end
  for _, p in ipairs(cjson.decode(v.places)) do
    if redis.call('DECR', P .. ':p:' .. p) <= 0 then redis.call('DEL', P .. ':p:' .. p) end
  end
  redis.call('HSET', P .. ':v:' .. id, 'state', 'ended', 'seen', cost, 'record', record, 'interrupted', interrupted)
  unbook(v, 1)
  lease(id, ${BOOKING_MS})
end
local function bucket(r)
  local period = r.periodMs * 1000
  local key = P .. ':r:' .. r.name
  local ahead = math.max(tonumber(redis.call('GET', key) or '0') - us, 0)
  return key, period, ahead
end
local function fill(key, ahead) redis.call('SET', key, text(us + ahead), 'PX', text(math.ceil(math.max(ahead, 0) / 1000) + 1000)) end
`

/** Decides about a call. Gives `granted`, `rate`, `place`, `budget`, `unknown` or `settling`, and what belongs to it. */
export const DECIDE = `${PRELUDE}
local current = era()
local function states(taken)
  local said = {}
  for i, r in ipairs(q.rates) do
    local key, period, ahead = bucket(r)
    local per = period / math.max(r.limit, 1e-9)
    local rounded = math.min(r.limit, per) / 2
    local to = ahead + math.floor(r.units * per + 0.5)
    local retry = 0
    if r.units > r.limit then retry = -1
    elseif r.units > 0 and to - period > rounded then retry = math.max(1, math.ceil((to - period) / 1000)) end
    if taken then
      if r.units > 0 then fill(key, to) end
      ahead = to
    end
    local left = r.limit > 0 and math.max(0, math.floor((period - ahead + rounded) / per)) or 0
    said[#said + 1] = text(left) .. ' ' .. text(math.ceil(ahead / 1000)) .. ' ' .. text(retry)
  end
  return said
end
local looks = states(false)
for _, look in ipairs(looks) do if string.sub(look, -2) ~= ' 0' then return { 'rate', current, unpack(looks) } end end
if (#q.budgets > 0 or #q.places > 0) and redis.call('EXISTS', P .. ':settling') == 1 then return { 'settling', current } end
local unknown = {}
for i, b in ipairs(q.budgets) do
  if redis.call('HGET', P .. ':b:' .. b.name, 'known') ~= '1' then unknown[#unknown + 1] = text(i - 1) end
end
if #unknown > 0 then return { 'unknown', current, unpack(unknown) } end
for i, b in ipairs(q.budgets) do
  local f = redis.call('HMGET', P .. ':b:' .. b.name, 'spent', 'held')
  if tonumber(f[1] or '0') + tonumber(f[2] or '0') + tonumber(q.v.amount) > tonumber(b.limit) then
    return { 'budget', current, text(i - 1), f[1] or '0', f[2] or '0' }
  end
end
for i, p in ipairs(q.places) do
  if tonumber(redis.call('GET', P .. ':p:' .. p.name) or '0') >= p.limit then return { 'place', current, text(i - 1) } end
end
hold(q.v)
write(q.id, 'open', q.v, '0')
lease(q.id, ${LEASE_MS})
return { 'granted', current, unpack(states(true)) }`

/**
 * Ends a reservation. Where the server has begun anew since it was made, its budgets are read from the books again instead, once it is in
 * them. Told twice, it counts once.
 */
export const END_CALL = `${PRELUDE}
local current = era()
for _, r in ipairs(q.rates) do
  local key, period, ahead = bucket(r)
  if r.limit > 0 then fill(key, math.max(ahead + math.floor(r.units * period / r.limit + 0.5), 0)) end
end
local v = read(q.id)
if v.state == 'open' then
  settle(q.id, v, q.cost, q.v.record, '0')
elseif not v.state and not q.isBooked then
  for _, b in ipairs(cjson.decode(q.v.budgets)) do redis.call('HDEL', P .. ':b:' .. b, 'known') end
  write(q.id, 'ended', q.v, q.cost)
  unbook(q.v, 1)
  lease(q.id, ${BOOKING_MS})
end
return current`

/** Forgets reservations that are in the books; of those that another node has ended it stays known that they are over. */
export const FORGET = `${PRELUDE}
for _, id in ipairs(q.ids) do
  local v = read(id)
  if v.state == 'ended' then
    unbook(v, -1)
    redis.call('DEL', P .. ':v:' .. id)
    redis.call('ZREM', P .. ':leases', id)
    if q.isAdopted then redis.call('SET', P .. ':gone:' .. id, '1', 'PX', ${GONE_MS}) end
  end
end
return era()`

/** Renews reservations, and makes those again that the server has lost. */
export const RENEW_CALLS = `${PRELUDE}
for _, one in ipairs(q.open) do
  local v = read(one.id)
  if v.state == 'open' then
    redis.call('HSET', P .. ':v:' .. one.id, 'seen', one.seen)
    lease(one.id, ${LEASE_MS})
  elseif not v.state and redis.call('EXISTS', P .. ':gone:' .. one.id) == 0 then
    write(one.id, 'open', one.v, one.seen)
    hold(one.v)
    lease(one.id, ${LEASE_MS})
  end
end
return era()`

/** Ends what nodes that are gone have left, and takes over what they have not booked. Gives id, what was seen, whether it was cut off, record. */
export const ADOPT = `${PRELUDE}
local left = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', P .. ':leases', '-inf', text(ms), 'LIMIT', 0, 100)) do
  local v = read(id)
  if v.state == 'open' then
    settle(id, v, v.seen, v.record, '1')
    v.interrupted = '1'
  end
  if v.state then
    lease(id, ${BOOKING_MS})
    left[#left + 1] = { id, v.seen, v.interrupted or '0', v.record }
  else redis.call('ZREM', P .. ':leases', id) end
end
return left`

/** What a budget has: spent, held, ends that are not booked, and whether that is known. */
export const LOOK_AT_BUDGET = `${PRELUDE}
local f = redis.call('HMGET', P .. ':b:' .. q.name, 'spent', 'held', 'unbooked', 'known')
return { f[1] or '0', f[2] or '0', f[3] or '0', f[4] or '0', tostring(redis.call('EXISTS', P .. ':settling')), era() }`

/** Tells a budget what the books say, unless it has changed since it was looked at. Gives 1 where it knows now. */
export const TELL = `${PRELUDE}
era()
local key = P .. ':b:' .. q.name
if redis.call('EXISTS', P .. ':settling') == 1 then return 0 end
local f = redis.call('HMGET', key, 'spent', 'unbooked')
if (f[1] or '0') ~= q.before or (f[2] or '0') ~= '0' then return 0 end
redis.call('HSET', key, 'spent', q.spent, 'known', '1')
if q.expireAt then redis.call('EXPIREAT', key, text(q.expireAt)) end
return 1`

/** Has budgets read from the books again before anything is decided by them. */
export const DISTRUST = `${PRELUDE}
for _, name in ipairs(q.names) do redis.call('HDEL', P .. ':b:' .. name, 'known') end
return era()`

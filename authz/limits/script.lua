-- Charges several limits at once: all of them or none. The twin of algorithms.py, function by function. Leases, which
-- have no twin, also take (`t:count`: charge one counter, and return its stamp in place of the last number) and give
-- back what was taken under a stamp and not spent (`gstamp:count`).
--
-- KEYS: one per counter. ARGV: how many equal requests (0 only looks), then for each key its algorithm (f fixed
-- window, s sliding window, t token bucket; upper case: shadow, which never holds anybody back), capacity, period,
-- rate and cost. The period of a calendar is when its windows begin, in seconds, joined by commas; CLOCK is the answer
-- where none of them is now. Returns how many are admitted, then for each key how many fitted before, and after:
-- remaining, microseconds until whole, microseconds until one more fits. `now`, in microseconds, comes from the lines
-- that are put before this file (TIME, the server's own clock). Every number is whole and below 2^53. `..` would write
-- large ones with an exponent, hence string.format. The state's lifetime is part of the SET that writes it.

local floor, ceil, max, min = math.floor, math.ceil, math.max, math.min

local function cut(text)
  if not string.find(text, ',', 1, true) then return tonumber(text) end
  local starts = {}
  for start in string.gmatch(text, '%d+') do starts[#starts + 1] = start * 1000000 end
  return starts
end

local function window(period)
  if type(period) == 'number' then return floor(now / period), floor(now / period) + 1 end
  for i = 1, #period - 1 do
    if period[i] <= now and now < period[i + 1] then return period[i], period[i + 1] end
  end
end

local function ending(period, stamp)
  if type(period) == 'number' then return (stamp + 1) * period end
  for i = 1, #period do
    if period[i] > stamp then return period[i] end
  end
end

local function settle(algorithm, capacity, period, rate, value)
  local stamp, level, before
  if value then
    stamp, level, before = string.match(value, '^(%d+):(%d+):(%d+)$')
    stamp, level, before = tonumber(stamp), tonumber(level), tonumber(before)
  end
  if algorithm == 't' then
    if not stamp or stamp > now + capacity * period / rate then return now, 0, 0 end
    if stamp >= now then return stamp, level, 0 end
    return now, max(0, level - (now - stamp) * rate), 0
  end
  local this, following = window(period)
  if not stamp or not this then return this, 0, 0 end
  if this <= stamp and stamp <= following then return stamp, level, before end
  return this, 0, (algorithm == 's' and stamp == this - 1) and level or 0
end

local function room(algorithm, capacity, period, stamp, level, before)
  if algorithm == 't' then return floor((capacity * period - level) / period) end
  if algorithm == 'f' then return capacity - level end
  local elapsed = max(0, now - stamp * period)
  return capacity - level - ceil(before * (period - elapsed) / period)
end

local function reset(algorithm, period, rate, stamp, level, before)
  if algorithm == 't' then return level > 0 and stamp - now + ceil(level / rate) or 0 end
  if algorithm == 's' and level > 0 then return (stamp + 2) * period - now end
  return (level > 0 or before > 0) and ending(period, stamp) - now or 0
end

local function retry(algorithm, capacity, period, rate, cost, stamp, level, before)
  if algorithm == 't' then
    local excess = level - (capacity - cost) * period
    return excess > 0 and stamp - now + ceil(excess / rate) or 0
  end
  if cost <= room(algorithm, capacity, period, stamp, level, before) then return 0 end
  if algorithm == 'f' then return ending(period, stamp) - now end
  local spare = capacity - cost - level
  if spare < 0 then stamp, before, spare = stamp + 1, level, capacity - cost end
  return (stamp + 1) * period - min(period, floor(spare * period / before)) - now
end

-- Of a window what was taken in it, of a bucket what has not drained since: never more than would be there without.
local function give(algorithm, period, rate, stamp, level, since, count)
  if algorithm == 't' then return min(level, max(0, count * period - max(0, now - since) * rate)) end
  return stamp == since and min(level, count) or 0
end

local count = tonumber(ARGV[1])
local verb, since
if not count then
  verb, since, count = string.match(ARGV[1], '^(%a)(%d*):(%d+)$')
  since, count = tonumber(since), tonumber(count)
end
local admitted = count
local values = redis.call('MGET', unpack(KEYS))
local counters = {}
for i = 1, #KEYS do
  local at = i * 5 - 3
  local code = ARGV[at]
  local algorithm = string.lower(code)
  local capacity, period = tonumber(ARGV[at + 1]), cut(ARGV[at + 2])
  local rate, cost = tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
  local stamp, level, before = settle(algorithm, capacity, period, rate, values[i])
  if not stamp then return {err = 'CLOCK it is none of the windows that were sent'} end
  local available = max(0, floor(room(algorithm, capacity, period, stamp, level, before) / cost))
  if code == algorithm and available < admitted then admitted = available end
  counters[i] = {algorithm, capacity, period, rate, cost, stamp, level, before, available}
end

local reply = {admitted}
for i = 1, #KEYS do
  local algorithm, capacity, period, rate, cost, stamp, level, before, available = unpack(counters[i])
  local taken = min(admitted, available) * cost
  if algorithm == 't' then taken = taken * period end
  if verb == 'g' then taken = -give(algorithm, period, rate, stamp, level, since, count) end
  level = level + taken
  local whole = reset(algorithm, period, rate, stamp, level, before)
  if taken ~= 0 then
    local state = string.format('%.0f:%.0f:%.0f', stamp, level, before)
    redis.call('SET', KEYS[i], state, 'PX', string.format('%.0f', max(1, ceil(whole / 1000))))
  end
  reply[#reply + 1] = available
  reply[#reply + 1] = max(0, room(algorithm, capacity, period, stamp, level, before))
  reply[#reply + 1] = whole
  reply[#reply + 1] = verb and stamp or available < max(count, 1) and retry(algorithm, capacity, period, rate, cost, stamp, level, before) or 0
end
return reply

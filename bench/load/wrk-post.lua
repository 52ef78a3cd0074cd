-- Sends one body over and over, and prints the figures as one line of JSON. Where it says NUMBERED-000000000 each has a number of its
-- own; where it says PICKED-000100000 each has one picked of those below that.
-- wrk ... -- <file with the body> [<header> <value>]...
function init(args)
  local file = assert(io.open(args[1], "rb"))
  wrk.method = "POST"
  wrk.body = file:read("*a")
  file:close()
  for i = 2, #args - 1, 2 do
    wrk.headers[args[i]] = args[i + 1]
  end
  -- Made once: what wrk sends is then a constant.
  local request_bytes = wrk.format()
  local from, to, below = request_bytes:find("PICKED%-(%d%d%d%d%d%d%d%d%d)")
  if from ~= nil then
    local before, after = request_bytes:sub(1, to - 9), request_bytes:sub(to + 1)
    request = function()
      return before .. string.format("%09d", math.random(0, tonumber(below) - 1)) .. after
    end
    return
  end
  from, to = request_bytes:find("NUMBERED-000000000", 1, true)
  if from == nil then
    request = function()
      return request_bytes
    end
    return
  end
  local before, after, count = request_bytes:sub(1, to - 9), request_bytes:sub(to + 1), os.time() % 100000 * 1000
  request = function()
    count = count + 1
    return before .. string.format("%09d", count % 1000000000) .. after
  end
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(
    string.format(
      '\nJSON {"seconds":%.6f,"requests":%d,"failed":%d,"p50Ms":%.4f,"p99Ms":%.4f}\n',
      summary.duration / 1e6,
      summary.requests,
      errors.connect + errors.read + errors.write + errors.status + errors.timeout,
      latency:percentile(50) / 1e3,
      latency:percentile(99) / 1e3
    )
  )
end

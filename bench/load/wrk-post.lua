-- Sends one body over and over, or with a number of its own in each where it says NUMBERED-000000000, and prints the figures as one line of JSON.
-- wrk ... -- <file with the body> [<header> <value>]...
function init(args)
  local file = assert(io.open(args[1], "rb"))
  wrk.method = "POST"
  wrk.body = file:read("*a")
  file:close()
  wrk.headers["Content-Type"] = "application/json"
  for i = 2, #args - 1, 2 do
    wrk.headers[args[i]] = args[i + 1]
  end
  -- Made once: what wrk sends is then a constant.
  local request_bytes = wrk.format()
  local from, to = request_bytes:find("NUMBERED-000000000", 1, true)
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

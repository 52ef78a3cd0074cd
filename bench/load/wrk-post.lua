-- Sends one body over and over, and prints the figures as one line of JSON.
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
  request = function()
    return request_bytes
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

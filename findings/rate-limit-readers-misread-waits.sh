#!/usr/bin/env bash
# ratelimit-header-parser 0.1.0 (npm), ratelimit-headers 0.1.0 and pytimeparse 1.1.10 (PyPI): they read rate-limit headers, or the times in them.
#   ratelimit-header-parser: an answer with limit, remaining and "Retry-After: 5" but without a reset is reset in the year 1970: the seconds to
#     wait are taken for a date. Whoever waits until then does not wait. A reset as OpenAI writes it ("6m0s") is an Invalid Date, not undefined.
#     The RateLimit header of today's IETF draft ("default";r=50;t=30) gives limit NaN; of OpenAI's own six headers it sees none.
#   ratelimit-headers: "X-RateLimit-Reset: 20", seconds as many servers mean it, is 1970 too; by the npm package's guess it is in 20 s.
#   pytimeparse: reads OpenAI's "1s", "6m0s" and "8.64s", not its "120ms": None, the shortest wait of all. (pytimeparse2 1.7.1 does: 0.12.)
# Seen (November 2026, Node 20, Python 3.11): the lines below.
# What it means for a gateway: Retry-After in whole seconds is the one header that most clients read right, so each 429 of its own needs it; and
# clients that come back at once after a 429 may have read the headers, and been told 1970.
# Needs bash, npm, Node 20 or newer, Python 3.10 or newer with venv. Takes about 10 s. Exit 0: still so. Exit 1: changed.
set -euo pipefail
export npm_config_update_notifier=false
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
timeout 40 npm install --prefix . --ignore-scripts --no-audit --no-fund --loglevel=error ratelimit-header-parser@0.1.0 >/dev/null
python3 -m venv venv
timeout 40 venv/bin/pip install --quiet --disable-pip-version-check ratelimit-headers==0.1.0 pytimeparse==1.1.10 pytimeparse2==1.7.1

cat >read.mjs <<'JS'
import { parseRateLimit } from 'ratelimit-header-parser'
const limits = { 'x-ratelimit-limit': '60', 'x-ratelimit-remaining': '0' }
const openai = Object.fromEntries(['limit', 'remaining', 'reset'].flatMap((what) => ['requests', 'tokens'].map((of) => [`x-ratelimit-${what}-${of}`, '1'])))
const answers = {
  'retry-after 5': { ...limits, 'retry-after': '5' },
  'reset 20': { ...limits, 'x-ratelimit-reset': '20' },
  'reset 6m0s': { ...limits, 'x-ratelimit-reset': '6m0s' },
  'ietf draft': { 'ratelimit-policy': '"default";q=100;w=60', 'ratelimit': '"default";r=50;t=30' },
  'openai': openai,
}
for (const [name, headers] of Object.entries(answers)) {
  const seen = parseRateLimit(new Headers(headers))
  const inSeconds = Math.round((seen?.reset - Date.now()) / 1000)
  const reset = seen === undefined ? '' : Number.isNaN(inSeconds) ? 'Invalid Date' : inSeconds > 0 ? `in ${Math.round(inSeconds / 10) * 10} s` : seen.reset.toISOString()
  console.log(`npm, ${name}:`, seen === undefined ? 'undefined' : `limit ${seen.limit}, reset ${reset}`)
}
JS
cat >read.py <<'PY'
import pytimeparse
import pytimeparse2
from ratelimit_headers import parse

seen = parse(response_headers={"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "20"})
print("python, reset 20: limit %s, reset %s" % (seen.limit, seen.reset.isoformat()))
for wait in ["1s", "6m0s", "8.64s", "120ms"]:
    print("python, %s: %s, %s" % (wait, pytimeparse.parse(wait), pytimeparse2.parse(wait)))
PY

cat >expected <<'TXT'
npm, retry-after 5: limit 60, reset 1970-01-01T00:00:05.000Z
npm, reset 20: limit 60, reset in 20 s
npm, reset 6m0s: limit 60, reset Invalid Date
npm, ietf draft: limit NaN, reset Invalid Date
npm, openai: undefined
python, reset 20: limit 60, reset 1970-01-01T00:00:20+00:00
python, 1s: 1, 1
python, 6m0s: 360, 360
python, 8.64s: 8.64, 8.64
python, 120ms: None, 0.12
TXT
{ timeout 15 node read.mjs; timeout 15 venv/bin/python read.py; } >seen
diff expected seen || { echo 'changed'; exit 1; }
echo 'still so'

#!/usr/bin/env bash
# incomplete-json-parser 1.1.5, untruncate-json 0.0.1 and partial-json-parser 1.2.2 (npm): made to read the arguments of a tool call while they
# stream. What they can't read is the WHOLE, valid JSON at the end, which JSON.parse takes:
#   incomplete-json-parser: an empty object anywhere (the arguments of each tool without parameters), and any number with an exponent, throw.
#   untruncate-json: the character behind a \uXXXX escape is taken for a part of it. Where that is the closing quote, a second `"}` is added to a
#     document that was whole, and the result is no JSON. Its README promises valid output, Unicode escapes included. A server that writes ASCII
#     only (Python's json.dumps does by default) sends such strings all day: "Malm\u00f6", "caf\u00e9".
#   partial-json-parser: null and exponents throw; true and 1.5 do not.
# Seen (November 2026, Node 20): the table below.
# What it means for a gateway: arguments must reach the client in the spelling the model's server chose. Parsing and writing them anew ("{}" for
# "", \uXXXX for a letter, 1e3 for 1000) can break a client whose user never saw a difference; and a report of "truncated arguments" need not be.
# Needs bash, npm and Node 20 or newer. Takes about 10 s. Exit 0: still so. Exit 1: changed.
set -euo pipefail
export npm_config_update_notifier=false
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
timeout 90 npm install --prefix . --ignore-scripts --no-audit --no-fund --loglevel=error \
  incomplete-json-parser@1.1.5 untruncate-json@0.0.1 partial-json-parser@1.2.2 >/dev/null

cat >read.mjs <<'JS'
import incomplete from 'incomplete-json-parser'
import partial from 'partial-json-parser'
import untruncate from 'untruncate-json'

const libraries = {
  'incomplete-json-parser': (text) => incomplete.IncompleteJsonParser.parse(text),
  'untruncate-json': (text) => JSON.parse((untruncate.default ?? untruncate)(text)),
  'partial-json-parser': (text) => (partial.default ?? partial)(text),
}
const documents = ['{"a":"x","b":[1,true]}', '{}', '{"filter":{},"limit":5}', '{"n":1e3}', '{"n":null}', '{"city":"K\\u00f6ln"}', '{"city":"Malm\\u00f6"}']
for (const document of documents) {
  const whole = JSON.stringify(JSON.parse(document))
  for (const [name, read] of Object.entries(libraries)) {
    let verdict = 'right'
    try {
      if (JSON.stringify(read(document)) !== whole) verdict = 'WRONG'
    } catch {
      verdict = 'THROWS'
    }
    console.log(`${document} ${name}: ${verdict}`)
  }
}
JS

cat >expected <<'TXT'
{"a":"x","b":[1,true]} incomplete-json-parser: right
{"a":"x","b":[1,true]} untruncate-json: right
{"a":"x","b":[1,true]} partial-json-parser: right
{} incomplete-json-parser: THROWS
{} untruncate-json: right
{} partial-json-parser: right
{"filter":{},"limit":5} incomplete-json-parser: THROWS
{"filter":{},"limit":5} untruncate-json: right
{"filter":{},"limit":5} partial-json-parser: right
{"n":1e3} incomplete-json-parser: THROWS
{"n":1e3} untruncate-json: right
{"n":1e3} partial-json-parser: THROWS
{"n":null} incomplete-json-parser: right
{"n":null} untruncate-json: right
{"n":null} partial-json-parser: THROWS
{"city":"K\u00f6ln"} incomplete-json-parser: right
{"city":"K\u00f6ln"} untruncate-json: right
{"city":"K\u00f6ln"} partial-json-parser: right
{"city":"Malm\u00f6"} incomplete-json-parser: right
{"city":"Malm\u00f6"} untruncate-json: THROWS
{"city":"Malm\u00f6"} partial-json-parser: right
TXT
timeout 20 node read.mjs >seen
diff expected seen || { echo 'changed'; exit 1; }
echo 'still so'

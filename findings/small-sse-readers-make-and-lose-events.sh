#!/usr/bin/env bash
# event-source-plus 0.1.15, fetch-event-stream 0.1.6 and parse-sse 0.1.0 (npm): small readers of event streams for fetch. By the SSE standard
# an event may have several data lines (joined by a line end), one without data is no event at all, one space behind "data:" is dropped and no
# more, and what has no blank line behind it when the stream ends is thrown away.
#   event-source-plus: of several data lines only the LAST is kept: JSON written over several lines arrives as its tail.
#   fetch-event-stream: an event without data ("event: ping") is handed out with data undefined, and JSON.parse(undefined) throws; and it drops
#     all blanks in front, event-source-plus those on both sides, so words sent as plain text run together.
#   parse-sse: hands out the unfinished event at the end: of a stream that broke off, half a piece of JSON as if it were sent so.
# Seen (November 2026, Node 20): the lines below; eventsource-parser 3.1.1 reads all of them by the standard.
# What it means for a gateway: pings are best sent as comments (": ping"), as events without data they break loops that parse each event; data is
# best left on the one line it came on; a stream that broke should not be closed in the middle of an event if that can be helped.
# Needs bash, npm and Node 20 or newer. Takes about 10 s. Exit 0: still so. Exit 1: changed.
set -euo pipefail
export npm_config_update_notifier=false
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
timeout 90 npm install --prefix . --ignore-scripts --no-audit --no-fund --loglevel=error \
  event-source-plus@0.1.15 fetch-event-stream@0.1.6 parse-sse@0.1.0 eventsource-parser@3.1.1 >/dev/null

cat >read.mjs <<'JS'
import { EventSourcePlus } from 'event-source-plus'
import { EventSourceParserStream } from 'eventsource-parser/stream'
import { events } from 'fetch-event-stream'
import { parseServerSentEvents } from 'parse-sse'

const answer = (text) => new Response(text, { headers: { 'content-type': 'text/event-stream' } })
const all = async (stream) => {
  const seen = []
  for await (const event of stream) seen.push(event.data)
  return seen
}
const readers = {
  'eventsource-parser': (text) => all(answer(text).body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream())),
  'event-source-plus': async (text) => {
    const seen = []
    const source = new EventSourcePlus('http://127.0.0.1/', { fetch: async () => answer(text), maxRetryCount: 0 })
    await new Promise((done) => {
      const controller = source.listen({
        onMessage: ({ data }) => {
          if (data === 'end') done(controller.abort())
          else seen.push(data)
        },
      })
    })
    return seen
  },
  'fetch-event-stream': (text) => all(events(answer(text))),
  'parse-sse': (text) => all(parseServerSentEvents(answer(text))),
}
const streams = {
  'two data lines': 'data: {"a":1,\ndata: "b":2}\n\n',
  'no data': 'event: ping\n\ndata: x\n\n',
  'blanks': 'data:  x \n\n',
  'unfinished': 'data: x\n\ndata: {"half":',
}
for (const [name, text] of Object.entries(streams)) {
  for (const [reader, read] of Object.entries(readers)) {
    if (reader === 'event-source-plus' && name === 'unfinished') continue // it would connect again
    const seen = await read(reader === 'event-source-plus' ? `${text}data: end\n\n` : text)
    console.log(`${name}, ${reader}:`, seen.map((data) => (data === undefined ? 'undefined' : JSON.stringify(data))).join(' '))
  }
}
process.exit(0)
JS

cat >expected <<'TXT'
two data lines, eventsource-parser: "{\"a\":1,\n\"b\":2}"
two data lines, event-source-plus: "\"b\":2}"
two data lines, fetch-event-stream: "{\"a\":1,\n\"b\":2}"
two data lines, parse-sse: "{\"a\":1,\n\"b\":2}"
no data, eventsource-parser: "x"
no data, event-source-plus: "x"
no data, fetch-event-stream: undefined "x"
no data, parse-sse: "x"
blanks, eventsource-parser: " x "
blanks, event-source-plus: "x"
blanks, fetch-event-stream: "x "
blanks, parse-sse: " x "
unfinished, eventsource-parser: "x"
unfinished, fetch-event-stream: "x"
unfinished, parse-sse: "x" "{\"half\":"
TXT
timeout 20 node read.mjs >seen
diff expected seen || { echo 'changed'; exit 1; }
echo 'still so'

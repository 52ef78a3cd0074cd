#!/usr/bin/env bash
# @xsai/stream-text 0.4.4 (npm), streamText: it cuts the stream at \n instead of reading it as SSE has it. Three valid spellings of one answer:
#   CRLF line ends: "[DONE]\r" is not seen to be the end, is read as JSON, and the call fails behind the last word. sse-starlette 3.7.0 (PyPI), which many Python
#     servers stream with, writes CRLF unless told otherwise. No such server and this client work together.
#   an event of two data: lines: fails at once.
#   usage in every chunk (cumulative, as vLLM's continuous_usage_stats has it), or in the last content chunk and in the one behind it (as some
#     providers do): usage is right, totalUsage is their SUM.
# Seen (November 2026, Node 20, Python 3.11): the lines below; sse-starlette: b'data: x\r\n\r\n'.
# What it means for a gateway: line ends of an upstream are not cosmetic, a server change from LF to CRLF breaks clients; and a client's own token
# count may be a multiple of what was used.
# Needs bash, npm, Node 20 or newer, Python 3.10 or newer with venv. Takes about 20 s. Exit 0: still so. Exit 1: changed.
set -euo pipefail
export npm_config_update_notifier=false
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
timeout 40 npm install --prefix . --ignore-scripts --no-audit --no-fund --loglevel=error @xsai/stream-text@0.4.4 >/dev/null
python3 -m venv venv
timeout 40 venv/bin/pip install --quiet --disable-pip-version-check sse-starlette==3.7.0
venv/bin/python -c 'from sse_starlette import ServerSentEvent; print(ServerSentEvent("x").encode())' >seen

cat >run.mjs <<'JS'
import { createServer } from 'node:http'
import { streamText } from '@xsai/stream-text'

process.on('unhandledRejection', () => {}) // its promises for usage and messages reject beside the stream
const chunk = (delta, finish, usage) =>
  ({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }], ...(usage && { usage }) })
const used = (completion) => ({ prompt_tokens: 10, completion_tokens: completion, total_tokens: 10 + completion })
const plain = [chunk({ role: 'assistant', content: 'Hel' }, null), chunk({ content: 'lo' }, null), chunk({}, 'stop')]
const cumulative = [chunk({ role: 'assistant', content: 'Hel' }, null, used(1)), chunk({ content: 'lo' }, null, used(2)), chunk({}, 'stop', used(2))]
const twice = [...plain.slice(0, 2), chunk({}, 'stop', used(2)), { ...chunk({}), choices: [], usage: used(2) }]
const events = (chunks, end = '\n') => [...chunks.map((c) => JSON.stringify(c)), '[DONE]'].map((data) => `data: ${data}${end}${end}`).join('')
const bodies = {
  lf: events(plain),
  crlf: events(plain, '\r\n'),
  'two data lines': events(plain).replaceAll(',"choices"', ',\ndata: "choices"'),
  'usage in each chunk': events(cumulative),
  'usage twice': events(twice),
}

const server = createServer((request, response) => {
  let asked = ''
  request.on('data', (part) => (asked += part)).on('end', () => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(bodies[JSON.parse(asked).model])
  })
}).listen(0, '127.0.0.1')
await new Promise((listening) => server.once('listening', listening))
const baseURL = `http://127.0.0.1:${server.address().port}/v1/`

for (const model of Object.keys(bodies)) {
  let text = ''
  try {
    const result = streamText({ apiKey: 'k', baseURL, model, messages: [{ role: 'user', content: 'hi' }], streamOptions: { includeUsage: true } })
    for await (const part of result.textStream) text += part
    const total = async (promise) => (await promise)?.total_tokens ?? 'none'
    console.log(`${model}: "${text}", usage ${await total(result.usage)}, totalUsage ${await total(result.totalUsage)}`)
  } catch (error) {
    console.log(`${model}: fails, ${error.name}`)
  }
}
process.exit(0)
JS

cat >expected <<'TXT'
b'data: x\r\n\r\n'
lf: "Hello", usage none, totalUsage none
crlf: fails, SyntaxError
two data lines: fails, SyntaxError
usage in each chunk: "Hello", usage 12, totalUsage 35
usage twice: "Hello", usage 12, totalUsage 24
TXT
timeout 30 node run.mjs >>seen
diff expected seen || { echo 'changed'; exit 1; }
echo 'still so'

#!/usr/bin/env bash
# openai 3.57.0 (PyPI) and openai 7.59.0 (npm), both official: the helper chat.completions.stream(), which puts the deltas of a stream together,
# makes two different messages of the same stream. (The bare iterator, create with stream true, is not concerned: it joins nothing.)
#   role in every delta, as several servers send it. Python: "assistantassistantassistant", which sent back as history is a role nobody knows.
#     Node: "assistant".
#   id and function name in every delta of one tool call: Python joins these too, "call_1call_1" and "get_timeget_time", a tool that does not
#     exist. Node: right.
#   reasoning_content in pieces, a field of many servers that neither knows: Python joins the pieces, Node keeps the last piece only.
#   a tool call whose index begins at 1, not 0: IndexError in Python, TypeError in Node.
# Seen (November 2026, Python 3.11, Node 20): the lines below.
# What it means for a gateway: it is no harmless extra to repeat role, id or name in a delta, or to move an index; "tested with the official SDK"
# says nothing of the other official SDK; and what a user reports as doubled tool names is made in the client.
# Needs bash, npm, Node 20 or newer, Python 3.10 or newer with venv. Takes about 25 s. Exit 0: still so. Exit 1: changed.
set -euo pipefail
export npm_config_update_notifier=false
work=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
timeout 40 npm install --prefix . --ignore-scripts --no-audit --no-fund --loglevel=error openai@7.59.0 >/dev/null
python3 -m venv venv
timeout 40 venv/bin/pip install --quiet --disable-pip-version-check openai==3.57.0

cat >server.mjs <<'JS'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'

const chunk = (delta, finish = null) => ({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })
const call = (index, args, named) =>
  ({ tool_calls: [{ index, ...(named && { id: 'call_1', type: 'function' }), function: { ...(named && { name: 'get_time' }), arguments: args } }] })
const streams = {
  usual: [chunk({ role: 'assistant', ...call(0, '{', true) }), chunk(call(0, '}')), chunk({}, 'tool_calls')],
  role: [chunk({ role: 'assistant', content: 'a' }), chunk({ role: 'assistant', content: 'b' }), chunk({ role: 'assistant', content: '' }, 'stop')],
  named: [chunk({ role: 'assistant', ...call(0, '{', true) }), chunk(call(0, '}', true)), chunk({}, 'tool_calls')],
  reasoning: [chunk({ role: 'assistant', reasoning_content: 'first ' }), chunk({ reasoning_content: 'last' }), chunk({ content: 'x' }, 'stop')],
  index: [chunk({ role: 'assistant', ...call(1, '{}', true) }), chunk({}, 'tool_calls')],
}
const server = createServer((request, response) => {
  let asked = ''
  request.on('data', (part) => (asked += part)).on('end', () => {
    const events = [...streams[JSON.parse(asked).model].map((c) => JSON.stringify(c)), '[DONE]']
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(events.map((data) => `data: ${data}\n\n`).join(''))
  })
}).listen(0, '127.0.0.1', () => writeFileSync('port', String(server.address().port)))
JS
cat >client.mjs <<'JS'
import OpenAI from 'openai'
const client = new OpenAI({ apiKey: 'k', baseURL: process.argv[2], maxRetries: 0 })
for (const model of ['usual', 'role', 'named', 'reasoning', 'index']) {
  try {
    const { message } = (await client.chat.completions.stream({ model, messages: [{ role: 'user', content: 'hi' }] }).finalChatCompletion()).choices[0]
    const tool = message.tool_calls?.[0]
    console.log(['node  ', model, message.role, tool?.id ?? '-', tool?.function.name ?? '-', message.reasoning_content ?? '-'].join(' '))
  } catch (error) {
    console.log('node  ', model, /Cannot read properties of undefined/.test(error.message) ? 'TypeError' : error.message)
  }
}
JS
cat >client.py <<'PY'
import sys
from openai import OpenAI
client = OpenAI(api_key="k", base_url=sys.argv[1], max_retries=0)
for model in ["usual", "role", "named", "reasoning", "index"]:
    try:
        with client.chat.completions.stream(model=model, messages=[{"role": "user", "content": "hi"}]) as stream:
            message = stream.get_final_completion().choices[0].message
        tool = message.tool_calls[0] if message.tool_calls else None
        print("python", model, message.role, tool.id if tool else "-", tool.function.name if tool else "-", getattr(message, "reasoning_content", "-"))
    except (IndexError, TypeError) as error:
        print("python", model, type(error).__name__)
PY

cat >expected <<'TXT'
python usual assistant call_1 get_time -
python role assistantassistantassistant - - -
python named assistant call_1call_1 get_timeget_time -
python reasoning assistant - - first last
python index IndexError
node   usual assistant call_1 get_time -
node   role assistant - - -
node   named assistant call_1 get_time -
node   reasoning assistant - - last
node   index TypeError
TXT
node server.mjs & server=$!
for _ in $(seq 50); do [ -s port ] && break; sleep 0.1; done
{ timeout 15 venv/bin/python client.py "http://127.0.0.1:$(cat port)/v1"; timeout 15 node client.mjs "http://127.0.0.1:$(cat port)/v1"; } >seen
diff expected seen || { echo 'changed'; exit 1; }
echo 'still so'

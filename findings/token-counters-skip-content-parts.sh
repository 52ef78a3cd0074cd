#!/usr/bin/env bash
# gpt-tokens 1.3.14, openai-gpt-token-counter 1.1.2 and openai-chat-tokens 0.2.8 (npm) count the tokens of a chat request before it is sent.
#   a user's text as a content part ([{type: "text", text}], the form that SDKs and agents send for each picture or cache mark): the first two
#     count its text as NOTHING, silently, and gpt-tokens prices it at nothing; the third throws.
#   the arguments of an assistant's tool_calls, whole files in a coding agent: nothing, in all three.
#   tools: gpt-tokens counts them, openai-chat-tokens takes the field and counts nothing of it (the older "functions" it counts).
# Seen (November 2026, Node 20), 1000 words of text against one word: the lines below. None of the READMEs says so.
# What it means for a gateway: a caller who counts for himself may be off by the whole prompt; a limit on tokens has to be kept by what the server
# reports in usage, and "my count is 17, you billed 5000" is answered by looking at the form of the request.
# Needs bash, npm and Node 20 or newer. Takes about 15 s. Exit 0: still so. Exit 1: changed.
set -euo pipefail
export npm_config_update_notifier=false
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
timeout 80 npm install --prefix . --ignore-scripts --no-audit --no-fund --loglevel=error \
  gpt-tokens@1.3.14 openai-gpt-token-counter@1.1.2 openai-chat-tokens@0.2.8 >/dev/null

cat >count.mjs <<'JS'
import { GPTTokens } from 'gpt-tokens'
import { promptTokensEstimate } from 'openai-chat-tokens'
import counter from 'openai-gpt-token-counter'

const count = {
  'gpt-tokens': (request) => new GPTTokens({ model: 'gpt-4o', ...request }).usedTokens,
  'openai-gpt-token-counter': ({ messages }) => (counter.default ?? counter).chat(messages, 'gpt-4o'),
  'openai-chat-tokens': (request) => promptTokensEstimate(request),
}
const asked = { role: 'user', content: 'hi' }
const requests = {
  'text': (text) => ({ messages: [{ role: 'user', content: text }] }),
  'text part': (text) => ({ messages: [{ role: 'user', content: [{ type: 'text', text }] }] }),
  'tool call': (text) => ({
    messages: [
      asked,
      { role: 'assistant', content: null, tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'write', arguments: JSON.stringify({ text }) } }] },
      { role: 'tool', tool_call_id: 'call_1', content: 'ok' },
    ],
  }),
  'tools': (text) => ({
    messages: [asked],
    tools: [{ type: 'function', function: { name: 'write', description: text, parameters: { type: 'object', properties: {} } } }],
  }),
}
for (const [form, request] of Object.entries(requests)) {
  for (const [name, tokens] of Object.entries(count)) {
    if (form === 'tools' && name === 'openai-gpt-token-counter') continue // it takes messages only
    let seen
    try {
      const more = tokens(request('word '.repeat(1000))) - tokens(request('word'))
      seen = more === 0 ? 'counts NOTHING' : more > 900 ? 'counts it' : `counts ${more}`
    } catch (error) {
      seen = error.name
    }
    console.log(`${form}, ${name}: ${seen}`)
  }
}
JS

cat >expected <<'TXT'
text, gpt-tokens: counts it
text, openai-gpt-token-counter: counts it
text, openai-chat-tokens: counts it
text part, gpt-tokens: counts NOTHING
text part, openai-gpt-token-counter: counts NOTHING
text part, openai-chat-tokens: TypeError
tool call, gpt-tokens: counts NOTHING
tool call, openai-gpt-token-counter: counts NOTHING
tool call, openai-chat-tokens: counts NOTHING
tools, gpt-tokens: counts it
tools, openai-chat-tokens: counts NOTHING
TXT
timeout 30 node count.mjs >seen
diff expected seen || { echo 'changed'; exit 1; }
echo 'still so'

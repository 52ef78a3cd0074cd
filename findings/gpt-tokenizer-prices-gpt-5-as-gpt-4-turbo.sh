#!/usr/bin/env bash
# gpt-tokenizer 4.0.0 (npm, 1.7 million downloads a week) has estimateCost() and "comprehensive pricing information": dollars for tokens.
#   gpt-4o, gpt-4.1 and gpt-5 cost $10 and $30 for a million tokens there, which is gpt-4-turbo's price: the prompt of gpt-5 (1.25) eight times
#     too dear, that of gpt-4.1 (2) five times, that of gpt-4o (2.50) four times; o3 (2 and 8) has o1's 15 and 60.
#   the small ones that most calls are made with (gpt-4o-mini, gpt-4.1-mini, gpt-5-mini, o4-mini), and all since gpt-5.1, throw
#     "No cost information available".
# aicost 1.2.1 gives {} for each model that it knows, also for the call of its README, which shows an amount.
# llm-cost 1.0.5 gives gpt-4o's price of its first months (5 and 15), and undefined for the same model by its dated name.
# Seen (November 2026, Node 20): the lines below. OpenAI's own prices: https://platform.openai.com/docs/pricing; LiteLLM's and genai-prices' rows of
# these models are the same as those.
# What it means for a gateway: "your bill differs from my estimate by a factor of eight" may be the estimate. A budget has to be kept by the
# usage that the server reports and by prices that are looked after, and a model without a price must not pass as one that costs nothing.
# Needs bash, npm and Node 20 or newer. Takes about 15 s. Exit 0: still so. Exit 1: changed.
set -euo pipefail
export npm_config_update_notifier=false
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
timeout 80 npm install --prefix . --ignore-scripts --no-audit --no-fund --loglevel=error \
  gpt-tokenizer@4.0.0 aicost@1.2.1 llm-cost@1.0.5 >/dev/null

cat >price.mjs <<'JS'
import { calculateCost } from 'aicost'
import { estimateCost as llmCost } from 'llm-cost'

const MILLION = 1_000_000
for (const name of ['gpt-4-turbo', 'gpt-4o', 'gpt-4.1', 'gpt-5', 'o3', 'gpt-4o-mini', 'gpt-5-mini', 'gpt-5.1']) {
  const { estimateCost } = await import(`gpt-tokenizer/model/${name}`)
  let seen
  try {
    const { main } = estimateCost(MILLION)
    seen = `${main.input} and ${main.output}`
  } catch (error) {
    seen = error.message.split(' available')[0]
  }
  console.log(`gpt-tokenizer, ${name}: ${seen}`)
}
const asInReadme = calculateCost({ provider: 'openai', model: 'gpt-3.5-turbo', inputAmount: 6032, outputAmount: 1238 })
console.log(`aicost, gpt-3.5-turbo: ${JSON.stringify(asInReadme)}`)
for (const model of ['gpt-4o', 'gpt-4o-2024-08-06']) {
  console.log(`llm-cost, ${model}: ${llmCost({ model, inputTokens: MILLION, outputTokens: MILLION })}`)
}
JS

cat >expected <<'TXT'
gpt-tokenizer, gpt-4-turbo: 10 and 30
gpt-tokenizer, gpt-4o: 10 and 30
gpt-tokenizer, gpt-4.1: 10 and 30
gpt-tokenizer, gpt-5: 10 and 30
gpt-tokenizer, o3: 15 and 60
gpt-tokenizer, gpt-4o-mini: No cost information
gpt-tokenizer, gpt-5-mini: No cost information
gpt-tokenizer, gpt-5.1: No cost information
aicost, gpt-3.5-turbo: {}
llm-cost, gpt-4o: 20
llm-cost, gpt-4o-2024-08-06: undefined
TXT

timeout 60 node price.mjs >seen
if diff expected seen; then
  cat seen
else
  echo 'changed' >&2
  exit 1
fi

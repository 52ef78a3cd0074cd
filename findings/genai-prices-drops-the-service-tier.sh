#!/usr/bin/env bash
# genai-prices 0.2.3 with LiteLLM 1.110.2 (PyPI): the price of one whole answer of OpenAI's that names its `service_tier`.
#   genai-prices knows the tiers' prices, and `extract_usage` is given the whole answer. It keeps usage and model, and drops the tier: its
#     `calc_price()` asks the standard price, twice that of flex and half that of priority, and tells nothing. Right only where the
#     caller reads the tier out of the answer and hands it in again as `price_context`.
#   LiteLLM's `completion_cost` reads the tier of the answer itself, and comes to the same amounts as genai-prices with the context. But
#     for gpt-5-codex, whose tiers genai-prices has, it asks the standard price.
# Seen (November 2026, Python 3.11): the lines below, in US dollars for 1,000 tokens in, 100 out.
# What it means for a gateway: an amount needs the tier of the *answer* (what was asked for may not be what was given), and two good
# libraries differ by a factor of two on one answer; so say with each amount which tier it was reckoned with.
# Needs bash and Python 3.10 or newer with venv. Takes about 60 s. Exit 0: still so. Exit 1: changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
timeout 150 venv/bin/pip install --quiet --disable-pip-version-check --prefer-binary genai-prices==0.2.3 litellm==1.110.2

cat >run.py <<'PY'
import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
from genai_prices import extract_usage
from litellm import ModelResponse, completion_cost

for model in ("gpt-5", "gpt-4.1", "gpt-5-codex"):
    for tier in ("default", "flex", "priority"):
        if (model, tier) == ("gpt-4.1", "flex"):
            continue
        answer = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": model,
            "service_tier": tier,
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "x"}}],
            "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
        }
        extracted = extract_usage(answer, provider_id="openai", api_flavor="chat")
        plain = extracted.calc_price().total_price
        told = extracted.calc_price(price_context={"service_tier": tier}).total_price
        litellm = completion_cost(ModelResponse(**answer), model=model, custom_llm_provider="openai")
        print(f"{model} {tier} | genai-prices {plain:.6f}, told the tier {told:.6f} | litellm {litellm:.6f}")
PY

cat >expected <<'TXT'
gpt-5 default | genai-prices 0.002250, told the tier 0.002250 | litellm 0.002250
gpt-5 flex | genai-prices 0.002250, told the tier 0.001125 | litellm 0.001125
gpt-5 priority | genai-prices 0.002250, told the tier 0.004500 | litellm 0.004500
gpt-4.1 default | genai-prices 0.002800, told the tier 0.002800 | litellm 0.002800
gpt-4.1 priority | genai-prices 0.002800, told the tier 0.004900 | litellm 0.004900
gpt-5-codex default | genai-prices 0.002250, told the tier 0.002250 | litellm 0.002250
gpt-5-codex flex | genai-prices 0.002250, told the tier 0.001125 | litellm 0.002250
gpt-5-codex priority | genai-prices 0.002250, told the tier 0.004500 | litellm 0.002250
TXT
timeout 60 venv/bin/python -W ignore run.py >seen 2>notes
diff expected seen || { tail -5 notes; echo 'changed'; exit 1; }
echo 'still so'

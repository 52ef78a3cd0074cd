#!/usr/bin/env bash
# litellm 1.110.2 (PyPI), completion_cost and cost_per_token: what a model costs that its price list does not have.
#   a name of no family it knows ("gpt-4.1-micro", "grok-9"): ModelNotMappedError, so the caller can tell "no price" from "free".
#   a name that looks like a next model of GPT-5 and later, of OpenAI's o-series, of Claude or Gemini: 0.0, without an error or a warning. The list has patterns
#     for such names that say what the model can do and no price, and a missing price is read as 0. Real names too: o1-mini (out of the
#     list since it retired) and codex-mini-latest cost nothing, and get_model_info says "input_cost_per_token": 0, as of a free model.
#   a later snapshot of a model in the list ("gpt-4o-2030-01-01"): that model's price.
# Seen (November 2026, Python 3.11): the lines below, in US dollars for a million tokens in and a million out.
# What it means for a gateway: a cost of 0 is not "free" there, and a budget kept by it never ends for the newest models, which are the dearest. NexCode keeps
# no prices; whoever adds up costs beside it should ask for a price above 0 before a model is let through.
# Needs bash and Python 3.10 or newer with venv. Takes about 40 s. Exit 0: still so. Exit 1: changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
timeout 180 venv/bin/pip install --quiet --disable-pip-version-check --prefer-binary litellm==1.110.2

cat >run.py <<'PY'
import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
import litellm

litellm.suppress_debug_info = True
NAMES = [
    ("gpt-4.1", "openai"), ("gpt-4.1-micro", "openai"), ("gpt-4o-2030-01-01", "openai"), ("gpt-5.9", "openai"), ("gpt-7", "openai"), ("o9", "openai"),
    ("o1-mini", "openai"), ("codex-mini-latest", "openai"), ("gpt-5.9", "azure"), ("claude-opus-9", "anthropic"), ("gemini-9-pro", "gemini"),
    ("grok-9", "xai"), ("deepseek-v9", "deepseek"),
]
for model, provider in NAMES:
    try:
        cost = sum(litellm.cost_per_token(model=model, custom_llm_provider=provider, prompt_tokens=10**6, completion_tokens=10**6))
        answer = litellm.ModelResponse(
            model=model,
            choices=[{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "x"}}],
            usage={"prompt_tokens": 10**6, "completion_tokens": 10**6, "total_tokens": 2 * 10**6},
        )
        whole = litellm.completion_cost(answer, model=model, custom_llm_provider=provider)
        told = litellm.get_model_info(model, provider)["input_cost_per_token"]
        seen = f"{cost:.2f}, of a whole answer {whole:.2f}, input_cost_per_token {told}"
    except Exception as error:
        seen = type(error).__name__
    print(f"{provider} {model} in the list: {model in litellm.model_cost} | {seen}")
PY

cat >expected <<'TXT'
openai gpt-4.1 in the list: True | 10.00, of a whole answer 10.00, input_cost_per_token 2e-06
openai gpt-4.1-micro in the list: False | ModelNotMappedError
openai gpt-4o-2030-01-01 in the list: False | 12.50, of a whole answer 12.50, input_cost_per_token 2.5e-06
openai gpt-5.9 in the list: False | 0.00, of a whole answer 0.00, input_cost_per_token 0
openai gpt-7 in the list: False | 0.00, of a whole answer 0.00, input_cost_per_token 0
openai o9 in the list: False | 0.00, of a whole answer 0.00, input_cost_per_token 0
openai o1-mini in the list: False | 0.00, of a whole answer 0.00, input_cost_per_token 0
openai codex-mini-latest in the list: False | 0.00, of a whole answer 0.00, input_cost_per_token 0
azure gpt-5.9 in the list: False | 0.00, of a whole answer 0.00, input_cost_per_token 0
anthropic claude-opus-9 in the list: False | 0.00, of a whole answer 0.00, input_cost_per_token 0
gemini gemini-9-pro in the list: False | 0.00, of a whole answer 0.00, input_cost_per_token 0
xai grok-9 in the list: False | ModelNotMappedError
deepseek deepseek-v9 in the list: False | ModelNotMappedError
TXT
timeout 180 venv/bin/python -W ignore run.py >seen 2>notes
diff expected seen || { tail -5 notes; echo 'changed'; exit 1; }
echo 'still so'

#!/usr/bin/env bash
# mistral-common 1.13.1 (PyPI), the request reader of Mistral's own models (vLLM's --tokenizer-mode mistral, and others). It has a way in for
# OpenAI's form, ChatCompletionRequest.from_openai, and then refuses what an OpenAI conversation is full of:
#   tool call ids that OpenAI gave ("call_" and 24 more): "must be a-z, A-Z, 0-9, with a length of 9", by the rules v3, v5 and v11. The rules v13
#     and v15 take them, so it depends on the model's age.
#   a system message behind a tool's result: by every version. Behind a user's message it is fine.
#   text and tool_calls in one assistant message: v3 (and before) says that it must be one of the two.
#   and two text parts of one message are joined by a blank line that the user never wrote.
# Seen (November 2026, Python 3.11): the lines below.
# What it means for a gateway: a fallback from OpenAI to such a server works for the first turn and is a 400 from the first tool call on, since the
# history names ids of the other side. A 400 of the second target, then, is not the caller's fault; and cached or replayed turns keep their ids.
# Needs bash and Python 3.10 or newer with venv. Takes about 25 s. Exit 0: still so. Exit 1: changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
timeout 80 venv/bin/pip install --quiet --disable-pip-version-check 'mistral-common[sentencepiece]==1.13.1'

cat >read.py <<'PY'
from mistral_common.protocol.instruct import validator as rules
from mistral_common.protocol.instruct.request import ChatCompletionRequest
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

TOOL = {"type": "function", "function": {"name": "get_time", "description": "d", "parameters": {"type": "object", "properties": {}}}}
ASKED = {"role": "user", "content": "What time is it?"}


def called(call_id, content=None):
    call = {"id": call_id, "type": "function", "function": {"name": "get_time", "arguments": "{}"}}
    return [ASKED, {"role": "assistant", "content": content, "tool_calls": [call]}, {"role": "tool", "tool_call_id": call_id, "content": "noon"}]


SYSTEM = {"role": "system", "content": "Be brief."}
HISTORIES = {
    "id of 9": called("abcDEF123"),
    "id of OpenAI": called("call_abcDEF123abcDEF123abcDEF"),
    "text and call": called("abcDEF123", "Let me see."),
    "system behind user": [ASKED, SYSTEM, ASKED],
    "system behind tool": called("abcDEF123") + [SYSTEM, ASKED],
}
for name, messages in HISTORIES.items():
    verdicts = []
    for version in ["V3", "V5", "V11", "V13", "V15"]:
        check = getattr(rules, "MistralRequestValidator" + version)(rules.ValidationMode.serving)
        try:
            check.validate_request(ChatCompletionRequest.from_openai(model="m", messages=messages, tools=[TOOL]))
            verdicts.append(version + " takes it")
        except Exception as error:
            verdicts.append(version + " " + type(error).__name__)
    print(name + ":", ", ".join(verdicts))

parts = [{"role": "user", "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]}]
print(MistralTokenizer.v7().encode_chat_completion(ChatCompletionRequest.from_openai(model="m", messages=parts)).text)
PY

cat >expected <<'TXT'
id of 9: V3 takes it, V5 takes it, V11 takes it, V13 takes it, V15 takes it
id of OpenAI: V3 InvalidFunctionCallException, V5 InvalidFunctionCallException, V11 InvalidFunctionCallException, V13 takes it, V15 takes it
text and call: V3 InvalidAssistantMessageException, V5 takes it, V11 takes it, V13 takes it, V15 takes it
system behind user: V3 takes it, V5 takes it, V11 takes it, V13 takes it, V15 takes it
system behind tool: V3 InvalidMessageStructureException, V5 InvalidMessageStructureException, V11 InvalidMessageStructureException, V13 InvalidMessageStructureException, V15 InvalidMessageStructureException
<s>[INST]▁one<0x0A><0x0A>two[/INST]
TXT
timeout 35 venv/bin/python read.py >seen 2>notes
diff expected seen || { tail -5 notes; echo 'changed'; exit 1; }
echo 'still so'

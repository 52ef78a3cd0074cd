#!/usr/bin/env bash
# ai 7.0.173 with @ai-sdk/openai-compatible 3.0.92, @ai-sdk/openai 4.0.118 and @openrouter/ai-sdk-provider 3.1.0 (npm), pydantic-ai-slim 2.68.0 (PyPI): a usage
# whose reasoning tokens are not part of completion_tokens, as xAI's API has it (BerriAI/litellm#17136): 100 in, 9 out, 300 for reasoning, total_tokens 409.
#   All of them throw the server's total_tokens away and add prompt_tokens and completion_tokens: 109, a quarter of what the server counted, and say beside it that
#     300 of the 9 tokens out were reasoning. OpenRouter's provider reckons the tokens of the text from that: 9 - 300 = -291.
#   langchain-openai 1.7.4 and openai-agents 0.24.0 keep the server's 409.
# Seen (November 2026, Python 3.11, Node 20): the lines below.
# What it means for a gateway: what a client shows as its total is no copy of the server's. An upstream behind one base URL is taken for OpenAI by all of them, so
# the only number that can be compared with a bill is total_tokens in the bytes of the answer.
# Needs bash, npm, Node 20 or newer, Python 3.10 or newer with venv. Takes about 40 s on an idle machine. Exit 0: still so. Exit 1: changed.
set -euo pipefail
export npm_config_update_notifier=false
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
timeout 180 npm install --prefix . --ignore-scripts --no-audit --no-fund --loglevel=error ai@7.0.173 @ai-sdk/openai-compatible@3.0.92 @ai-sdk/openai@4.0.118 \
  @openrouter/ai-sdk-provider@3.1.0 >/dev/null
python3 -m venv venv
timeout 180 venv/bin/pip install --quiet --disable-pip-version-check --prefer-binary 'pydantic-ai-slim[openai]==2.68.0' langchain-openai==1.7.4 openai-agents==0.24.0 \
  openai==3.57.0

cat >by_node.mjs <<'JS'
import { createOpenAI } from '@ai-sdk/openai'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { createOpenRouter } from '@openrouter/ai-sdk-provider'
import { streamText } from 'ai'
const to = { baseURL: process.argv[2], apiKey: 'k' }
const clients = {
  '@ai-sdk/openai-compatible': createOpenAICompatible({ ...to, name: 'own', includeUsage: true }),
  '@ai-sdk/openai': (model) => createOpenAI(to).chat(model),
  '@openrouter/ai-sdk-provider': (model) => createOpenRouter(to).chat(model),
}
for (const shape of ['inside', 'beside'])
  for (const [name, client] of Object.entries(clients)) {
    const answer = streamText({ model: client(shape), prompt: 'hi', maxRetries: 0 })
    for await (const _ of answer.textStream);
    const { totalTokens, outputTokens, outputTokenDetails } = await answer.usage
    console.log(`${shape} | ${name} | total ${totalTokens}, out ${outputTokens}, reasoning ${outputTokenDetails.reasoningTokens}, text ${outputTokenDetails.textTokens}`)
  }
JS
cat >run.py <<'PY'
import asyncio
import json
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from agents import Agent, ModelSettings, OpenAIChatCompletionsModel, Runner, set_tracing_disabled
from langchain_openai import ChatOpenAI
from openai import AsyncOpenAI
from pydantic_ai.direct import model_request_stream
from pydantic_ai.messages import ModelRequest
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider


def chunk(delta, finish=None):
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def stream(completion):
    usage = {"prompt_tokens": 100, "completion_tokens": completion, "total_tokens": 409, "completion_tokens_details": {"reasoning_tokens": 300}}
    return [chunk({"role": "assistant", "content": "Hello"}), chunk({}, "stop"), {**chunk({}), "choices": [], "usage": usage}]


STREAMS = {"inside": stream(309), "beside": stream(9)}


class Server(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_POST(self):
        model = json.loads(self.rfile.read(int(self.headers["content-length"])))["model"]
        events = [json.dumps(event) for event in STREAMS[model]] + ["[DONE]"]
        body = "".join(f"data: {event}\n\n" for event in events).encode()
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
BASE = f"http://127.0.0.1:{server.server_port}/v1"
set_tracing_disabled(True)


async def pydantic_ai(model):
    client = OpenAIChatModel(model, provider=OpenAIProvider(base_url=BASE, api_key="k"))
    async with model_request_stream(client, [ModelRequest.user_text_prompt("hi")]) as answer:
        async for _ in answer:
            pass
        usage = answer.get().usage
    return usage.total_tokens, usage.output_tokens


async def agents(model):
    client = OpenAIChatCompletionsModel(model=model, openai_client=AsyncOpenAI(base_url=BASE, api_key="k"))
    answer = Runner.run_streamed(Agent(name="a", model=client, model_settings=ModelSettings(include_usage=True)), "hi")
    async for _ in answer.stream_events():
        pass
    usage = answer.context_wrapper.usage
    return usage.total_tokens, usage.output_tokens


async def langchain(model):
    whole = None
    async for part in ChatOpenAI(model=model, api_key="k", base_url=BASE, stream_usage=True, max_retries=0).astream("hi"):
        whole = part if whole is None else whole + part
    return whole.usage_metadata["total_tokens"], whole.usage_metadata["output_tokens"]


print(subprocess.run(["node", "by_node.mjs", BASE], stdout=subprocess.PIPE, text=True, timeout=120, check=True).stdout, end="")
for shape in STREAMS:
    for name, ask in {"pydantic-ai": pydantic_ai, "langchain-openai": langchain, "openai-agents": agents}.items():
        total, out = asyncio.run(ask(shape))
        print(f"{shape} | {name} | total {total}, out {out}")
PY

cat >expected <<'TXT'
inside | @ai-sdk/openai-compatible | total 409, out 309, reasoning 300, text 9
inside | @ai-sdk/openai | total 409, out 309, reasoning 300, text 9
inside | @openrouter/ai-sdk-provider | total 409, out 309, reasoning 300, text 9
beside | @ai-sdk/openai-compatible | total 109, out 9, reasoning 300, text 0
beside | @ai-sdk/openai | total 109, out 9, reasoning 300, text 0
beside | @openrouter/ai-sdk-provider | total 109, out 9, reasoning 300, text -291
inside | pydantic-ai | total 409, out 309
inside | langchain-openai | total 409, out 309
inside | openai-agents | total 409, out 309
beside | pydantic-ai | total 109, out 9
beside | langchain-openai | total 409, out 9
beside | openai-agents | total 409, out 9
TXT
timeout 180 venv/bin/python -W ignore run.py >seen 2>notes
diff expected seen || { tail -5 notes; echo 'changed'; exit 1; }
echo 'still so'

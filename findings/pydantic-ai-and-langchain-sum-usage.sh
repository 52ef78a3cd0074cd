#!/usr/bin/env bash
# pydantic-ai-slim 2.68.0 with langchain-openai 1.7.4 (PyPI, both on openai 3.57.0): chat streams of a server that is not OpenAI's own.
#   usage twice, in the chunk with finish_reason and in the one behind it (as providers do that had their own form before OpenAI's): both ADD the
#     two, 12 tokens become 24. Usage in every chunk, cumulative (as vLLM's continuous_usage_stats has it): 35.
#   id and name in every delta of a tool call: pydantic-ai and LangChain join the names, "get_timeget_time"; the ids they do not join.
#   a stream that ends properly half-way, with neither finish_reason nor [DONE]: LangChain tells no reason, pydantic-ai says "stop", that of
#     a whole answer (unless its profile of the model asks for a reason).
# Seen (November 2026, Python 3.11): the lines below.
# What it means for a gateway: the caller's own books may show a multiple of what a key has used, so the gateway's number needs to be explained,
# not defended; and a broken upstream must break the connection, for a clean end is made a "stop" by the client.
# Needs bash and Python 3.10 or newer with venv. Takes about 40 s. Exit 0: still so. Exit 1: changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
timeout 80 venv/bin/pip install --quiet --disable-pip-version-check --prefer-binary 'pydantic-ai-slim[openai]==2.68.0' langchain-openai==1.7.4 openai==3.57.0

cat >run.py <<'PY'
import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from langchain_openai import ChatOpenAI
from pydantic_ai.direct import model_request_stream
from pydantic_ai.messages import ModelRequest, ToolCallPart
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider


def chunk(delta, finish=None, **more):
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more}


def used(completion):
    return {"usage": {"prompt_tokens": 10, "completion_tokens": completion, "total_tokens": 10 + completion}}


def call(arguments):
    return {"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": {"name": "get_time", "arguments": arguments}}]}


TEXT = [chunk({"role": "assistant", "content": "Hel"}), chunk({"content": "lo"})]
LAST = {**chunk({}), "choices": [], **used(2)}
STREAMS = {
    "usage once": [*TEXT, chunk({}, "stop"), LAST],
    "usage twice": [*TEXT, chunk({}, "stop", **used(2)), LAST],
    "usage in each": [chunk({"role": "assistant", "content": "Hel"}, **used(1)), chunk({"content": "lo"}, **used(2)), chunk({}, "stop", **used(2))],
    "named twice": [chunk({"role": "assistant", **call("{")}), chunk(call("}")), chunk({}, "tool_calls")],
    "half": TEXT[:1],
}


class Server(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_POST(self):
        model = json.loads(self.rfile.read(int(self.headers["content-length"])))["model"]
        events = [json.dumps(event) for event in STREAMS[model]] + ([] if model == "half" else ["[DONE]"])
        body = "".join(f"data: {event}\n\n" for event in events).encode()
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
BASE = f"http://127.0.0.1:{server.server_port}/v1"


async def pydantic_ai(model):
    client = OpenAIChatModel(model, provider=OpenAIProvider(base_url=BASE, api_key="k"))
    async with model_request_stream(client, [ModelRequest.user_text_prompt("hi")]) as stream:
        async for _ in stream:
            pass
        answer = stream.get()
    calls = [(part.tool_name, part.tool_call_id) for part in answer.parts if isinstance(part, ToolCallPart)]
    return answer.usage.total_tokens, answer.finish_reason, calls


def langchain(model):
    answer = None
    for part in ChatOpenAI(model=model, api_key="k", base_url=BASE, stream_usage=True, max_retries=0).stream("hi"):
        answer = part if answer is None else answer + part
    calls = [(made["name"], made["id"]) for made in answer.tool_calls]
    return (answer.usage_metadata or {}).get("total_tokens", 0), answer.response_metadata.get("finish_reason"), calls


for model in STREAMS:
    print(model, "| pydantic-ai", *asyncio.run(pydantic_ai(model)), "| langchain", *langchain(model))
PY

cat >expected <<'TXT'
usage once | pydantic-ai 12 stop [] | langchain 12 stop []
usage twice | pydantic-ai 24 stop [] | langchain 24 stop []
usage in each | pydantic-ai 35 stop [] | langchain 35 stop []
named twice | pydantic-ai 0 tool_call [('get_timeget_time', 'call_1')] | langchain 0 tool_calls [('get_timeget_time', 'call_1')]
half | pydantic-ai 0 stop [] | langchain 0 None []
TXT
timeout 35 venv/bin/python -W ignore run.py >seen 2>notes
diff expected seen || { tail -5 notes; echo 'changed'; exit 1; }
echo 'still so'

#!/usr/bin/env bash
# langchain-anthropic 1.7.10 and litellm 1.110.2 (PyPI), @langchain/anthropic 1.5.11 (npm): how many tokens a stream of /v1/messages has used. By Anthropic's
# description message_start has the input, a message_delta has the output so far (cumulative; input only if the server says it again), and there may
# be more than one of them. Anthropic's own client, which the last of these sits on, counts all streams below right.
#   start: the input in message_start only, as the examples of Anthropic's documentation and llama.cpp's server (server-task.cpp) have it.
#     langchain-anthropic reads message_delta only: 0 in, the cached ones lost too.
#   delta: the input in message_delta only. @langchain/anthropic reads it from message_start only: 0 in.
#   both: the input in both. Only here and in delta langchain-anthropic is right; @langchain/anthropic adds the cumulative output to the 1 that
#     message_start says: 301 for 300.
#   two: two message_delta, 120 and 300. Both LangChains add them up, 420 and 421, the Python one the input too; litellm takes the first, which has no
#     stop_reason, for a "stop", and tells 120.
# Seen (November 2026, Python 3.11, Node 20): the lines below, "in/out".
# What it means for a gateway: the two official integrations of one project count one stream differently, so a caller's books need not fit the server's; and a
# server that writes message_delta should repeat the input there and write one message_delta only.
# Needs bash, npm, Node 20 or newer, Python 3.10 or newer with venv. Takes about 60 s. Exit 0: still so. Exit 1: changed.
set -euo pipefail
export npm_config_update_notifier=false
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
timeout 180 npm install --prefix . --ignore-scripts --no-audit --no-fund --loglevel=error @langchain/anthropic@1.5.11 @langchain/core@1.4.0 @anthropic-ai/sdk@1.14.0 >/dev/null
python3 -m venv venv
timeout 180 venv/bin/pip install --quiet --disable-pip-version-check --prefer-binary langchain-anthropic==1.7.10 litellm==1.110.2

cat >read.mjs <<'JS'
import Anthropic from '@anthropic-ai/sdk'
import { ChatAnthropic } from '@langchain/anthropic'
const [base, ...models] = process.argv.slice(2)
for (const model of models) {
  const client = new Anthropic({ apiKey: 'k', baseURL: base, maxRetries: 0 })
  const { usage } = await client.messages.stream({ model, max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] }).finalMessage()
  const input = usage.input_tokens + (usage.cache_creation_input_tokens ?? 0) + (usage.cache_read_input_tokens ?? 0)
  let answer
  for await (const part of await new ChatAnthropic({ model, apiKey: 'k', anthropicApiUrl: base, maxRetries: 0 }).stream('hi'))
    answer = answer === undefined ? part : answer.concat(part)
  const seen = answer.usage_metadata
  console.log(`${model} | @anthropic-ai/sdk ${input}/${usage.output_tokens} | @langchain/anthropic ${seen.input_tokens}/${seen.output_tokens}`)
}
JS
cat >run.py <<'PY'
import json
import os
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
import litellm
from langchain_anthropic import ChatAnthropic

litellm.suppress_debug_info = True
INPUT = {"input_tokens": 100, "cache_creation_input_tokens": 50, "cache_read_input_tokens": 600}


def answer(start, *deltas):
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [], "stop_reason": None, "stop_sequence": None, "usage": start}
    events = [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello"}},
        {"type": "content_block_stop", "index": 0},
    ]
    for usage in deltas:
        reason = "end_turn" if usage is deltas[-1] else None
        events.append({"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}, "usage": usage})
    return [*events, {"type": "message_stop"}]


STREAMS = {
    "both": answer({**INPUT, "output_tokens": 1}, {**INPUT, "output_tokens": 300}),
    "start": answer({**INPUT, "output_tokens": 1}, {"output_tokens": 300}),
    "delta": answer({"input_tokens": 0, "output_tokens": 0}, {**INPUT, "output_tokens": 300}),
    "two": answer({**INPUT, "output_tokens": 1}, {**INPUT, "output_tokens": 120}, {**INPUT, "output_tokens": 300}),
}


class Server(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_POST(self):
        model = json.loads(self.rfile.read(int(self.headers["content-length"])))["model"]
        body = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in STREAMS[model]).encode()
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
BASE = f"http://127.0.0.1:{server.server_port}"

node = subprocess.run(["node", "read.mjs", BASE, *STREAMS], stdout=subprocess.PIPE, text=True, timeout=120, check=True).stdout.splitlines()
for line, model in zip(node, STREAMS):
    whole = None
    for part in ChatAnthropic(model=model, api_key="k", base_url=BASE, max_retries=0).stream("hi"):
        whole = part if whole is None else whole + part
    used = whole.usage_metadata
    parts = litellm.completion(
        model=f"anthropic/{model}", messages=[{"role": "user", "content": "hi"}], api_base=BASE, api_key="k", stream=True, stream_options={"include_usage": True}
    )
    last = [part.usage for part in parts if getattr(part, "usage", None)][-1]
    print(f"{line} | langchain-anthropic {used['input_tokens']}/{used['output_tokens']} | litellm {last.prompt_tokens}/{last.completion_tokens}")
PY

cat >expected <<'TXT'
both | @anthropic-ai/sdk 750/300 | @langchain/anthropic 750/301 | langchain-anthropic 750/300 | litellm 750/300
start | @anthropic-ai/sdk 750/300 | @langchain/anthropic 750/301 | langchain-anthropic 0/300 | litellm 750/300
delta | @anthropic-ai/sdk 750/300 | @langchain/anthropic 0/300 | langchain-anthropic 750/300 | litellm 750/300
two | @anthropic-ai/sdk 750/300 | @langchain/anthropic 750/421 | langchain-anthropic 1500/420 | litellm 750/120
TXT
timeout 180 venv/bin/python -W ignore run.py >seen 2>notes
diff expected seen || { tail -5 notes; echo 'changed'; exit 1; }
echo 'still so'

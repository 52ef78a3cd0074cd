#!/usr/bin/env bash
# langfuse 5.0.4 (PyPI), langfuse.openai in place of openai 3.57.0: what the record of a streamed chat says that the caller was answered.
#   n: 2, the chunks of the two choices taking turns, as OpenAI and vLLM send them: ONE text with the pieces in the order they came, "HelGoolod day",
#     which no one has seen, and one finish_reason, that of the last. Not streamed, both choices are kept.
#   a refusal, or the reasoning_content of many servers: nothing of it is kept, so a refusal is an answer without a text that ended with "stop".
#   The usage is right in all of them.
# opentelemetry-instrumentation-openai 0.62.4 (OpenLLMetry) and openinference-instrumentation-openai 0.1.66 keep the choices apart.
# Seen (November 2026, Python 3.11): the lines below.
# What it means for a gateway: "the model talks gibberish" in a trace need not be in the bytes; look at a recording of the answer before looking for the one who
# mixed up a stream.
# Needs bash and Python 3.10 or newer with venv. Takes about 30 s. Exit 0: still so. Exit 1: changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
timeout 180 venv/bin/pip install --quiet --disable-pip-version-check --prefer-binary langfuse==5.0.4 openai==3.57.0 opentelemetry-sdk==1.45.2 \
  opentelemetry-instrumentation-openai==0.62.4 openinference-instrumentation-openai==0.1.66

cat >server.py <<'PY'
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

USAGE = {"prompt_tokens": 10, "completion_tokens": 6, "total_tokens": 16}


def chunk(delta, finish=None, index=0):
    choices = [{"index": index, "delta": delta, "finish_reason": finish}]
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices}


LAST = {**chunk({}), "choices": [], "usage": USAGE}
STREAMS = {
    "one": [chunk({"role": "assistant", "content": "Hel"}), chunk({"content": "lo"}), chunk({}, "stop"), LAST],
    "two": [
        chunk({"role": "assistant", "content": "Hel"}),
        chunk({"role": "assistant", "content": "Goo"}, index=1),
        chunk({"content": "lo"}),
        chunk({"content": "d day"}, index=1),
        chunk({}, "stop"),
        chunk({}, "length", index=1),
        LAST,
    ],
    "refusal": [chunk({"role": "assistant", "refusal": "I can"}), chunk({"refusal": "not."}), chunk({}, "stop"), LAST],
    "reasoning": [chunk({"role": "assistant", "reasoning_content": "Well"}), chunk({"reasoning_content": "."}), chunk({"content": "Hi"}), chunk({}, "stop"), LAST],
}
WHOLE = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": at, "finish_reason": "stop", "message": {"role": "assistant", "content": text}} for at, text in enumerate(["Hello", "Good day"])],
    "usage": USAGE,
}


class Server(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        events = [json.dumps(event) for event in STREAMS[asked["model"]]] + ["[DONE]"]
        body = ("".join(f"data: {event}\n\n" for event in events) if asked.get("stream") else json.dumps(WHOLE)).encode()
        self.send_response(200)
        self.send_header("content-type", "text/event-stream" if asked.get("stream") else "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
BASE = f"http://127.0.0.1:{server.server_port}/v1"
MESSAGES = [{"role": "user", "content": "hi"}]


def ask(client, model, stream=True):
    more = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
    answer = client.chat.completions.create(model=model, messages=MESSAGES, n=2 if model == "two" else 1, **more)
    if stream:
        for _ in answer:
            pass
PY
cat >by_langfuse.py <<'PY'
import json

from langfuse import Langfuse
from langfuse.openai import OpenAI
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from server import BASE, STREAMS, ask

spans = InMemorySpanExporter()
langfuse = Langfuse(public_key="pk", secret_key="sk", base_url="http://127.0.0.1:9", span_exporter=spans)
client = OpenAI(api_key="k", base_url=BASE, max_retries=0)
for name, stream in [*((name, True) for name in STREAMS), ("two", False)]:
    spans.clear()
    ask(client, name, stream)
    langfuse.flush()
    (span,) = spans.get_finished_spans()
    told = {key.removeprefix("langfuse.observation."): value for key, value in span.attributes.items()}
    used = json.loads(told["usage_details"])
    print(f"langfuse, {name}{'' if stream else ' at once'} | {told.get('output')} | {told.get('metadata.finish_reason')} | {used['completion_tokens']} tokens")
PY
cat >by_others.py <<'PY'
import json
import sys

from openai import OpenAI
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from server import BASE, ask

if sys.argv[1] == "openllmetry":
    from opentelemetry.instrumentation.openai import OpenAIInstrumentor
else:
    from openinference.instrumentation.openai import OpenAIInstrumentor
spans = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(spans))
OpenAIInstrumentor().instrument(tracer_provider=provider)
ask(OpenAI(api_key="k", base_url=BASE, max_retries=0), "two")
told = spans.get_finished_spans()[0].attributes
if sys.argv[1] == "openllmetry":
    texts = [part["content"] for message in json.loads(told["gen_ai.output.messages"]) for part in message["parts"]]
else:
    texts = [told[f"llm.output_messages.{at}.message.content"] for at in (0, 1)]
print(f"{sys.argv[1]}, two", *texts, sep=" | ")
PY

cat >expected <<'TXT'
langfuse, one | Hello | "stop" | 6 tokens
langfuse, two | HelGoolod day | "length" | 6 tokens
langfuse, refusal | None | "stop" | 6 tokens
langfuse, reasoning | Hi | "stop" | 6 tokens
langfuse, two at once | [{"role": "assistant", "content": "Hello"}, {"role": "assistant", "content": "Good day"}] | None | 6 tokens
openllmetry, two | Hello | Good day
openinference, two | Hello | Good day
TXT
for run in by_langfuse.py 'by_others.py openllmetry' 'by_others.py openinference'; do
  # shellcheck disable=SC2086 # a name and its argument
  timeout 180 venv/bin/python -W ignore $run 2>>notes
done >seen
diff expected seen || { tail -5 notes; echo 'changed'; exit 1; }
echo 'still so'

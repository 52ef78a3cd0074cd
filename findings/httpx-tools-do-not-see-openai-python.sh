#!/usr/bin/env bash
# openai 3.57.0 and anthropic 2.14.0 (PyPI) send by httpx2, another package, and no longer by httpx. What stands between httpx and the network does
# not see them. With httpx installed beside them, so that every import works:
#   respx 0.23.1, pytest-httpx 0.36.2, pook 2.1.6: the mock of the URL is set, the client's request goes past it to the REAL server, with the real key, and
#     is answered from there. respx and pytest-httpx complain at the end that the mock was not called, by then it is sent (and paid); pook says nothing.
#   opentelemetry-instrumentation-httpx 0.66b2: no span. (opentelemetry-instrumentation-openai-v2 2.4b0, which is for this very client and has
#     openai>=1.26.0 in its metadata, can't be imported: it needs httpx without asking for it, and with httpx a module that opentelemetry-util-genai
#     1.3b0, the one pip picks, has renamed. "pip check" finds nothing.)
#   vcrpy 9.4.2 stands below both, and stops the request as it should. An httpx.Client handed in as http_client is used, mocks and all: that is the cure.
# Seen (November 2026, Python 3.11): the lines below.
# What it means for a gateway: a test suite that was sealed off calls the upstream after an update of the client, and traces end at the caller. A base_url of
# a server of one's own (`nexcode replay`, a stand-in) holds whatever the client sends by.
# Needs bash and Python 3.10 or newer with venv. Takes about 30 s. Exit 0: still so. Exit 1: changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
timeout 180 venv/bin/pip install --quiet --disable-pip-version-check --prefer-binary openai==3.57.0 anthropic==2.14.0 \
  opentelemetry-instrumentation-openai-v2==2.4b0 opentelemetry-util-genai==1.3b0
try_import='import importlib
try:
    importlib.import_module("opentelemetry.instrumentation.openai_v2")
    print("imported")
except ImportError as error:
    print("openai-v2 |", error)'
venv/bin/python -c "$try_import" >seen
timeout 180 venv/bin/pip install --quiet --disable-pip-version-check --prefer-binary httpx==0.28.1 respx==0.23.1 pytest-httpx==0.36.2 pook==2.1.6 \
  vcrpy==9.4.2 opentelemetry-instrumentation-httpx==0.66b2 opentelemetry-sdk==1.45.2
venv/bin/python -c "$try_import" >>seen
venv/bin/pip check >>seen

cat >stand_in.py <<'PY'
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import anthropic
import openai

MESSAGES = [{"role": "user", "content": "hi"}]
reached = []


def chat(text):
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}


def message(text):
    usage = {"input_tokens": 1, "output_tokens": 1}
    return {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": [{"type": "text", "text": text}], "stop_reason": "end_turn", "usage": usage}


class Server(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_POST(self):
        reached.append(self.path)
        self.rfile.read(int(self.headers.get("content-length", 0)))
        body = json.dumps((chat if self.path == "/v1/chat/completions" else message)("server")).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
ROOT = f"http://127.0.0.1:{server.server_port}"
CHAT, MESSAGE = f"{ROOT}/v1/chat/completions", f"{ROOT}/v1/messages"


def ask_openai(**more):
    client = openai.OpenAI(api_key="k", base_url=f"{ROOT}/v1", max_retries=0, **more)
    return client.chat.completions.create(model="m", messages=MESSAGES).choices[0].message.content


def ask_anthropic():
    client = anthropic.Anthropic(api_key="k", base_url=ROOT, max_retries=0)
    return client.messages.create(model="m", max_tokens=9, messages=MESSAGES).content[0].text


def tell(name, ask):
    before, seen = len(reached), "nothing"
    try:
        seen = ask()
    except (Exception, AssertionError) as error:
        seen = type(error).__name__
    print(f"{name} | {seen} | requests at the server: {len(reached) - before}")
PY
cat >test_mock.py <<'PY'
from stand_in import CHAT, ask_openai, chat, tell


def test_openai(httpx_mock):
    httpx_mock.add_response(url=CHAT, json=chat("mock"))
    tell("pytest-httpx, openai", ask_openai)
PY
cat >run.py <<'PY'
import httpx
import pook
import respx
import vcr
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from stand_in import CHAT, MESSAGE, ask_anthropic, ask_openai, chat, message, tell


def by_httpx():
    return httpx.post(CHAT, json={}).json()["choices"][0]["message"]["content"]


def with_respx(ask, strict=False):
    with respx.mock(assert_all_called=strict) as mock:
        mock.post(CHAT).respond(json=chat("mock"))
        mock.post(MESSAGE).respond(json=message("mock"))
        return ask()


def with_pook(ask):
    with pook.use():
        pook.post(CHAT).reply(200).json(chat("mock"))
        return ask()


def with_vcr(ask):
    with vcr.use_cassette("none.yaml", record_mode="none"):
        return ask()


tell("respx, httpx itself", lambda: with_respx(by_httpx))
tell("respx, openai", lambda: with_respx(ask_openai))
tell("respx, openai, its own check on", lambda: with_respx(ask_openai, strict=True))
tell("respx, anthropic", lambda: with_respx(ask_anthropic))
tell("respx, openai with an httpx.Client", lambda: with_respx(lambda: ask_openai(http_client=httpx.Client())))
tell("pook, httpx itself", lambda: with_pook(by_httpx))
tell("pook, openai", lambda: with_pook(ask_openai))
tell("vcrpy, openai", lambda: with_vcr(ask_openai))
spans = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(spans))
HTTPXClientInstrumentor().instrument(tracer_provider=provider)
for name, ask in {"httpx itself": by_httpx, "openai": ask_openai, "anthropic": ask_anthropic}.items():
    spans.clear()
    ask()
    print(f"opentelemetry, {name} | spans: {len(spans.get_finished_spans())}")
PY

cat >expected <<'TXT'
openai-v2 | No module named 'httpx'
openai-v2 | No module named 'opentelemetry.util.genai.instruments'
No broken requirements found.
respx, httpx itself | mock | requests at the server: 0
respx, openai | server | requests at the server: 1
respx, openai, its own check on | AssertionError | requests at the server: 1
respx, anthropic | server | requests at the server: 1
respx, openai with an httpx.Client | mock | requests at the server: 0
pook, httpx itself | mock | requests at the server: 0
pook, openai | server | requests at the server: 1
vcrpy, openai | CannotOverwriteExistingCassetteException | requests at the server: 0
opentelemetry, httpx itself | spans: 1
opentelemetry, openai | spans: 0
opentelemetry, anthropic | spans: 0
The following responses are mocked but not requested
pytest-httpx, openai | server | requests at the server: 1
TXT
timeout 180 venv/bin/python -W ignore run.py >>seen 2>notes
{ timeout 180 venv/bin/python -m pytest -q -s test_mock.py 2>&1 || true; } | grep -oE '^pytest-httpx.*[0-9]|The following responses are mocked but not requested' | LC_ALL=C sort -u >>seen
diff expected seen || { tail -5 notes; echo 'changed'; exit 1; }
echo 'still so'

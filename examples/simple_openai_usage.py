#!/usr/bin/env python3
"""Use NexCode with the official OpenAI library for Python. Nothing is special but the base URL.

用官方 OpenAI Python 库访问 NexCode：只需改 base_url。

    pip install openai
    python examples/simple_openai_usage.py

Environment:
    OPENAI_BASE_URL   where NexCode listens, with /v1   (default: http://localhost:8000/v1)
    OPENAI_API_KEY    your OpenAI key, or NexCode's API token where REQUIRE_AUTH is on

The exit code is 1 if a step does not go as it should.
"""

import os
import sys

import openai

BASE_URL = os.environ.get("OPENAI_BASE_URL") or "http://localhost:8000/v1"
API_KEY = os.environ.get("OPENAI_API_KEY") or "your-openai-api-key"

CHAT_MODEL = "gpt-3.5-turbo"
# OpenAI serves text completions with instruct models only; a chat model gets a 404 there.
TEXT_MODEL = "gpt-3.5-turbo-instruct"


# curl "$OPENAI_BASE_URL/chat/completions" \
#   -H "Content-Type: application/json" \
#   -H "Authorization: Bearer $OPENAI_API_KEY" \
#   -d '{"model": "gpt-3.5-turbo",
#        "messages": [{"role": "system", "content": "你是一个助手"}, {"role": "user", "content": "你好"}],
#        "temperature": 0.7, "max_tokens": 1500}'
def chat_completion(client: openai.OpenAI) -> None:
    response = client.chat.completions.create(
        model=CHAT_MODEL,
        messages=[
            {"role": "system", "content": "你是一个助手"},
            {"role": "user", "content": "你好"},
        ],
        temperature=0.7,
        max_tokens=1500,
        top_p=1.0,
        presence_penalty=0.0,
        frequency_penalty=0.0,
        stop=["停止词"],
    )
    print(response.choices[0].message.content)
    if response.usage is not None:
        print(f"({response.usage.prompt_tokens} + {response.usage.completion_tokens} tokens)")


# curl "$OPENAI_BASE_URL/completions" \
#   -H "Content-Type: application/json" \
#   -H "Authorization: Bearer $OPENAI_API_KEY" \
#   -d '{"model": "gpt-3.5-turbo-instruct", "prompt": "请解释：什么是网关？", "max_tokens": 200}'
def text_completion(client: openai.OpenAI) -> None:
    response = client.completions.create(
        model=TEXT_MODEL,
        prompt="请解释：什么是网关？",
        temperature=0.7,
        max_tokens=200,
    )
    print(response.choices[0].text.strip())


# curl -N "$OPENAI_BASE_URL/chat/completions" \
#   -H "Content-Type: application/json" \
#   -H "Authorization: Bearer $OPENAI_API_KEY" \
#   -d '{"model": "gpt-3.5-turbo", "stream": true, "stream_options": {"include_usage": true},
#        "messages": [{"role": "user", "content": "用一句话介绍你自己"}]}'
def streaming(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model=CHAT_MODEL,
        messages=[{"role": "user", "content": "用一句话介绍你自己"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = 0
    for chunk in stream:
        # The last chunk carries the usage and no choice.
        if chunk.choices and chunk.choices[0].delta.content:
            chunks += 1
            print(chunk.choices[0].delta.content, end="", flush=True)
        if chunk.usage is not None:
            print(f"\n({chunk.usage.total_tokens} tokens, in {chunks} chunks)")
    if chunks == 0:
        raise RuntimeError("the stream ended without any text")


# curl -i "$OPENAI_BASE_URL/chat/completions" \
#   -H "Content-Type: application/json" \
#   -H "Authorization: Bearer $OPENAI_API_KEY" \
#   -d '{"model": "unknown-model", "messages": [{"role": "user", "content": "你好"}]}'
def error_handling(client: openai.OpenAI) -> None:
    """Errors are OpenAI's own: the same status, body and exception class as without NexCode."""
    try:
        client.chat.completions.create(
            model="unknown-model",
            messages=[{"role": "user", "content": "你好"}],
        )
    except openai.NotFoundError as error:
        print(f"As expected: {type(error).__name__}, status {error.status_code}, code {error.code}")
        print(f"Request id, to name this call by: {error.request_id}")
        return
    raise RuntimeError("a model that does not exist was served")


def explain(error: Exception) -> str:
    """Say what a failed step means. The order matters: the special classes come first."""
    if isinstance(error, openai.APITimeoutError):
        return "No answer in time."
    if isinstance(error, openai.APIConnectionError):
        return f"Nobody answers at {BASE_URL}. Is NexCode running? Start it with `npm start`, or `npm run demo`."
    if isinstance(error, openai.AuthenticationError):
        return f"The key was refused; set OPENAI_API_KEY. {error.message}"
    if isinstance(error, openai.RateLimitError):
        return f"Too many requests, or the quota is used up. {error.message}"
    if isinstance(error, openai.APIStatusError):
        return f"Status {error.status_code}, request id {error.request_id}: {error.message}"
    return f"{type(error).__name__}: {error}"


def main() -> int:
    # A terminal that can't show a character shows another one instead of ending the program.
    sys.stdout.reconfigure(errors="replace")
    print(f"NexCode at {BASE_URL}")
    client = openai.OpenAI(api_key=API_KEY, base_url=BASE_URL)
    steps = [
        ("1. Chat completion", chat_completion),
        ("2. Text completion", text_completion),
        ("3. Streaming", streaming),
        ("4. Error handling", error_handling),
    ]
    failed = 0
    for heading, step in steps:
        print(f"\n=== {heading} ===")
        try:
            step(client)
        except Exception as error:  # Each step is shown, whatever happened to the one before.
            failed += 1
            print(f"FAILED. {explain(error)}")
    print(f"\n{len(steps) - failed} of {len(steps)} steps went as they should.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

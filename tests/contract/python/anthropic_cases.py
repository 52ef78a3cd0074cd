"""Runs the official Anthropic library for Python against a gateway: BASE_URL, TOKEN (what it takes).

Prints one line of JSON: what each case gave, by its name.
"""

from __future__ import annotations

import json
import os
from typing import Any, Callable

import anthropic

BASE_URL = os.environ["BASE_URL"]
HELLO: Any = {"max_tokens": 64, "messages": [{"role": "user", "content": "Hello"}]}
TOOLS: Any = [{"name": "get_weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}]


def client(**options: Any) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=BASE_URL, max_retries=0, **options)


MINE = client(api_key=os.environ["TOKEN"])
BEARER = client(api_key=None, auth_token=os.environ["TOKEN"])


def raised(call: Callable[[], Any]) -> Any:
    try:
        call()
    except anthropic.APIError as error:
        body: Any = error.body
        return [type(error).__name__, getattr(error, "status_code", None), body["error"]["type"]]
    return None


def create() -> Any:
    message = MINE.messages.create(model="claude-a", **HELLO)
    return [message.content[0].text, message.model, message.usage.input_tokens, message._request_id]


def stream() -> Any:
    with MINE.messages.stream(model="claude-a", **HELLO) as events:
        text = "".join(events.text_stream)
        return [text, events.get_final_message().usage.output_tokens]


def tools() -> Any:
    message = MINE.messages.create(model="claude-a", tools=TOOLS, **HELLO)
    return [message.stop_reason, message.content[0].name, message.content[0].input]


def cut() -> Any:
    def read() -> None:
        with MINE.messages.stream(model="claude-cut", **HELLO) as events:
            for _ in events:
                pass

    name, _, kind = raised(read)
    return [issubclass(getattr(anthropic, name), anthropic.APIError), kind]


print(
    json.dumps(
        {
            "create": create(),
            "bearer": BEARER.messages.create(model="claude-a", **HELLO).content[0].text,
            "stream": stream(),
            "tools": tools(),
            "count": MINE.messages.count_tokens(model="claude-a", messages=HELLO["messages"]).input_tokens,
            "models": [[one.id, one.display_name, one.type] for one in MINE.models.list()],
            "wrong key": raised(lambda: client(api_key="wrong").messages.create(model="claude-a", **HELLO)),
            "unknown model": raised(lambda: MINE.messages.create(model="claude-z", **HELLO)),
            "limited": raised(lambda: MINE.messages.create(model="claude-limited", **HELLO)),
            "unreachable": raised(lambda: MINE.messages.create(model="claude-gone", **HELLO)),
            "cut": cut(),
        }
    )
)

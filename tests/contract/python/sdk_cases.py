"""Runs the official OpenAI library for Python against an upstream, directly and through a gateway.

Reads from the environment: DIRECT and THROUGH (base URLs of the simulated OpenAI and of the gateway in front of it),
FLAKY (a gateway before an upstream that refuses at first) and GONE (where nobody listens).

Prints one line of JSON for each case and client: {"case", "client": "sync" | "async", "direct", "through"}. The values
of both are what a program can learn from the library: results, or the exception. `direct` is null where there is none.
"""

from __future__ import annotations

import asyncio
import base64
import inspect
import json
import os
from contextlib import asynccontextmanager
from typing import Any, Awaitable, Callable

import openai
import pydantic

Client = Any
Case = Callable[[Client], Awaitable[Any]]

MESSAGES = [{"role": "user", "content": "Hello, 世界 🌍"}]
QUESTION = [{"role": "user", "content": "Please call get_weather."}]
PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
CHAT_TOOLS = [{"type": "function", "function": {"name": "get_weather", "strict": True, "parameters": PARAMETERS}}]
TOOLS = [{"type": "function", "name": "get_weather", "strict": True, "parameters": PARAMETERS}]
CONTENT = bytes(index * 31 % 256 for index in range(300_000))

CASES: dict[str, Case] = {}
THROUGH_ONLY: dict[str, Case] = {}


class Trip(pydantic.BaseModel):
    city: str
    days: int


def case(run: Case) -> Case:
    """A case that is run directly too."""
    CASES[run.__name__] = run
    return run


def through_only(run: Case) -> Case:
    THROUGH_ONLY[run.__name__] = run
    return run


async def settle(value: Any) -> Any:
    """The result of a call, of either kind of client."""
    return await value if inspect.isawaitable(value) else value


async def drain(stream: Any) -> list[Any]:
    """All items of a stream or a list, of either kind of client."""
    if hasattr(stream, "__aiter__"):
        return [item async for item in stream]
    return list(stream)


@asynccontextmanager
async def opened(manager: Any) -> Any:
    """A context manager of either kind of client."""
    if hasattr(manager, "__aenter__"):
        async with manager as value:
            yield value
    else:
        with manager as value:
            yield value


def plain(value: Any) -> Any:
    """Models as JSON, with their own fields and the unknown ones."""
    if isinstance(value, pydantic.BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


def told(error: Exception) -> dict[str, Any]:
    """Everything that a program can learn from an exception of the library."""
    if isinstance(error, openai.APIStatusError):
        names = ["retry-after", "retry-after-ms", "x-should-retry", "x-ratelimit-reset-requests"]
        return {
            "raises": type(error).__name__,
            "status": error.status_code,
            "message": error.message,
            "code": error.code,
            "param": error.param,
            "type": error.type,
            "request_id": error.request_id,
            "headers": {name: error.response.headers.get(name) for name in names},
        }
    if isinstance(error, openai.APIError):
        return {"raises": type(error).__name__, "message": error.message, "code": error.code, "body": error.body}
    return {"raises": type(error).__name__, "message": str(error)}


async def raised(run: Callable[[], Any]) -> dict[str, Any]:
    """The exception of a call that must fail."""
    try:
        value = await settle(run())
    except Exception as error:  # Any of them is a result.
        return told(error)
    return {"raises": None, "value": plain(value)}


async def ask(client: Client, model: str, **options: Any) -> Any:
    return await settle(client.chat.completions.create(model=model, messages=MESSAGES, **options))


@case
async def chat(client: Client) -> Any:
    answer = await ask(client, "gpt-4o", n=2, seed=1)
    return [answer, answer._request_id]


@case
async def headers(client: Client) -> Any:
    raw = await settle(client.chat.completions.with_raw_response.create(model="gpt-4o", messages=MESSAGES))
    return {name: value for name, value in raw.headers.items() if name.startswith(("openai-", "x-"))}


@case
async def chat_stream(client: Client) -> Any:
    return await drain(await ask(client, "gpt-4o", stream=True, stream_options={"include_usage": True}))


@case
async def chat_stream_bytes(client: Client) -> Any:
    streaming = client.chat.completions.with_streaming_response
    async with opened(streaming.create(model="gpt-4o", messages=MESSAGES, stream=True)) as response:
        return [response.headers["content-type"], (await settle(response.read())).decode()]


@case
async def tools(client: Client) -> Any:
    return await settle(client.chat.completions.create(model="gpt-4o", messages=QUESTION, tools=CHAT_TOOLS))


@case
async def tools_stream(client: Client) -> Any:
    call = {"model": "gpt-4o", "messages": QUESTION, "tools": CHAT_TOOLS}
    async with opened(client.chat.completions.stream(**call)) as stream:
        await drain(stream)
        return await settle(stream.get_final_completion())


@case
async def structured_output(client: Client) -> Any:
    answer = await settle(client.chat.completions.parse(model="gpt-4o", messages=MESSAGES, response_format=Trip))
    return answer.choices[0].message.parsed


@case
async def completions(client: Client) -> Any:
    return await settle(client.completions.create(model="gpt-3.5-turbo-instruct", prompt=["Say", "this"], echo=True))


@case
async def completions_stream(client: Client) -> Any:
    return await drain(await settle(client.completions.create(model="gpt-3.5-turbo-instruct", prompt="Say", stream=True)))


@case
async def embeddings(client: Client) -> Any:
    call = {"model": "text-embedding-3-small", "input": ["cat", "dog"], "dimensions": 8}
    floats = await settle(client.embeddings.create(**call, encoding_format="float"))
    coded = await settle(client.embeddings.create(**call, encoding_format="base64"))
    # Asked for in base64 too, and decoded by the library.
    decoded = await settle(client.embeddings.create(**call))
    return {
        "floats": [item.embedding for item in floats.data],
        "base64": [item.embedding for item in coded.data],
        "decoded": [item.embedding for item in decoded.data],
    }


@case
async def responses(client: Client) -> Any:
    answer = await settle(client.responses.create(model="gpt-5", input="Hello", metadata={"a": "1"}))
    return [answer.output_text, answer]


@case
async def responses_stream(client: Client) -> Any:
    call = {"model": "gpt-5", "input": "Please call get_weather.", "tools": TOOLS}
    return await drain(await settle(client.responses.create(**call, stream=True)))


@case
async def responses_parse(client: Client) -> Any:
    answer = await settle(client.responses.parse(model="gpt-5", input="Hello", text_format=Trip))
    return answer.output_parsed


@case
async def models(client: Client) -> Any:
    return [await drain(client.models.list()), await settle(client.models.retrieve("gpt-4o"))]


@case
async def files(client: Client) -> Any:
    file = ("naïve 文件.bin", CONTENT)
    uploaded = await settle(client.files.create(file=file, purpose="user_data"))
    content = await settle(client.files.content(uploaded.id))
    found = await settle(client.files.retrieve(uploaded.id))
    listed = await drain(client.files.list())
    deleted = await settle(client.files.delete(uploaded.id))
    return {
        "uploaded": uploaded,
        "found": found,
        "listed": listed,
        "deleted": deleted.deleted,
        "same_content": content.content == CONTENT,
    }


@case
async def speech(client: Client) -> Any:
    sound = await settle(client.audio.speech.create(model="tts-1", voice="alloy", input="Hello"))
    return [sound.response.headers["content-type"], sound.content]


@case
async def transcriptions(client: Client) -> Any:
    file = ("a.wav", bytes(4321))
    heard = await settle(client.audio.transcriptions.create(model="whisper-1", file=file))
    text = await settle(client.audio.transcriptions.create(model="whisper-1", file=file, response_format="text"))
    return [heard, text]


@case
async def moderations(client: Client) -> Any:
    answer = await settle(client.moderations.create(input="Hello"))
    return [answer.results[0].flagged, answer]


@case
async def bad_request(client: Client) -> Any:
    return await raised(lambda: ask(client, "gpt-4o", stream_options={"include_usage": True}))


@case
async def wrong_key(client: Client) -> Any:
    return await raised(lambda: ask(client.with_options(api_key="sk-invalid"), "gpt-4o"))


@case
async def not_found(client: Client) -> Any:
    return [await raised(lambda: ask(client, "unknown-model")), await raised(lambda: client.files.retrieve("file-none"))]


@case
async def status_errors(client: Client) -> Any:
    return [await raised(lambda: ask(client, f"simulate-{status}")) for status in (403, 409, 422, 429, 500, 502, 503)]


@case
async def used_up_quota(client: Client) -> Any:
    return await raised(lambda: ask(client, "gpt-4o", extra_headers={"x-simulate": "insufficient-quota"}))


@case
async def error_in_stream(client: Client) -> Any:
    chunks: list[Any] = []
    return [await raised(lambda: consume(client, "simulate-error-midstream", chunks)), chunks]


async def consume(client: Client, model: str, chunks: list[Any]) -> None:
    stream = await ask(client, model, stream=True)
    if hasattr(stream, "__aiter__"):
        async for chunk in stream:
            chunks.append(chunk)
    else:
        for chunk in stream:
            chunks.append(chunk)


@case
async def broken_stream(client: Client) -> Any:
    chunks: list[Any] = []
    error = await raised(lambda: consume(client, "simulate-reset-midstream", chunks))
    # How it is told differs: directly by the break alone, through the gateway by an event as well.
    return [chunks, error["raises"] is not None]


@case
async def own_timeout(client: Client) -> Any:
    return await raised(lambda: ask(client, "simulate-hang", timeout=0.3))


@case
async def left_stream(client: Client) -> Any:
    stream = await ask(client, "simulate-stall", stream=True)
    if hasattr(stream, "__aiter__"):
        first = await stream.__anext__()
    else:
        first = next(stream)
    await settle(stream.close())
    return first


@through_only
async def without_v1(client: Client) -> Any:
    bare = client.with_options(base_url=os.environ["THROUGH"].removesuffix("/v1"))
    return [(await ask(bare, "gpt-4o")).object, (await settle(bare.models.retrieve("gpt-4o"))).id]


@through_only
async def cut_connection(client: Client) -> Any:
    return await raised(lambda: ask(client, "simulate-reset"))


@through_only
async def gateway_is_not_there(client: Client) -> Any:
    return await raised(lambda: ask(client.with_options(base_url=os.environ["GONE"]), "gpt-4o"))


@through_only
async def missing_messages(client: Client) -> Any:
    return await raised(lambda: client.chat.completions.create(model="gpt-4o", messages=[]))


@through_only
async def retries(client: Client) -> Any:
    kind = "async" if isinstance(client, openai.AsyncOpenAI) else "sync"

    async def attempt(key: str) -> Any:
        flaky = client.with_options(base_url=os.environ["FLAKY"], api_key=f"{key}:{kind}", max_retries=2)
        raw = await settle(flaky.chat.completions.with_raw_response.create(model="gpt-4o", messages=MESSAGES))
        return [raw.retries_taken, raw.parse().choices[0].message.content]

    served = {key: await attempt(key) for key in ("rate-limited", "broken", "please-retry")}
    refused = {key: await raised(lambda: attempt(key)) for key in ("overloaded", "bad-request", "no-retry")}
    return {**served, **refused}


async def main() -> None:
    common: dict[str, Any] = {"api_key": "sk-of-the-caller", "max_retries": 0}
    for kind, make in {"sync": openai.OpenAI, "async": openai.AsyncOpenAI}.items():
        direct = make(base_url=os.environ["DIRECT"], **common)
        through = make(base_url=os.environ["THROUGH"], **common)
        for name, run in {**CASES, **THROUGH_ONLY}.items():
            line = {"case": name, "client": kind, "direct": None, "through": None}
            for way, client in {"direct": direct, "through": through}.items():
                if way == "through" or name in CASES:
                    try:
                        line[way] = plain(await run(client))
                    except Exception as error:  # The test that looks at this line fails with it.
                        line[way] = {"failed": told(error)}
            print(json.dumps(line), flush=True)
        await settle(direct.close())
        await settle(through.close())


asyncio.run(main())

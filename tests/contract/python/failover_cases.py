"""Makes calls with the official OpenAI library for Python, as it comes: with its own retries and back-off.

Reads from the environment: BASE_URL, IN_FLIGHT (how many calls at once); from stdin: one JSON list of calls, each
{"id", "model", "stream"}.

Prints one line of JSON for each call: {"id", "text", "error"}; the error is the exception's name and status, or null.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

import openai

MESSAGES = [{"role": "user", "content": "Hello"}]


async def make(client: openai.AsyncOpenAI, call: dict[str, Any]) -> dict[str, Any]:
    """What a user has in hand after a call: the text that came, and the exception."""
    text = ""
    try:
        answer = await client.chat.completions.create(
            model=call["model"],
            messages=MESSAGES,
            stream=call["stream"],
            extra_headers={"x-client-request-id": call["id"]},
        )
        if not call["stream"]:
            return {"id": call["id"], "text": answer.choices[0].message.content, "error": None}
        async for chunk in answer:
            text += chunk.choices[0].delta.content or ""
    except Exception as error:  # Any of them is a result.
        told = f"{type(error).__name__} {getattr(error, 'status_code', None)}"
        return {"id": call["id"], "text": text, "error": told}
    return {"id": call["id"], "text": text, "error": None}


async def main() -> None:
    calls = iter(json.load(sys.stdin))
    client = openai.AsyncOpenAI(base_url=os.environ["BASE_URL"], api_key="sk-of-the-caller")

    async def work() -> None:
        for call in calls:
            print(json.dumps(await make(client, call)), flush=True)

    await asyncio.gather(*(work() for _ in range(int(os.environ["IN_FLIGHT"]))))
    await client.close()


asyncio.run(main())

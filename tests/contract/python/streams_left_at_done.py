"""Reads streamed chats in the usual loop, one after the other, with one client of each kind, and prints what each gave."""

import asyncio
import json
import os
import time

from openai import AsyncOpenAI, OpenAI

TIMES = int(os.environ["TIMES"])
PAUSE_S = float(os.environ.get("PAUSE_S", "0"))
OPTIONS = {"base_url": os.environ["BASE_URL"], "api_key": "sk-of-the-caller-0123456789", "max_retries": 0}
HEADERS = {"Idempotency-Key": os.environ["KEY"]} if "KEY" in os.environ else {}
ASK = {
    "model": "m",
    "temperature": 0,
    "stream": True,
    "messages": [{"role": "user", "content": "hi"}],
    "extra_headers": HEADERS,
}


def text_of(chunk):
    return (chunk.choices[0].delta.content or "") if chunk.choices else ""


def read_all():
    client = OpenAI(**OPTIONS)
    texts = []
    for _ in range(TIMES):
        texts.append("".join(text_of(chunk) for chunk in client.chat.completions.create(**ASK)))
        time.sleep(PAUSE_S)
    return texts


async def read_all_async():
    client = AsyncOpenAI(**OPTIONS)
    texts = []
    for _ in range(TIMES):
        text = ""
        async for chunk in await client.chat.completions.create(**ASK):
            text += text_of(chunk)
        texts.append(text)
        await asyncio.sleep(PAUSE_S)
    return texts


print(json.dumps(read_all() if os.environ["CLIENT"] == "sync" else asyncio.run(read_all_async())))

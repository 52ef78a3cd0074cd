"""A server below most model servers: raises on what it does not like, which its HTTP layer answers with a 500, and closes."""

import json

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route


async def chat(request):
    body = json.loads(await request.body())
    if body["model"] == "bad":
        raise ValueError("does not like it")
    return JSONResponse({"object": "chat.completion", "choices": []})


app = Starlette(routes=[Route("/v1/chat/completions", chat, methods=["POST"])])

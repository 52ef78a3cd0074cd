"""Real servers in Python that answer with what they have read of a request. Arguments: the routes, as JSON. Prints the ports, as JSON."""

import asyncio
import json
import logging
import sys
import threading
from typing import Annotated, Any

import orjson
import uvicorn
from aiohttp import web
from fastapi import FastAPI, Form, Query
from flask import Flask, request as flask_request
from pydantic import BaseModel, ConfigDict
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from werkzeug.serving import make_server

ROUTES = json.loads(sys.argv[1])
logging.disable(logging.CRITICAL)


def answer(route, model, query, bodies):
    """JSON in ASCII, in which an infinity, for which JSON has no word, is a text."""
    said = {"route": route, "model": model, "query": dict(query), "bodies": [one for one in bodies if isinstance(one, dict)]}
    finite = json.loads(json.dumps(said), parse_constant=lambda word: "inf" if word != "NaN" else None)
    return json.dumps(finite)


def texts(fields):
    """What a form's fields come to when each is taken by its name."""
    return {name: fields[name] for name in fields if isinstance(fields[name], str)}


async def attempt(read):
    try:
        return await read()
    except Exception:
        return None


# aiohttp

def aiohttp_app():
    def handler(route):
        async def handle(request):
            await attempt(request.read)

            async def form():
                return texts(await request.post())

            bodies = [await attempt(request.json), await attempt(form)]
            return web.Response(text=answer(route, request.match_info.get("model"), texts(request.query), bodies))

        return handle

    app = web.Application(client_max_size=1 << 24)
    for route in ROUTES:
        app.router.add_post(route, handler(route))
    return app


# Starlette, read as LiteLLM's proxy does: by orjson, then by json, or as a form

def starlette_app():
    def handler(route):
        async def handle(request):
            raw = await request.body()

            async def form():
                return texts(await request.form())

            async def fast():
                return orjson.loads(raw)

            bodies = [await attempt(request.json), await attempt(fast), await attempt(form)]
            said = answer(route, request.path_params.get("model"), texts(request.query_params), bodies)
            return Response(said, media_type="application/json")

        return handle

    return Starlette(routes=[Route(route, handler(route), methods=["POST"]) for route in ROUTES])


# FastAPI with models of pydantic, as vLLM and SGLang have them

class Call(BaseModel):
    model_config = ConfigDict(extra="allow")
    model: str | None = None
    messages: list[Any] | None = None
    prompt: Any = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    max_output_tokens: int | None = None
    min_tokens: int | None = None
    n: int | None = None
    best_of: int | None = None
    logit_bias: dict[str, float] | None = None


def fastapi_app():
    app = FastAPI()

    def add(route):
        def handle(body: Call, model: str | None = None, max_tokens: int | None = None):
            query = {name: value for name, value in (("model", model), ("max_tokens", max_tokens)) if value is not None}
            return Response(answer(route, None, query, [body.model_dump(exclude_none=True)]))

        def handle_form(body: Annotated[Call, Form()]):
            return Response(answer(route, None, {}, [texts_of(body)]))

        def handle_named(model: str, body: Call, max_tokens: Annotated[int | None, Query()] = None):
            return Response(answer(route, model, {}, [body.model_dump(exclude_none=True)]))

        is_form = "/audio/tr" in route or "/images/edits" in route
        app.post(route)(handle_named if "{model}" in route else handle_form if is_form else handle)

    for route in ROUTES:
        add(route)
    return app


def texts_of(body):
    return {name: value for name, value in body.model_dump(exclude_none=True).items() if isinstance(value, (str, int, float))}


# Flask

def flask_app():
    app = Flask(__name__)

    def handler(route):
        def handle(model=None):
            flask_request.get_data(cache=True)
            body = flask_request.get_json(force=True, silent=True)
            return answer(route, model, flask_request.args.to_dict(), [body, flask_request.form.to_dict()])

        return handle

    for number, route in enumerate(ROUTES):
        app.add_url_rule(route.replace("{", "<").replace("}", ">"), f"route{number}", handler(route), methods=["POST"])
    return app


# Django

def django_app():
    from django.conf import settings

    settings.configure(ROOT_URLCONF="urls", ALLOWED_HOSTS=["*"], SECRET_KEY="x", USE_TZ=True)
    import types

    from django.core.wsgi import get_wsgi_application
    from django.http import HttpResponse
    from django.urls import path

    def handler(route):
        def handle(request, model=None):
            bodies = []
            try:
                raw = request.body
                bodies.append(request.POST.dict())
                bodies.append(json.loads(raw))
            except Exception:
                pass
            return HttpResponse(answer(route, model, request.GET.dict(), bodies))

        return handle

    urls = types.ModuleType("urls")
    urls.urlpatterns = [path(one[1:].replace("{model}", "<str:model>"), handler(one)) for one in ROUTES]
    sys.modules["urls"] = urls
    return get_wsgi_application()


async def serve(app):
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", access_log=False))
    asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    return server.servers[0].sockets[0].getsockname()[1]


def serve_wsgi(app):
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


async def main():
    runner = web.AppRunner(aiohttp_app())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    ports = {
        "aiohttp": site._server.sockets[0].getsockname()[1],
        "starlette": await serve(starlette_app()),
        "fastapi": await serve(fastapi_app()),
        "flask": serve_wsgi(flask_app()),
        "django": serve_wsgi(django_app()),
    }
    print(json.dumps(ports), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())

"""Starts NexCode once for all tests: `nexcode replay`, or with RECORD=1 `nexcode record`, which asks the real API."""

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

HERE = Path(__file__).resolve().parent
CASSETTES = HERE.parent / "cassettes"
REPOSITORY = HERE.parents[2]


def nexcode() -> list[str]:
    """The program: NEXCODE, or `nexcode` on the PATH, or the sources that this example is part of."""
    command = os.environ.get("NEXCODE") or shutil.which("nexcode")
    if command:
        return [command]
    return [shutil.which("bun") or str(REPOSITORY / "node_modules/.bin/bun"), str(REPOSITORY / "src/main.ts")]


@pytest.fixture(scope="session")
def base_url() -> Iterator[str]:
    mode = ["record", "--to"] if os.environ.get("RECORD") == "1" else ["replay", "--from"]
    env = {**os.environ, "HOST": "127.0.0.1", "PORT": "0", "LOG_FORMAT": "json", "LOG_LEVEL": "info"}
    with subprocess.Popen([*nexcode(), *mode, str(CASSETTES)], env=env, stdout=subprocess.PIPE) as process:
        lines = (json.loads(line) for line in process.stdout)
        url = next((line["base_url"] for line in lines if line["msg"] == "listening"), None)
        assert url, "nexcode has ended"
        # What follows is read too, so that the log never waits for a reader.
        threading.Thread(target=lambda: list(lines), daemon=True).start()
        yield url
        process.terminate()


@pytest.fixture
def client(base_url: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=base_url, api_key=os.environ.get("OPENAI_API_KEY") or "any")

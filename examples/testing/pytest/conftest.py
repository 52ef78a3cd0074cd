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
    command = shutil.which(os.environ.get("NEXCODE") or "nexcode")
    if command:
        return [command]
    bun = shutil.which("bun") or shutil.which(str(REPOSITORY / "node_modules/.bin/bun"))
    if bun and (REPOSITORY / "src/main.ts").exists() and not os.environ.get("NEXCODE"):
        return [bun, str(REPOSITORY / "src/main.ts")]
    # Not an error of the tests: no traceback would say more.
    pytest.exit("NexCode is not there: put nexcode on the PATH, or set NEXCODE to where it is", returncode=2)


@pytest.fixture(scope="session")
def base_url() -> Iterator[str]:
    mode = ["record", "--to"] if os.environ.get("RECORD") == "1" else ["replay", "--from"]
    env = {**os.environ, "HOST": "127.0.0.1", "PORT": "0", "LOG_FORMAT": "json", "LOG_LEVEL": "info"}
    with subprocess.Popen([*nexcode(), *mode, str(CASSETTES)], env=env, stdout=subprocess.PIPE) as process:
        lines = (json.loads(line) for line in process.stdout)
        url = next((line["base_url"] for line in lines if line["msg"] == "listening"), None)
        if url is None:
            pytest.exit("nexcode has ended: what it said of that stands above", returncode=2)
        # What follows is read too, so that the log never waits for a reader.
        reader = threading.Thread(target=process.stdout.read, daemon=True)
        reader.start()
        yield url
        process.terminate()
        # To its end: the pipe is closed behind this block, and nobody may be reading it then.
        reader.join()


@pytest.fixture
def client(base_url: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=base_url, api_key=os.environ.get("OPENAI_API_KEY") or "any")

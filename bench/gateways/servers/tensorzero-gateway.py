"""Starts the HTTP gateway that is embedded in the tensorzero package and says on which port it listens."""

import signal
import sys
from urllib.parse import urlsplit

from tensorzero.tensorzero import _start_http_gateway

gateway = _start_http_gateway(
    config_file=sys.argv[1],
    clickhouse_url=None,
    postgres_url=None,
    valkey_url=None,
    async_setup=False,
)
print(f"PORT {urlsplit(gateway.base_url).port}", flush=True)
signal.signal(signal.SIGTERM, signal.SIG_DFL)
signal.pause()

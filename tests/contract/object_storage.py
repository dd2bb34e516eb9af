"""A real server of S3's protocol: moto's, in a process of its own.

It needs packages of other versions than Encore does, so `make` installs it into an environment of its own.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PYTHON = Path(__file__).parents[2] / ".venv-s3/bin/python"
_SERVER = Path(__file__).with_name("s3_in_turn.py")
BUCKET = "archives"


@contextmanager
def s3_server() -> Iterator[dict[str, str]]:
    """The environment by which clients find a server with an empty bucket. It ends with the block."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = subprocess.Popen([_PYTHON, _SERVER, str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}"
        _make_bucket(f"{address}/{BUCKET}")
        yield {
            "AWS_ENDPOINT_URL": address,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
        }
    finally:
        server.kill()
        server.wait()


def _make_bucket(address: str) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(urllib.request.Request(address, method="PUT"), timeout=5).close()
            return
        except OSError:
            assert time.monotonic() < until, "moto's server does not answer"
            time.sleep(0.1)


def is_missing() -> bool:
    """Whether the server is not installed; in CI it must be."""
    return not _PYTHON.exists() and not os.environ.get("CI")

"""A collector as its clients see it: an address to post to, with a write key.

Owns how system tests start one, and how a client posts until it is told that Kafka has it.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from typing import Any, NamedTuple

from application import Application, Process

KEY = "web-key-0123456789"


class Answer(NamedTuple):
    """A response: its status, and what it says."""

    status: int
    said: dict[str, Any]


class Collector:
    """The sources of an application, and the collector that runs for them. `topics`: of other formats, by format."""

    def __init__(self, application: Application, topics: Mapping[str, str] | None = None) -> None:
        self.application = application
        self.keys = {"encore": KEY} | {name: f"{name}-0123456789" for name in topics or {}}
        rows = [f'[encore]\nformat = "encore"\nkeys = ["{KEY}"]\n']
        rows += [
            f'[{name}]\nformat = "{name}"\ntopic = "{topic}"\nkeys = ["{self.keys[name]}"]\n'
            for name, topic in (topics or {}).items()
        ]
        self._sources = application.folder / "sources.toml"
        self._sources.write_text("\n".join(rows))
        self.port, self.metrics_port = free_port(), free_port()

    def start(self, **settings: str) -> Process:
        """Start it, without waiting for it."""
        own = {
            "ENCORE_COLLECT_SOURCES": str(self._sources),
            "ENCORE_COLLECT_PORT": str(self.port),
            "ENCORE_METRICS_PORT": str(self.metrics_port),
        }
        return self.application.start("collect", **own | settings)

    def ready(self, **settings: str) -> Process:
        """Start it, and wait until it collects."""
        process = self.start(**settings)
        process.until_logged("collecting at", within_s=60)
        return process

    def post(
        self,
        body: Any,
        source: str = "encore",
        headers: Mapping[str, str] | None = None,
        query: str = "",
        within_s: float = 60,
    ) -> Answer:
        """The answer to one request. Raises `OSError` or `HTTPException` where there is none."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=within_s)
        try:
            sent = body if isinstance(body, bytes) else json.dumps(body).encode()
            stated = {"Authorization": f"Bearer {self.keys[source]}"} | dict(headers or {})
            connection.request("POST", f"/v1/events{query}", sent, stated)
            response = connection.getresponse()
            return Answer(response.status, json.loads(response.read() or b"{}"))
        finally:
            connection.close()

    def post_until_accepted(self, body: Any, within_s: float = 120) -> int:
        """Post it again and again, as a client does, until it is accepted. Returns how often it was posted."""
        deadline, tries = time.monotonic() + within_s, 0
        while True:
            tries += 1
            try:
                if self.post(body).status == 202:
                    return tries
            except (OSError, HTTPException):
                pass
            assert time.monotonic() < deadline, f"not accepted within {within_s} s"
            time.sleep(0.05)

    def probe(self, path: str) -> tuple[int, str]:
        """What a probe says."""
        connection = HTTPConnection("127.0.0.1", self.metrics_port, timeout=30)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])

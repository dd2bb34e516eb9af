"""`encore dashboard` as programs have it: a process on a real Redis, asked by HTTP."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from http_answer import Answer
from published_by_hand import PublishedByHand

PATH = "/api/v1"
ODD = "a/b?c#d&e=f%20+ü \N{DRAGON FACE}'()*!~"
AS_OF_MS = 1_763_600_000_000
"""2025-11-20 00:53:20 UTC."""


class ApiServer:
    """A running `encore dashboard` that shows what is published; `url` is the address of its API."""

    def __init__(self, redis: str, published: PublishedByHand, **settings: str) -> None:
        self.published = published
        self.environment = {"ENCORE_REDIS": redis, "ENCORE_REDIS_PREFIX": published.prefix, **settings}
        command = [sys.executable, "-m", "streams.cli", "dashboard", "--dashboard-port", "0"]
        self.process = subprocess.Popen(
            command, env={**os.environ, **self.environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        self.host = urlsplit(re.findall(r"http://\S+", said)[0]).netloc
        self.url = f"http://{self.host}{PATH}"

    def ask(self, path: str, method: str = "GET", below: str = PATH, **headers: str) -> Answer:
        """The answer to a request for a path, which is sent as it is; headers by their names with `_` for `-`."""
        with_dashes = {name.replace("_", "-"): text for name, text in headers.items()}
        connection = self.open(path, method, below, with_dashes)
        response = connection.getresponse()
        found = {name.lower(): text for name, text in response.getheaders()}
        answer = Answer(response.status, found, response.read())
        connection.close()
        return answer

    def open(
        self, path: str, method: str = "GET", below: str = PATH, headers: Mapping[str, str] = {}
    ) -> http.client.HTTPConnection:
        """A connection over which something was asked."""
        connection = http.client.HTTPConnection(self.host, timeout=60)
        connection.request(method, below + path, headers=dict(headers))
        return connection

    def stop(self) -> tuple[int, str]:
        """Its exit code after a SIGTERM, and what it said on standard error."""
        self.process.send_signal(signal.SIGTERM)
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said


def publish(published: PublishedByHand) -> None:
    # In the future, so that no command says on a busy machine that the worker is silent.
    published.status(events=1_000, checkpointed_ms=(time.time_ns() // 1_000_000) + 86_400_000)
    published.title("little-dragon", completions=1_650, starters=600, name="The Little Dragon", franchise_id="dragons")
    published.title("dragon-2", completions=50, name="Ein kleiner Drache: Été")
    published.title(ODD, completions=8, name='=HYPERLINK("x")')
    published.title("zebra", completions=7)
    published.franchise("dragons", completions=1_700)
    for name in ("hour:20251120T00", "hour:20251119T23", "day:20251120", "day:20251101", "week:1", "week:3"):
        published.window("little-dragon", name, completions=5)
    published.window("little-dragon", "age:opening", completions=9)
    published.audience("little-dragon", "2025W47", new=5, returning=60)
    published.curve("little-dragon", 4, 8)
    published.part("little-dragon", "dayparts", evening_watched_s="9.000", other_watched_s="1.000")
    published.part("little-dragon", "legs", week=9, hold="0.970000", unstoppable=1)
    published.board("completions", **{"little-dragon": 1_650, "dragon-2": 50, ODD: 8, "zebra": 7})
    published.board("plays", day="20251120", zebra=3)
    published.client.zadd(f"{published.prefix}franchises", {"dragons": 0})
    published.client.zadd(f"{published.prefix}board:completions:franchises", {"dragons": 1_700})

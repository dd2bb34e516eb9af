"""`encore notify` on a real Redis, and a receiver that fails, hangs, dies and returns."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import redis

from streams.tools.devstack import Devstack

KEY = b"a key of thirty-two bytes, or so"
HANGS_S = 3.0


class Receiver:
    """A web server on a port of its own. `answer` says what to do with the n-th request: a status, or 0 to hang."""

    def __init__(self, answer: Callable[[int], int] = lambda _: 204) -> None:
        self.answer = answer
        self.taken: list[dict[str, Any]] = []
        self.ids: list[str] = []
        self.requests = 0
        self.port = 0
        self._server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.requests += 1
                status = receiver.answer(receiver.requests)
                if status == 0:
                    time.sleep(HANGS_S)
                    return
                if 200 <= status < 300:
                    receiver.take(self.headers, body)
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def take(self, headers: Any, body: bytes) -> None:
        content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        right = base64.b64encode(hmac.new(KEY, content, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{right}"
        assert abs(int(headers["webhook-timestamp"]) - time.time()) < 300
        self.ids.append(headers["webhook-id"])
        self.taken.append(json.loads(body))

    def stop(self) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()


class Told:
    """A prefix with verdicts in it, and `encore notify` for it."""

    def __init__(self, stack: Devstack, folder: Path) -> None:
        self.prefix = f"test-{secrets.token_hex(4)}:"
        self.redis = redis.Redis.from_url(stack.redis, decode_responses=True)
        self.address, self.folder = stack.redis, folder
        (folder / "secret").write_text("whsec_" + base64.b64encode(KEY).decode())
        self.child: subprocess.Popen[str] | None = None

    def tell(self, *numbers: int) -> None:
        for number in numbers:
            self.redis.xadd(
                f"{self.prefix}verdicts",
                {"id": f"title:a b:completions:{number}", "verdict": "completions", "title_id": "a b",
                 "value": number, "as_of_ms": 7},
            )  # fmt: skip

    def notify(self, port: int, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "streams.cli", "notify", "--webhook", f"http://127.0.0.1:{port}/hook",
                   "--webhook-secret-file", str(self.folder / "secret"), "--webhook-timeout-s", "1",
                   *arguments]  # fmt: skip
        self.child = subprocess.Popen(
            command, env=os.environ | {"ENCORE_REDIS": self.address, "ENCORE_REDIS_PREFIX": self.prefix},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        return self.child

    def untold(self) -> int:
        pending = self.redis.xpending(f"{self.prefix}verdicts", "webhook")
        return int(pending["pending"])


@pytest.fixture
def told(redis_of_our_own: Devstack, tmp_path: Path) -> Iterator[Told]:
    found = Told(redis_of_our_own, tmp_path)
    yield found
    if found.child is not None and found.child.poll() is None:
        found.child.kill()
        found.child.wait()
    found.redis.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    found.start()
    yield found
    found.stop()


def until(is_it: Callable[[], bool], within_s: float = 60.0) -> None:
    end = time.monotonic() + within_s
    while not is_it():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def values(receiver: Receiver) -> list[int]:
    return [event["data"]["completions"] for event in receiver.taken]


def test_a_receiver_that_fails_hangs_and_returns_gets_every_verdict_once_in_order(
    told: Told, receiver: Receiver
) -> None:
    receiver.answer = lambda n: {1: 500, 2: 0, 3: 302, 4: 404}.get(n, 200)
    told.redis.hset(f"{told.prefix}title:a%20b", "name", "A: Ü")
    told.tell(10, 100)
    told.notify(receiver.port)
    until(lambda: values(receiver) == [10, 100])
    receiver.stop()
    told.tell(1_000)
    time.sleep(1.5)
    receiver.start()
    told.tell(10_000)
    until(lambda: values(receiver) == [10, 100, 1_000, 10_000])
    assert len(set(receiver.ids)) == 4
    until(lambda: told.untold() == 0)
    assert {name: receiver.taken[0][name] for name in ("specversion", "id", "type", "subject", "data")} == {
        "specversion": "1.0", "id": "title:a b:completions:10", "type": "encore.title.completions", "subject": "a b",
        "data": {"title_id": "a b", "name": "A: Ü", "completions": 10, "as_of_ms": 7},
    }  # fmt: skip


def test_metrics_say_what_was_taken_and_how_long_a_verdict_waits(told: Told, receiver: Receiver) -> None:
    receiver.answer = lambda n: 200 if n == 1 else 503
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told.tell(10, 100)
    told.notify(receiver.port, "--metrics-port", str(port))

    def asked() -> str:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            return str(answer.read().decode())

    until(lambda: receiver.requests >= 3)
    until(lambda: "encore_notify_taken_verdicts_total 1.0" in asked())
    assert "encore_notify_refused_requests_total 0.0" not in asked()
    assert "encore_notify_waiting_seconds 0.0" not in asked()
    receiver.answer = lambda _: 200
    until(lambda: "encore_notify_taken_verdicts_total 2.0" in asked())
    until(lambda: "encore_notify_waiting_seconds 0.0" in asked())


def test_after_a_death_it_goes_on_where_it_was(told: Told, receiver: Receiver) -> None:
    receiver.answer = lambda n: 200 if n == 1 else 503
    told.tell(10, 100, 1_000)
    child = told.notify(receiver.port)
    until(lambda: receiver.requests >= 2)
    child.kill()
    child.wait()
    receiver.answer = lambda _: 200
    child = told.notify(receiver.port)
    until(lambda: values(receiver) == [10, 100, 1_000])
    child.terminate()
    assert child.wait(30) == 0


def test_410_ends_it_and_keeps_the_position(told: Told, receiver: Receiver) -> None:
    receiver.answer = lambda n: 410 if n == 2 else 200
    told.tell(10, 100)
    child = told.notify(receiver.port)
    assert child.wait(60) == 0
    assert child.stdout is not None and "410" in child.stdout.read()
    told.notify(receiver.port)
    until(lambda: values(receiver) == [10, 100])


def test_a_new_group_may_begin_now(told: Told, receiver: Receiver) -> None:
    told.tell(10)
    told.notify(receiver.port, "--from-now")
    until(
        lambda: bool(told.redis.exists(f"{told.prefix}verdicts") and told.redis.xinfo_groups(f"{told.prefix}verdicts"))
    )
    told.tell(100)
    until(lambda: values(receiver) == [100])


def test_after_a_loss_of_redis_what_it_tells_anew_is_sent(told: Told, receiver: Receiver) -> None:
    told.tell(10)
    told.notify(receiver.port)
    until(lambda: values(receiver) == [10])
    told.redis.delete(f"{told.prefix}verdicts")
    told.tell(10, 100)
    until(lambda: values(receiver) == [10, 10, 100])
    assert receiver.ids[0] == receiver.ids[1]

"""`make collect-load`: what a posted event costs `encore collect`, in seconds of its CPU.

A collector of its own on a real Kafka; clients in this process, each of which posts when it was answered. What counts
is the CPU time of the collector's process, with all of its threads.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import psutil
from application import Application, fresh_names
from playback import HOUR_MS, event
from posting import KEY, Collector

from streams.tools.devstack import Devstack

HEAD = b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n"
BODIES = 200


def bodies(batch: int) -> list[bytes]:
    """Requests with so many events each, as long as those of real players."""
    begin_ms, made = int(time.time() * 1000) - HOUR_MS, []
    for number in range(BODIES):
        events = [_event(number * batch + place, begin_ms) for place in range(batch)]
        body = json.dumps(events[0] if batch == 1 else events, separators=(",", ":")).encode()
        made.append(HEAD % (KEY.encode(), len(body)) + body)
    return made


def _event(number: int, begin_ms: int) -> dict[str, Any]:
    more = {"profile_id": "profile-1", "profile_kind": "kids", "device_id": "tv-1", "seq": number, "country": "DE"}
    more |= {"playback_rate": 1.0, "runtime_ms": 1_320_000, "time_zone": "Europe/Berlin", "sent_time_ms": begin_ms}
    return event("heartbeat", f"household-{number % 5000:06d}", f"title-{number % 50}", begin_ms, number, **more)


class Client(asyncio.Protocol):
    """Posts the next of `left` when it was answered; the last answer of all sets `done`."""

    def __init__(self, left: list[bytes], statuses: list[int], wanted: int, done: asyncio.Future[None]) -> None:
        self._left, self._statuses, self._wanted, self._done = left, statuses, wanted, done
        self._answer = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._post()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if self._answer.endswith(b"}\n"):
            self._statuses.append(int(self._answer[9:12]))
            self._answer = b""
            self._post()

    def _post(self) -> None:
        if self._left:
            self._transport.write(self._left.pop())
            return
        self._transport.close()
        if len(self._statuses) == self._wanted and not self._done.done():
            self._done.set_result(None)


async def post(port: int, requests: list[bytes], clients: int) -> list[int]:
    """Post all of these; returns the statuses."""
    loop, statuses, wanted = asyncio.get_running_loop(), list[int](), len(requests)
    done: asyncio.Future[None] = loop.create_future()
    for _ in range(clients):
        await loop.create_connection(lambda: Client(requests, statuses, wanted, done), "127.0.0.1", port)
    await done
    return statuses


@click.command()
@click.option("--events", default=20_000, show_default=True, help="events of each run")
@click.option("--rounds", default=3, show_default=True, help="runs of each size, by turns")
@click.option("--clients", default=128, show_default=True)
@click.option("--kafka", default="", help="HOST:PORT; empty: one of its own")
def load(events: int, rounds: int, clients: int, kafka: str) -> None:
    """Print events per CPU-second for single events and for batches."""
    with tempfile.TemporaryDirectory() as folder:
        stack = None if kafka else Devstack.start(redis=False, brief=True)
        names = fresh_names(kafka or stack.kafka, "redis://127.0.0.1:1/0", "load")  # type: ignore[union-attr]
        with closing(Application(names, Path(folder))) as application:
            collector = Collector(application)
            process = psutil.Process(collector.ready().popen.pid)
            for batch in [1, 50, 100] * rounds:
                sent = bodies(batch)
                requests = [
                    sent[number % BODIES] for number in range(max(1, events * (1 if batch == 1 else 5) // batch))
                ]
                before, began_s, number = process.cpu_times(), time.monotonic(), len(requests)
                statuses = asyncio.run(post(collector.port, requests, clients if batch == 1 else clients // 8))
                after, elapsed_s = process.cpu_times(), time.monotonic() - began_s
                used_s = after.user + after.system - before.user - before.system
                assert set(statuses) == {202}, set(statuses)
                click.echo(
                    f"{batch:4} events a request: {number * batch / used_s:8,.0f} events per CPU-second"
                    f" ({number * batch:,} events, {used_s:.2f} s of CPU, {elapsed_s:.1f} s)"
                )


if __name__ == "__main__":
    load()

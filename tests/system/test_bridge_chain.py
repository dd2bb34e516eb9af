"""The whole chain, from a player's messages to Redis, while bridges and workers are killed.

What must come out is counted anew from the foreign topic, by the words of its messages alone.
"""

from __future__ import annotations

import json
import os
import random
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from application import Application, Process, Record, until
from told_evenings import the_evening, told

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

KILLS = int(os.environ.get("BRIDGE_KILLS", "3"))
WORKER_EACH = 3
"""After so many deaths of a bridge a worker dies, too."""

PARTITIONS, HOMES = 2, 50
LEFT_EARLY = 30
"""So many messages come of an evening on which a home leaves: five minutes of 22."""

EVENING = told("segment_video", list(the_evening()))


def evening_of(home: int, day: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """The evening, as it is told on a later day by another home. Every third time it is left early."""
    later, name = timedelta(days=day), f"{home}-{day}"
    for at_ms, message in EVENING[: LEFT_EARLY if (home + day) % 3 == 0 else None]:
        time_told = (datetime.fromisoformat(message["timestamp"]) + later).isoformat()
        own = {"messageId": f"{name}-{message['messageId']}", "userId": f"home-{home}", "timestamp": time_told}
        properties = {**message["properties"], "session_id": name}
        yield at_ms + later // timedelta(milliseconds=1), {**message, **own, "properties": properties}


class Homes:
    """Homes that watch the same episode evening after evening, until the block is left."""

    def __init__(self, app: Application, topic: str) -> None:
        self._app, self._topic = app, topic
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Homes:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        for evening in count():
            day, home = divmod(evening, HOMES)
            if self._over.wait(0.05):
                return
            sent = [
                self._app.produce(message["userId"].encode(), json.dumps(message).encode(), at_ms, self._topic)
                for at_ms, message in evening_of(home, day)
            ]
            for each in sent:
                each.get(30)


def recounted(records: list[Record]) -> dict[str, int]:
    """What the messages of a foreign topic say was watched."""
    started, completed = defaultdict(set), defaultdict(set)
    for record in records:
        message = json.loads(record.value or b"")
        session = message["properties"]["session_id"]
        if message["event"] == "Video Content Started":
            started[message["userId"]].add(session)
        if message["event"] == "Video Content Completed":
            completed[message["userId"]].add(session)
    completions = sum(map(len, completed.values()))
    return {
        "plays": sum(map(len, started.values())),
        "starters": len(started),
        "completers": len(completed),
        "completions": completions,
        "rewatches": completions - len(completed),
    }


def test_what_players_told_is_what_redis_says_whoever_was_killed_meanwhile(application: Application) -> None:
    topic, chance = application.make_topic("plays", PARTITIONS), random.Random(KILLS)

    def bridge() -> Process:
        return application.start("bridge", "segment_video", "--from", topic, ENCORE_GROUP_INSTANCE_ID="bridge")

    def worker() -> Process:
        return application.worker(ENCORE_GROUP_INSTANCE_ID="worker")

    bridging, counting = bridge(), worker()
    with Homes(application, topic):
        for killed in range(1, KILLS + 1):
            bridging.until_logged("restored:", 120, times=PARTITIONS)
            time.sleep(chance.uniform(0, 2))
            bridging.kill()
            bridging = bridge()
            if killed % WORKER_EACH == 0:
                counting.kill()
                counting = worker()
    expected = recounted(application.read(topic))

    def counted() -> dict[str, int]:
        shown = application.hash("title:film")
        return {name: int(shown.get(name, "0")) for name in expected}

    until(lambda: counted() == expected, lambda: f"{expected}, not {counted()}\n{application.logs()}", 120)
    assert expected["rewatches"] > 0
    application.verify()
    assert [each.stopped().code for each in (bridging, counting)] == [0, 0]

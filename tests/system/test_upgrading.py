"""A second application beside the first, as `docs/upgrading.md` says: readers are moved, and notice nothing.

A reader asks all the time. It must never see an incomplete number, nor one older than what it saw before, over the
move and the way back.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import tzdata
from application import Application, Ended, Process, until
from kafka import KafkaProducer
from playback import EVENING_MS, TEN_MINUTES, whole_viewing

from streams.reader import Reader

pytestmark = pytest.mark.system

FILM = "film"
COUNTED = ("events", "dead_letters", "late_events")
ALL_TIME = ("plays", "starters", "viewers", "watched_ms")
"""Counts that the changed rules leave as they are."""


class Polling:
    """A reader under blue's prefix that asks all the time; `problems` is what no reader may see."""

    def __init__(self, application: Application) -> None:
        self._at = application.environment["ENCORE_REDIS"], application.environment["ENCORE_REDIS_PREFIX"]
        self._over = threading.Event()
        self._most: dict[str, int] = {}
        self.answers = 0
        self.prefixes: list[str] = []
        self.problems: list[str] = []

    def run(self) -> None:
        with Reader(*self._at) as reader:
            while not self._over.is_set():
                self._ask(reader)
                self.answers += 1
                if self.prefixes[-1:] != [reader.prefix]:
                    self.prefixes.append(reader.prefix)

    def _ask(self, reader: Reader) -> None:
        status, title = reader.status(), reader.title(FILM)
        if status is None or title is None or not status.complete or not title.complete:
            self.problems.append(f"incomplete: {status} {title}")
            return
        self._note("records", sum(getattr(status, name) for name in COUNTED))
        for name in ALL_TIME:
            self._note(name, getattr(title, name))

    def _note(self, name: str, value: int) -> None:
        if value < self._most.get(name, 0):
            self.problems.append(f"{name}: {value} after {self._most[name]}")
        self._most[name] = max(value, self._most.get(name, 0))

    def stop(self) -> None:
        self._over.set()


@contextmanager
def polled(application: Application) -> Iterator[Polling]:
    polling = Polling(application)
    thread = threading.Thread(target=polling.run)
    thread.start()
    try:
        yield polling
    finally:
        polling.stop()
        thread.join()


@contextmanager
def viewing(application: Application) -> Iterator[None]:
    """Households watch the film one after the other, whole or the first six tenths of it, for as long as it lasts."""
    over = threading.Event()

    def watch() -> None:
        home = 0
        while not over.wait(0.1):
            events = list(whole_viewing(f"home-{home}", FILM, EVENING_MS + home * 1_000, runtime_ms=TEN_MINUTES))
            application.send(events if home % 3 else events[: len(events) * 6 // 10])
            home += 1

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def beside(blue: Application, **settings: str) -> dict[str, str]:
    """The environment of an application beside that one: names of its own, the same source, titles and erasures."""
    own = {
        "ENCORE_APP_ID": f"{blue.app_id}-green",
        "ENCORE_REDIS_PREFIX": f"{blue.app_id}-green:",
        **{
            f"ENCORE_{topic}_TOPIC": f"{blue.app_id}-green-{topic.lower().replace('_', '-')}"
            for topic in ("MILESTONES", "DEAD_LETTERS", "LATE")
        },
    }
    return {**blue.environment, **own, **settings}


def promoted(blue: Application, prefix: str) -> Ended:
    return blue.start("promote", prefix).ended()


def until_promoted(blue: Application, prefix: str) -> None:
    said = ""

    def is_promoted() -> bool:
        nonlocal said
        ended = promoted(blue, prefix)
        said = ended.log
        return ended.code == 0

    until(is_promoted, lambda: f"readers are moved to {prefix}: {said}", 90)


def diff(blue: Application, green: Application) -> tuple[int, dict[str, Any]]:
    prefixes = [each.environment["ENCORE_REDIS_PREFIX"] for each in (blue, green)]
    ended = blue.start("diff", *prefixes, "--json").ended()
    assert ended.code in (0, 1), ended.log
    return ended.code, json.loads(ended.out)


def filled(green: Application) -> None:
    """Count everything, as the page says."""
    rebuilt = green.start("rebuild", "--json").ended()
    assert rebuilt.code == 0, rebuilt.log
    started(green)


def started(application: Application) -> Process:
    """A worker that has restored its partitions; two applications at once may take their time."""
    worker = application.worker()
    worker.until_logged("restored:", within_s=120, times=4)
    return worker


def changed_rules(folder: Path) -> dict[str, str]:
    return {"ENCORE_COMPLETION_PERCENT": "50", "ENCORE_END_PERCENT": "50", "ENCORE_WATCHER_PERCENT": "50"}


def changed_zones(folder: Path) -> dict[str, str]:
    """Zone data in which Berlin is where Kiritimati is."""
    package = folder / "packages" / "tzdata"
    shutil.copytree(Path(tzdata.__file__).parent, package)
    shutil.copy(package / "zoneinfo" / "Pacific" / "Kiritimati", package / "zoneinfo" / "Europe" / "Berlin")
    said = package / "__init__.py"
    said.write_text(said.read_text().replace(tzdata.IANA_VERSION, "2099z"))
    return {"PYTHONPATH": os.pathsep.join([str(folder / "packages"), *filter(None, sys.path)])}


@pytest.mark.parametrize(
    ("change", "differing"), [(changed_rules, {"completions", "completers"}), (changed_zones, {"evening_watched_s"})]
)
def test_readers_are_moved_and_back_under_load_and_see_nothing_older_or_incomplete(
    application: Application,
    application_of: Callable[[dict[str, str]], Application],
    tmp_path: Path,
    change: Callable[[Path], dict[str, str]],
    differing: set[str],
) -> None:
    blue = application
    green = application_of(beside(blue, **change(tmp_path)))
    prefixes = [each.environment["ENCORE_REDIS_PREFIX"] for each in (blue, green)]
    started(blue)
    for home in range(8):
        berlin = {"runtime_ms": TEN_MINUTES, "time_zone": "Europe/Berlin"}
        events = list(whole_viewing(f"early-{home}", FILM, EVENING_MS, **berlin))
        blue.send(events if home % 2 else events[: len(events) * 6 // 10])
    blue.until_checkpointed()
    until(lambda: blue.hash(f"title:{FILM}").get("complete") == "1", "blue is published")

    refused = promoted(blue, prefixes[1])
    assert (refused.code, "nothing is published under" in refused.log) == (1, True)
    with viewing(blue), polled(blue) as polling:
        filled(green)
        until_promoted(blue, prefixes[1])
        until(lambda: polling.prefixes[-1:] == prefixes[1:], "the reader follows")
        until_promoted(blue, prefixes[0])
        until(lambda: polling.prefixes[-1:] == prefixes[:1], "the reader follows back")
    assert polling.problems == []
    assert polling.prefixes == [prefixes[0], prefixes[1], prefixes[0]]
    assert polling.answers > 100

    blue.until_checkpointed()
    green.until_checkpointed()
    until(lambda: diff(blue, green)[1]["records_apart"] == 0, "both have counted the same records")
    code, found = diff(blue, green)
    fields = {name for kind in found["kinds"].values() for name in kind["fields"]}
    assert (code, found["equal"], fields >= differing) == (1, False, True)
    assert not fields & {"plays", "starters", "watched_s", "events"}
    assert green.verify()["verified"]
    assert blue.verify()["verified"]


def test_a_format_that_the_new_version_does_not_read_is_counted_anew_beside_what_is_shown(
    application: Application, application_of: Callable[[dict[str, str]], Application]
) -> None:
    blue = application
    worker = started(blue)
    for home in range(8):
        blue.send(whole_viewing(f"home-{home}", FILM, EVENING_MS, runtime_ms=TEN_MINUTES))
    blue.until_checkpointed()
    until(lambda: blue.hash(f"title:{FILM}").get("completions") == "8", "blue is published")
    assert worker.stopped().code == 0
    another_format(blue)
    assert "the format of the state is 0" in blue.worker().ended().failure()

    green = application_of(beside(blue))
    with polled(blue) as polling:
        filled(green)
        until_promoted(blue, green.environment["ENCORE_REDIS_PREFIX"])
        until(lambda: len(polling.prefixes) == 2, "the reader follows")
    assert polling.problems == []
    code, found = diff(blue, green)
    assert (code, found["equal"], found["records_apart"]) == (0, True, 0)


def another_format(application: Application) -> None:
    """Let the state say that a version with another format wrote it."""
    positions = {each.partition: each for each in application.read(application.state_topic) if each.key == b"p"}
    producer = KafkaProducer(bootstrap_servers=application.environment["ENCORE_KAFKA"])
    for number, position in positions.items():
        other = json.dumps(json.loads(position.value or b"") | {"format": 0}).encode()
        producer.send(application.state_topic, other, b"p", partition=number)
    producer.flush()
    producer.close()

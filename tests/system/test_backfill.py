"""History from before Encore, sent before what is live: once, in order, whatever dies."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from application import Application, until
from playback import DAY_MS, EVENING_MS, TEN_MINUTES, whole_viewing

pytestmark = pytest.mark.system

YEAR_MS = 365 * DAY_MS


def history(days: int) -> list[dict[str, Any]]:
    """An evening of three households, each day from a year ago on."""
    return [
        event
        for day in range(days)
        for home in range(3)
        for event in whole_viewing(f"home-{home}", "film", EVENING_MS - YEAR_MS + day * DAY_MS + home)
    ]


@pytest.fixture
def application(encore_env: dict[str, str], tmp_path: Path):
    with closing(Application(encore_env, tmp_path)) as application:
        application.load_titles({"title_id": "film", "runtime_ms": TEN_MINUTES})
        yield application


def write(path: Path, events: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return str(path)


def in_topic(application: Application) -> list[tuple[int, bytes | None, Any]]:
    records = application.read(application.environment["ENCORE_SOURCE_TOPIC"])
    return [(each.partition, each.key, json.loads(each.value or b"")) for each in records]


def test_history_counts_before_what_is_live_though_its_files_are_in_no_order(
    application: Application, tmp_path: Path
) -> None:
    events = history(40)
    files = [write(tmp_path / "late.jsonl", events[300:]), write(tmp_path / "early.jsonl", events[300::-1][1:])]
    ended = application.start("backfill", *files).ended()
    assert ended.code == 0, ended.log
    assert f"{len(events):,} events delivered" in ended.out
    application.send(whole_viewing("home-0", "film", EVENING_MS))
    application.ready_worker()
    found = application.verify()
    assert (found["late"], found["dead_letters"], found["completions"]) == (0, 0, 121)


def test_a_run_that_was_killed_goes_on_and_sends_nothing_twice(application: Application, tmp_path: Path) -> None:
    events = history(60)
    file = write(tmp_path / "history.jsonl", events * 20)  # the same event many times is a record each time
    running = application.start("backfill", file)
    until(lambda: application.produced() > 100, "records sent", 60)
    running.kill()
    assert application.start("backfill", file).ended().code == 0
    again = application.start("backfill", file).ended()
    assert "0 events delivered" in again.out
    found = in_topic(application)
    assert len(found) == len(events) * 20
    for partition in range(4):
        times = [event["event_time_ms"] for number, _, event in found if number == partition]
        assert times == sorted(times)


def test_a_topic_that_holds_anything_else_is_refused(application: Application, tmp_path: Path) -> None:
    application.send(whole_viewing("live", "film", EVENING_MS))
    before = in_topic(application)
    refused = application.start("backfill", write(tmp_path / "history.jsonl", history(3))).ended()
    assert refused.code == 1
    assert "before live records" in refused.log
    assert in_topic(application) == before

"""Each hostile load is what its name says, and but for broken values all of it can be counted."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from functools import cache
from typing import Any

import pytest

from models.reading import read_event
from streams.tools.simulate.hostile import LARGEST_VALUE_BYTES, LOADS, ORDINARY

NOW_MS = 1_790_000_000_000
BY_NAME = {load.name: load for load in LOADS}
NAMES = pytest.mark.parametrize("name", BY_NAME)


@cache
def records(name: str) -> list[Any]:
    return list(BY_NAME[name].records(NOW_MS))


@cache
def events(name: str) -> list[dict[str, Any]]:
    return [json.loads(record.value) for record in records(name)]


@NAMES
def test_it_ends_at_the_present_and_every_key_is_the_households(name: str) -> None:
    found = records(name)
    assert max(record.timestamp_ms for record in found) <= NOW_MS
    assert NOW_MS - min(record.timestamp_ms for record in found) < 86_400_000
    readable = [record for record in found[:2_000] if record.value.startswith(b"{")]
    assert all(json.loads(record.value)["household_id"].encode() == record.key for record in readable)


@pytest.mark.parametrize("name", [name for name in BY_NAME if name != "values of 64 KiB"])
def test_every_event_of_it_is_read(name: str) -> None:
    for record in records(name)[:2_000]:
        assert read_event(record.key, record.value).household_id


def test_ordinary_is_the_replay_load() -> None:
    assert sum(1 for _ in ORDINARY.records(NOW_MS)) == 100_000


def test_sessions_are_of_few_households_and_one_title() -> None:
    sessions = defaultdict(set)
    for event in events("5,000 sessions of a household and title"):
        sessions[event["household_id"], event["title_id"]].add(event["play_session_id"])
    assert [len(each) for each in sessions.values()] == [5_000] * 10


def test_one_session_has_all_its_events_at_one_instant() -> None:
    found = events("one session, 50,000 events at one instant")
    assert len(found) == len({event["event_id"] for event in found}) == 50_000
    assert len({(event["play_session_id"], event["event_time_ms"]) for event in found}) == 1


def test_one_title_is_watched_by_all_at_one_instant() -> None:
    found = events("5,000 households on one title at one instant")
    assert len({(event["title_id"], event["event_time_ms"]) for event in found}) == 1
    assert set(Counter(event["household_id"] for event in found).values()) == {10}
    assert len({event["household_id"] for event in found}) == 5_000


def test_titles_are_a_hundred_thousand() -> None:
    assert len({event["title_id"] for event in events("100,000 titles")}) == 100_000


def test_a_franchise_has_a_catalog_row_for_each_of_its_titles() -> None:
    name = "a franchise of 20,000 titles"
    rows = BY_NAME[name].titles()
    assert {row["franchise_id"] for row in rows} == {"franchise"}
    assert {row["title_id"] for row in rows} == {event["title_id"] for event in events(name)}
    assert len(rows) == 20_000


def test_large_values_are_as_large_as_may_be() -> None:
    sizes = [len(record.value) for record in records("values of 64 KiB")]
    assert LARGEST_VALUE_BYTES - 32 < min(sizes) <= max(sizes) <= LARGEST_VALUE_BYTES


def test_all_households_watch_when_the_log_ends() -> None:
    last = {event["household_id"]: event for event in events("20,000 watched when the log ends")}
    assert {(event["event_type"], event["event_time_ms"]) for event in last.values()} == {("heartbeat", NOW_MS)}
    assert len(last) == 20_000

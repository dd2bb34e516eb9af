"""The worker's fold and the independent recomputation, two readings of the same rules, agree on random logs."""

from __future__ import annotations

import json
from collections import Counter
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_logs import Log, Writer, mutated
from shown_hashes import differences, expected_now, kept, shown

from models.catalog import BadTitle, read_title
from models.events import BadEvent
from models.reading import read_event
from streams.verify.recomputation import readable_title
from streams.verify.records import UnreadableRecord
from streams.verify.records import read_event as read_independently

EVENT = {
    "event_id": "e", "event_type": "seek", "event_time_ms": 5, "household_id": "home", "title_id": "film",
    "play_session_id": "s", "position_ms": 0, "profile_id": "p", "profile_kind": "kids", "device_id": "tv", "seq": 1,
    "playback_rate": 1.0, "seek_from_ms": 0, "runtime_ms": 1, "credits_start_ms": 1, "time_zone": "UTC",
    "country": "DE", "content_kind": "main", "autoplay": True, "offline": False, "sent_time_ms": 1,
}  # fmt: skip

TITLE = {
    "household_id": "film", "title_id": "film", "name": "x", "franchise_id": "f", "runtime_ms": 5,
    "credits_start_ms": 4, "release_time_ms": 7, "content_kind": "main", "is_kids": True,
}  # fmt: skip


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.integers(1, 120))
def test_fold_and_recomputation_count_the_same(seed: int, events: int) -> None:
    assert disagreements(Writer(Random(seed), events).log()) == []


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.integers(1, 120))
def test_both_judge_each_event_by_the_zone_data_that_holds_at_its_record(seed: int, events: int) -> None:
    assert disagreements(Writer(Random(seed), events, turning_zones=True).log()) == []


@settings(max_examples=500)
@given(st.integers(0, 2**32))
def test_both_use_the_same_rows_of_the_catalog(seed: int) -> None:
    key, value = mutated(Random(seed), TITLE)
    assert _read_title(key, value or b"") == readable_title(key, value or b"")


@settings(max_examples=500)
@given(st.integers(0, 2**32))
def test_both_take_the_same_records_for_events_and_read_the_same_in_them(seed: int) -> None:
    key, value = mutated(Random(seed), EVENT)
    assert _read(key, value) == _read_independently(key, value)


@pytest.mark.parametrize("name", sorted(name for name, value in EVENT.items() if isinstance(value, str)))
@pytest.mark.parametrize("letter", ["x", "é", "€", "😀"])
@pytest.mark.parametrize("is_escaped", [False, True])
def test_both_count_the_bytes_of_a_text(name: str, letter: str, is_escaped: bool) -> None:
    for length in (64, 65, 256, 257):
        text = letter * (length // len(letter.encode())) + "x" * (length % len(letter.encode()))
        event = {**EVENT, name: text}
        value = json.dumps(event, ensure_ascii=is_escaped).encode()
        read = _read(event["household_id"].encode(), value)
        assert read == _read_independently(event["household_id"].encode(), value)


def disagreements(log: Log) -> list[str]:
    """What the two readings of a log do not agree on."""
    folded = log.folded()
    folds, changes = [fold for fold, _ in folded], [changes for _, changes in folded]
    found = shown(folds, log)
    expected = log.recomputed(found)
    return differences(found, expected_now(log, expected, found)) + [
        f"{what} for one only: {record}"
        for what, records, others in (
            ("dead letter", kept(log, changes, "dead_letters_topic"), expected.dead_letters),
            ("late event", kept(log, changes, "late_topic"), expected.late),
            ("milestone", kept(log, changes, "milestones_topic"), expected.milestones),
        )
        for record in (Counter(records) - Counter(list(others))) + (Counter(list(others)) - Counter(records))
    ]


def _read(key: bytes | None, value: bytes | None) -> object:
    try:
        event = msgspec.structs.asdict(read_event(key, value))
    except BadEvent:
        return "a dead letter"
    return {name: given for name, given in event.items() if given is not None}


def _read_independently(key: bytes | None, value: bytes | None) -> object:
    try:
        event = read_independently(key, value)
    except UnreadableRecord:
        return "a dead letter"
    return event | {name: float(event[name]) for name in ("playback_rate",) if name in event}


def _read_title(key: bytes | None, value: bytes) -> str | None:
    try:
        return read_title(key, value).title_id
    except BadTitle:
        return None

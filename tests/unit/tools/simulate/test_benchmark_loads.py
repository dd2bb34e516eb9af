"""The benchmark's two loads keep their shapes, whatever their length."""

from collections import Counter
from itertools import pairwise

import msgspec
import pytest

from models.catalog import read_title
from models.events import BadEvent
from models.reading import read_event
from models.rules import Rules
from streams.tools.simulate.backlog import LIVE, REPLAY, live_backlog, replay_backlog, title_rows

SHAPES = pytest.mark.parametrize(
    ("load", "shape"), [(replay_backlog, REPLAY), (live_backlog, LIVE)], ids=["replay", "live"]
)


@SHAPES
@pytest.mark.parametrize("events", [0, 1, 1000])
def test_a_load_has_exactly_the_records_asked_for(load, shape, events) -> None:
    assert sum(1 for _ in load(events)) == events


@SHAPES
def test_same_seed_gives_the_same_bytes_and_another_one_others(load, shape) -> None:
    assert list(load(500, 7)) == list(load(500, 7)) != list(load(500, 8))


@SHAPES
def test_no_household_comes_twice_within_a_round(load, shape) -> None:
    keys = [item.key for item in load(shape.sessions * 2)]
    assert len(set(keys)) == shape.sessions
    assert keys[: shape.sessions] == keys[shape.sessions :]


@SHAPES
def test_a_round_is_a_minute_and_timestamps_never_fall(load, shape) -> None:
    times = [item.timestamp_ms for item in load(shape.sessions + 1)]
    assert times[-1] - times[0] == 60_000
    assert all(earlier <= later for earlier, later in pairwise(times))


@SHAPES
def test_nearly_all_events_are_readable_and_a_few_are_bad_late_or_repeated(load, shape) -> None:
    seen, ids, count = Counter(), set(), shape.sessions + 20_000
    for item in load(count):
        try:
            event = read_event(item.key, item.value)
        except BadEvent:
            seen["bad"] += 1
            continue
        late = item.timestamp_ms - event.event_time_ms > Rules().grace_ms
        seen["late" if late else "twice" if event.event_id in ids else "good"] += 1
        ids.add(event.event_id)
    assert seen["good"] > 0.99 * count
    assert all(0 < seen[fault] < 0.01 * count for fault in ("bad", "late", "twice"))


def test_neighbours_of_the_live_load_are_of_different_titles() -> None:
    titles = [msgspec.json.decode(item.value)["title_id"] for item in live_backlog(1000) if item.value[-1:] == b"}"]
    assert all(title != following for title, following in pairwise(titles))
    assert len(set(titles)) > 900


@SHAPES
def test_records_have_the_size_of_real_ones(load, shape) -> None:
    sizes = [len(item.value) for item in load(2000)]
    assert 300 <= sum(sizes) / len(sizes) <= 450


@SHAPES
def test_every_title_of_the_catalog_is_a_row_of_the_titles_topic(load, shape) -> None:
    rows = [read_title(row["title_id"].encode(), msgspec.json.encode(row)) for row in title_rows(shape)]
    assert len({row.title_id for row in rows}) == shape.titles
    assert all(0 < row.length_ms < row.known_runtime_ms for row in rows)

"""Simulated viewing: the same seed gives the same, readable, ordered records, with the faults asked for only."""

import json
from collections import Counter, defaultdict
from datetime import datetime
from itertools import islice
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.catalog import CatalogRow, read_title
from models.counters import Counters
from models.events import BadEvent, Event
from models.fold import Fold
from models.reading import read_event
from models.rules import DAY_MS, HOUR_MS, Rules
from models.tally import TITLE, WATCHING
from streams.kafka.producer import Outgoing
from streams.tools.simulate.faults import BAD
from streams.tools.simulate.plan import FAULTS, Plan
from streams.tools.simulate.stream import ordinary_viewers, stream
from streams.tools.simulate.world import ZONES, catalog_rows, titles

ORIGIN_MS = 1_769_990_400_000
"""2026-02-02 00:00 UTC, a Monday."""

SMALL = Plan(households=20, titles=8)


def _first(count: int, plan: Plan) -> list[Outgoing]:
    return list(islice(stream(plan, ORIGIN_MS), count))


def _events(items: list[Outgoing]) -> list[Event]:
    return [read_event(item.key, item.value) for item in items]


@settings(max_examples=10)
@given(st.integers(0, 2**64))
def test_same_seed_gives_the_same_bytes(seed: int) -> None:
    plan = SMALL.model_copy(update={"seed": seed})
    assert _first(300, plan) == _first(300, plan)


def test_another_seed_gives_other_viewing() -> None:
    assert _first(300, SMALL) != _first(300, SMALL.model_copy(update={"seed": 2}))


@settings(max_examples=15)
@given(st.builds(Plan, households=st.integers(1, 30), titles=st.integers(2, 50), seed=st.integers(0, 999)))
def test_records_come_in_the_order_of_sending_from_the_origin_on(plan: Plan) -> None:
    items = _first(500, plan)
    times = [item.due_ms for item in items]
    assert times == sorted(times) and times[0] >= ORIGIN_MS
    assert [item.timestamp_ms for item in items] == times


@settings(max_examples=15)
@given(
    st.builds(
        Plan,
        seed=st.integers(0, 999),
        households=st.integers(1, 30),
        heartbeat_s=st.sampled_from([1, 10, 60, 300]),
        seeks_per_hour=st.sampled_from([0, 1, 60]),
        pauses_per_hour=st.sampled_from([0, 1, 60]),
        rate_changes_per_hour=st.sampled_from([0, 1, 60]),
        frozen_share=st.sampled_from([0, 1]),
    )
)
def test_without_faults_every_event_is_readable_in_order_and_on_time(plan: Plan) -> None:
    items = _first(1000, plan.without_faults())
    events = _events(items)
    assert [event.event_time_ms for event in events] == [item.timestamp_ms for item in items]
    assert len({event.event_id for event in events}) == len(events)
    sequences = defaultdict(list)
    for event in events:
        sequences[event.play_session_id].append(event.seq)
    for numbers in sequences.values():
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_without_faults_no_position_lies_beyond_the_title() -> None:
    plan = SMALL.model_copy(update={"seeks_per_hour": 30.0, "rate_changes_per_hour": 10.0}).without_faults()
    lengths = {title.title_id: title.runtime_ms for title in titles(plan, ORIGIN_MS)}
    mains = [event for event in _events(_first(5000, plan)) if event.content_kind is None]
    assert all(0 <= event.position_ms <= lengths[event.title_id] for event in mains)


def test_all_event_types_and_trailers_and_autoplay_occur() -> None:
    events = _events(_first(30_000, Plan(households=50).without_faults()))
    assert {event.event_type for event in events} == {
        "start", "play", "heartbeat", "pause", "seek", "rate", "buffer", "stop", "end",
    }  # fmt: skip
    assert {event.content_kind for event in events} == {None, "trailer"}
    assert {event.autoplay for event in events} == {None, True}
    assert {event.seek_from_ms is None for event in events if event.event_type == "seek"} == {True, False}


@pytest.mark.parametrize("kind", BAD, ids=lambda kind: kind.__name__.strip("_"))
def test_each_kind_of_bad_record_is_refused(kind) -> None:
    event = json.loads(_first(1, SMALL.without_faults())[0].value)
    for seed in range(50):
        item = kind(Random(seed), ORIGIN_MS, event)
        try:
            ahead_ms = read_event(item.key, item.value).event_time_ms - item.timestamp_ms
        except BadEvent:
            continue
        assert ahead_ms > Rules().future_ms


class _Record(NamedTuple):
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


def _folded(items: list[Outgoing], plan: Plan) -> Fold:
    fold = Fold(Rules(), zones={zone: ZoneInfo(zone) for zone, _, _ in ZONES})
    for row in catalog_rows(titles(plan, ORIGIN_MS)):
        fold.apply_catalog_row(row["title_id"], read_title(row["title_id"].encode(), msgspec.json.encode(row)))
    fold.apply(_Record(n, item.timestamp_ms, item.key, item.value) for n, item in enumerate(items))
    return fold


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_occurs_when_asked_for_and_only_then(fault: str) -> None:
    plan = SMALL.without_faults().model_copy(update={fault: 0.2})
    assert _seen(plan) == {fault}


def _seen(plan: Plan) -> set[str]:
    items = _first(3000, plan)
    fold = _folded(items, plan)
    readable = [item for item in items if _is_readable(item)]
    events = [json.loads(item.value) for item in readable]
    ids = Counter(event["event_id"] for event in events)
    # What was sent before the origin may arrive a second time after it.
    begun = [event for event in events if "offline" not in event and event["event_time_ms"] >= ORIGIN_MS]
    live = list({event["event_id"]: event for event in begun}.values())
    ages_ms = [item.timestamp_ms - event["event_time_ms"] for item, event in zip(readable, events, strict=True)]
    seen = {
        "bad_share": fold.stream.dead_letters > 0,
        "too_late_share": fold.stream.late_events > 0,
        "duplicate_share": max(ids.values()) > 1,
        "days_late_share": any(HOUR_MS < age_ms < 30 * DAY_MS for age_ms in ages_ms),
        "out_of_order_share": _overtaken(live),
        "unnumbered_share": any("seq" not in event for event in live),
        "restart_share": _restarted(live),
    }
    return {fault for fault, occurred in seen.items() if occurred}


def _is_readable(item: Outgoing) -> bool:
    try:
        event = read_event(item.key, item.value)
    except BadEvent:
        return False
    return event.event_time_ms <= item.timestamp_ms


def _overtaken(events: list[dict]) -> bool:
    latest_ms: dict[str, int] = {}
    return any(
        event["event_time_ms"] < latest_ms.get(event["play_session_id"], 0)
        or latest_ms.update({event["play_session_id"]: event["event_time_ms"]}) is not None
        for event in events
    )


def _restarted(events: list[dict]) -> bool:
    firsts = Counter(event["play_session_id"] for event in events if event.get("seq") == 0)
    return any(count > 1 for count in firsts.values())


def test_a_duplicate_is_the_same_record_again() -> None:
    plan = SMALL.without_faults().model_copy(update={"duplicate_share": 1.0})
    copies = Counter((item.key, item.value) for item in _first(2000, plan))
    assert max(copies.values()) == 2


def test_kids_watch_before_and_after_school_in_their_own_zone() -> None:
    plan = Plan(households=150, heartbeat_s=3600, days_late_share=0).without_faults()
    starts = [
        datetime.fromtimestamp(event.event_time_ms / 1000, ZoneInfo(event.time_zone))
        for event in _events(_first(8000, plan))
        if event.event_type == "start" and event.profile_kind == "kids" and event.autoplay is None
    ]
    hours = Counter(start.hour for start in starts if start.weekday() < 5)
    school = sum(hours[hour] for hour in (8, 9, 10, 11, 12, 13))
    assert hours[6] + hours[7] > school < hours[15] + hours[16]
    assert {str(start.tzinfo) for start in starts} >= {"Asia/Kolkata", "Australia/Adelaide"}


def test_the_film_that_will_not_stop_is_rewatched_and_the_big_opening_is_not_finished() -> None:
    plan = Plan(households=100, heartbeat_s=300)
    fold = _folded(_first(40_000, plan), plan)
    tallies = fold.drain(1).tallies
    totals = {key.title_id: Counters(*tally[1:WATCHING]) for key, tally in tallies.items() if key.kind == TITLE}
    film, opening = totals.pop("the-film-that-will-not-stop"), totals.pop("the-big-opening")
    assert film.rewatches > max(title.rewatches for title in totals.values())
    assert film.completers > 0.9 * film.starters
    assert opening.starters > 50 and opening.completers < 0.3 * opening.starters


def test_a_player_that_counts_anew_had_been_silent_for_more_than_a_minute() -> None:
    plan = SMALL.without_faults().model_copy(update={"restart_share": 1.0, "pauses_per_hour": 60.0})
    silent_ms, last = [], {}
    for event in _events(_first(3000, plan)):
        before = last.get(event.play_session_id)
        if before and event.seq < before.seq:
            silent_ms.append(event.event_time_ms - before.event_time_ms)
        last[event.play_session_id] = event
    assert len(silent_ms) > 100 and min(silent_ms) > 60_000


def test_most_sittings_of_a_cartoon_skip_its_theme_and_stop_where_its_unmarked_credits_start() -> None:
    nothing_else = {"heartbeat_s": 600, "seeks_per_hour": 0, "abandoned_share": 0, "frozen_share": 0}
    plan = Plan(households=100, titles=8, **nothing_else).without_faults()
    cartoon = next(title for title in titles(plan, ORIGIN_MS) if title.theme_ms)
    events = [event for event in _events(_first(30_000, plan)) if event.title_id == cartoon.title_id]
    starts = [event for event in events if event.event_type == "start" and event.position_ms == 0]
    skips = [event for event in events if event.event_type == "seek" and event.position_ms == cartoon.theme_ms]
    stops = [event for event in events if event.position_ms == cartoon.credits_start_ms]
    assert "credits_start_ms" not in cartoon.row() and {event.credits_start_ms for event in events} == {None}
    assert len(starts) > 50 and 0.6 * len(starts) < len(skips) < len(starts)
    assert 0.5 * len(starts) < len(stops) and {event.event_type for event in stops} == {"stop"}


def test_a_kid_watches_on_its_own_profile_and_now_and_then_on_a_siblings_never_on_a_grown_ups() -> None:
    kid = next(
        viewer
        for viewer in ordinary_viewers(Plan(households=50, heartbeat_s=600), ORIGIN_MS)
        if viewer.profile.kind == "kids" and sum(who.kind == "kids" for who in viewer.household.profiles) > 1
    )
    events = [sent.event for sent in islice(kid.watch(ORIGIN_MS), 5000)]
    sittings = Counter({event["play_session_id"]: event["profile_id"] for event in events}.values())
    siblings = {who.profile_id for who in kid.household.profiles if who.kind == "kids"}
    assert set(sittings) == siblings
    assert 0.7 < sittings[kid.profile.profile_id] / sittings.total() < 0.95


def test_what_was_given_up_within_two_minutes_is_not_gone_on_with() -> None:
    plan = SMALL.without_faults().model_copy(update={"abandoned_share": 1.0, "seeks_per_hour": 0.0})
    assert {event.position_ms for event in _events(_first(2000, plan)) if event.event_type == "start"} == {0}


def test_nobody_watched_a_title_before_its_release() -> None:
    plan = Plan(households=50, titles=8).without_faults().model_copy(update={"days_late_share": 0.5})
    released_ms = {title.title_id: title.release_time_ms for title in titles(plan, ORIGIN_MS)}
    events = _events(_first(5000, plan))
    assert sum(event.offline is True for event in events) > 1000
    assert all(event.event_time_ms >= released_ms.get(event.title_id, 0) for event in events)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_uncatalogued_titles_are_missing_from_the_catalog_only(share: float) -> None:
    plan = Plan(titles=10, uncatalogued_share=share)
    everything = titles(plan, ORIGIN_MS)
    mains = [row for row in catalog_rows(everything) if row["content_kind"] == "main"]
    assert (len(everything), len(mains)) == (10, 10 if share == 0 else 2)


def test_catalog_rows_are_rows_of_the_titles_topic() -> None:
    for row in catalog_rows(titles(Plan(titles=50), ORIGIN_MS)):
        read = read_title(row["title_id"].encode(), msgspec.json.encode(row))
        assert isinstance(read, CatalogRow) and 0 < read.length_ms <= read.known_runtime_ms

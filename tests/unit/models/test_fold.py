"""One partition's records, in log order: what is judged first, where each fact counts, what is set aside."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from partition_log import FILM, Log, Record
from playing import DAY, HOUR, T0

from models.account import StreamCounters
from models.fold_changes import FoldChanges
from models.partitioner import partition_of
from models.rows import pack, unpack
from models.tally import TallyKey
from models.viewing import Row

MINUTES_5, DAYS_30, HOURS_72 = 300, 30 * DAY, 72 * HOUR


# -- in which order a record is judged ----------------------------------------------------------------------------


def test_every_record_moves_the_stream_time_dead_letters_too_and_none_moves_it_back() -> None:
    log, times = Log(), []
    for at in (5, 3, 9, 8):
        log.raw(at, b"k", b"no event")
        times.append((log.fold.stream_time_ms - T0) / 1000)
    assert times == [5, 5, 9, 9]
    assert log.account() == {"dead_letters": 4}


def test_no_devices_clock_moves_the_stream_time() -> None:
    log = Log().tells("start", 0, at=200, arrives=0)
    assert log.fold.stream_time_ms == T0


def test_what_cannot_be_read_is_set_aside_with_its_bytes_and_a_reason() -> None:
    log = Log().raw(0, b"k", b"\xff").raw(1, None, None).tells("start", -1, at=2)
    letters = log.drained().dead_letters
    assert [(record.offset, record.key, record.value) for record, _ in letters[:2]] == [
        (0, b"k", b"\xff"),
        (1, None, None),
    ]
    assert all(reason for _, reason in letters)
    assert log.drained().dead_letters == []


@pytest.mark.parametrize(("ahead", "dead"), [(-0.001, False), (0, False), (0.001, True)])
def test_an_event_more_than_five_minutes_ahead_of_its_record_is_a_dead_letter(ahead: float, dead: bool) -> None:
    log = Log().raw(DAY, b"k", b"later").tells("start", 0, at=MINUTES_5 + ahead, arrives=0)
    assert log.account() == ({"dead_letters": 2} if dead else {"dead_letters": 1, "events": 1})
    if dead:
        assert "300001 ms ahead of the record" in log.drained().dead_letters[1][1]


FAR_MS = 253_402_300_800_000
"""The first millisecond after the year 9999."""


@pytest.mark.parametrize(
    ("timestamp_ms", "accepted"),
    [(-(2**63), False), (-1, False), (0, True), (1, True), (FAR_MS - 1, True), (FAR_MS, False), (2**63 - 1, False)],
)
def test_a_records_timestamp_lies_in_the_years_1970_to_9999_or_moves_no_time(timestamp_ms: int, accepted: bool) -> None:
    log = Log()
    log.fold.apply([Record(0, timestamp_ms, b"k", b"no event")])
    assert (log.fold.stream_time_ms, log.fold.clock_ms) == ((timestamp_ms,) * 2 if accepted else (-1, -1))
    ((_, reason),) = log.drained().dead_letters
    assert ("timestamp" in reason) is not accepted


def test_an_event_of_a_record_out_of_all_time_is_a_dead_letter_however_good_it_is() -> None:
    good = Log().tells("start", 0, at=0).fold
    log = Log().waits(0)
    event = {
        "event_id": "e", "event_type": "start", "event_time_ms": T0, "household_id": "h", "title_id": "film",
        "play_session_id": "s", "position_ms": 0,
    }  # fmt: skip
    for timestamp_ms in (-1, FAR_MS):
        log.fold.apply([Record(1, timestamp_ms, b"h", json.dumps(event).encode())])
    assert (log.account(), log.fold.stream_time_ms) == ({"dead_letters": 3}, good.stream_time_ms)
    assert log.tells("start", 0, at=0).account() == {"dead_letters": 3, "events": 1}


def test_what_is_stale_anew_or_refused_is_counted_in_the_account_and_survives_a_restart() -> None:
    log = Log(FILM).tells("start", 0, at=0, seq=5).tells("pause", 0, at=1, seq=4)
    log.tells("heartbeat", 500, at=30, seq=6).tells("heartbeat", 400, at=60, seq=7)
    log.tells("play", 500, at=4_000, seq=8).tells("heartbeat", 510, at=20_000, seq=1)
    found = {
        "events": 6, "stale_events": 1, "player_restarts": 1, "refused_long_ms": 10_000, "refused_fast_ms": 500_000,
        "refused_gap_ms": 100_000, "refused_back": 1,
    }  # fmt: skip
    assert (log.account(), log.restarts().account()) == (found, found)


def test_what_touches_nothing_is_neither_stale_nor_refused() -> None:
    log = Log(FILM).tells("start", 0, at=10, content_kind="trailer").tells("heartbeat", 900, at=0, content_kind="bonus")
    assert log.account() == {"events": 2}


@pytest.mark.parametrize(("older", "late"), [(-0.001, False), (0, False), (0.001, True)])
def test_an_event_older_than_stream_time_less_the_grace_is_late_and_touches_nothing(older: float, late: bool) -> None:
    log = Log().raw(DAYS_30 + older, b"k", b"clock").tells("start", 0, at=0)
    assert log.account() == {"dead_letters": 1} | ({"late_events": 1} if late else {"events": 1, "late_hour_events": 1})
    assert [record.offset for record in log.drained().late] == ([1] if late else [])
    assert bool(log.fold.titles) is not late


def test_an_event_of_a_record_that_is_itself_old_is_late_by_the_stream_and_not_the_record() -> None:
    log = Log().raw(DAYS_30 + 1, b"k", b"clock").tells("start", 0, at=0, arrives=0)
    assert log.account() == {"dead_letters": 1, "late_events": 1}


def test_a_late_trailer_is_late_and_a_trailer_in_time_is_an_event_that_touches_nothing() -> None:
    log = Log().tells("start", 0, at=0, content_kind="trailer", time_zone="Nowhere", runtime_ms=90_000)
    log.tells("heartbeat", 30, at=30, content_kind="trailer", time_zone="Nowhere")
    assert (log.account(), log.title()) == ({"events": 2}, {})
    assert log.raw(DAYS_30 + 1, b"k", b"clock").tells("start", 0, at=0, content_kind="trailer").account() == {
        "events": 2, "dead_letters": 1, "late_events": 1,
    }  # fmt: skip
    assert not log.drained().rows


@pytest.mark.parametrize(
    ("of_the_title", "of_the_event", "plays"),
    [(None, None, 1), ("main", "main", 1), ("main", "bonus", 0), ("bonus", "main", 0), ("trailer", None, 0)],
)
def test_an_event_counts_where_it_and_its_title_are_main(of_the_title: Any, of_the_event: Any, plays: int) -> None:
    log = Log(msgspec.structs.replace(FILM, content_kind=of_the_title))
    assert log.plays(0, 30, at=0, content_kind=of_the_event).title().get("plays", 0) == plays


# -- what is noted of events on the way ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "unknown"), [(None, 0), ("UTC", 0), ("Europe/Berlin", 0), ("", 1), ("utc", 1), ("Mars", 1)]
)
def test_a_zone_that_is_none_is_counted_and_the_event_too(zone: str | None, unknown: int) -> None:
    log = Log().tells("start", 0, at=0, time_zone=zone)
    assert log.account() == {"events": 1} | ({"unknown_zone_events": 1} if unknown else {})


@pytest.mark.parametrize("partition", range(4))
def test_a_household_that_murmur2_sends_elsewhere_is_counted_here_and_reported(partition: int) -> None:
    log = Log(FILM, partition=partition, partitions=4).plays(0, 30, at=0)
    home = partition_of(b"household", 4) == partition
    assert log.account() == {"events": 2} | ({} if home else {"misrouted_events": 2})
    assert log.title() == {"plays": 1, "watched_ms": 30_000}


def test_these_three_look_at_duplicates_too() -> None:
    elsewhere = 1 - partition_of(b"household", 2)
    log = Log(partition=elsewhere, partitions=2).raw(HOURS_72 + 1, b"k", b"clock")
    for _ in range(3):
        log.tells("start", 0, at=0, event_id="same", time_zone="Mars")
    assert log.account() == {
        "dead_letters": 1, "events": 3, "late_hour_events": 3, "unknown_zone_events": 3, "misrouted_events": 3,
    }  # fmt: skip


# -- windows ------------------------------------------------------------------------------------------------------


def test_a_fact_and_each_credited_second_count_where_their_event_is() -> None:
    # From five minutes before midnight: a play and a starter on the 15th, a viewer on the 16th.
    log = Log(FILM).plays(0, 420, at=-295)
    assert log.windows("d") == {
        "20250615": {"plays": 1, "starters": 1, "watched_ms": 240_000},
        "20250616": {"viewers": 1, "watched_ms": 180_000},
    }
    assert log.windows("h") == {
        "20250615T23": {"plays": 1, "starters": 1, "watched_ms": 240_000},
        "20250616T00": {"viewers": 1, "watched_ms": 180_000},
    }
    assert log.title() == {"plays": 1, "starters": 1, "viewers": 1, "watched_ms": 420_000}


@pytest.mark.parametrize(("older", "in_hour"), [(-0.001, True), (0, True), (0.001, False)])
def test_an_hour_takes_events_at_most_72_hours_older_than_stream_time_a_day_all(older: float, in_hour: bool) -> None:
    log = Log(FILM).tells("start", 0, at=0).raw(HOURS_72 + 30 + older, b"k", b"clock")
    log.tells("stop", 30, at=30)
    counted = {"plays": 1, "watched_ms": 30_000}
    assert log.windows("h") == ({"20250616T00": counted} if in_hour else {})
    assert log.windows("d") == {"20250616": counted}
    assert log.account().get("late_hour_events", 0) == (0 if in_hour else 1)


def test_a_skimmer_is_of_all_time_and_makes_no_window() -> None:
    log = Log(FILM).tells("pause", 950, at=0)
    assert (log.title(), log.windows("h"), log.windows("d")) == ({"skimmers": 1}, {}, {})
    # Who counts a title shows its dayparts, too.
    assert TallyKey("l", 0, "film") in log.fold.tallies


def test_kids_are_counted_by_the_profile_on_the_event_that_makes_the_fact() -> None:
    log = Log(FILM).tells("start", 0, at=0, profile_kind="general").tells("heartbeat", 30, at=30, profile_kind="kids")
    log.tells("stop", 60, at=60)
    assert log.title() == {"plays": 1, "watched_ms": 60_000, "kids_plays": 1, "kids_watched_ms": 30_000}


# -- the catalog --------------------------------------------------------------------------------------------------


def test_a_catalog_row_holds_from_where_it_is_taken_in_and_facts_made_stay() -> None:
    log = Log(msgspec.structs.replace(FILM, runtime_ms=100_000)).plays(0, 100, at=0)
    log.fold.apply_catalog_row("film", FILM)
    log.plays(205, 1000, at=HOUR)
    assert {name: log.title().get(name) for name in ("completions", "completers")} == {
        "completions": 1, "completers": 1,
    }  # fmt: skip
    log.plays(0, 5, at=2 * HOUR)  # 159 + 1 cells of the longer film
    assert log.title()["completions"] == 2


def test_a_row_that_leaves_the_catalog_leaves_what_events_state() -> None:
    log = Log(msgspec.structs.replace(FILM, content_kind="trailer"))
    log.tells("start", 0, at=0, runtime_ms=100_000)
    log.fold.apply_catalog_row("film", None)
    log.plays(0, 95, at=60, runtime_ms=100_000, play_session_id="b")
    assert log.title()["completions"] == 1


def test_a_title_that_the_catalog_lacks_counts_all_the_same() -> None:
    log = Log().plays(0, 30, at=0, title_id="nobody's")
    assert log.title("nobody's") == {"plays": 1, "watched_ms": 30_000}


# -- forgetting ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("over", "starters"), [(-0.001, 1), (0, 1), (0.001, 2)])
def test_a_household_without_an_applied_event_for_730_days_counts_anew(over: float, starters: int) -> None:
    log = Log(FILM).plays(0, 150, at=0)
    log.tells("pause", 150, at=140)  # older than its session's place: not applied, so it keeps nothing alive
    log.plays(0, 150, at=150 + 730 * DAY + over, play_session_id="later")
    assert log.title()["starters"] == starters
    assert log.title()["watched_ms"] == 300_000


def test_what_is_forgotten_is_by_stream_time_of_the_record_not_the_events() -> None:
    log = Log(FILM).plays(0, 150, at=0).tells("start", 0, at=100 * DAY, play_session_id="x")
    log.raw(800 * DAY, b"k", b"clock").tells("start", 0, at=800 * DAY, play_session_id="y")
    log.tells("stop", 120, at=800 * DAY + 120, play_session_id="y")
    assert log.title()["starters"] == 1  # 700 days after the last one


# -- silence ------------------------------------------------------------------------------------------------------


def test_time_that_passes_in_silence_makes_nothing_late_and_forgets_nobody() -> None:
    log = Log(FILM).plays(0, 150, at=0).passes(1_000 * DAY).plays(150, 300, at=150)
    assert log.account() == {"events": 8}
    assert log.title() == {"plays": 1, "starters": 1, "viewers": 1, "watched_ms": 300_000}
    assert log.windows("h", "d") == dict.fromkeys(["20250616", "20250616T00"], log.title())


def test_the_clock_is_the_stream_time_or_the_silence_whichever_is_later() -> None:
    log, clocks = Log().waits(10), []
    for passes, waits in ((5, 11), (20, 12), (15, 13), (20, 21)):
        log.passes(passes).waits(waits)
        clocks.append(((log.fold.stream_time_ms - T0) / 1000, (log.fold.clock_ms - T0) / 1000))
    assert clocks == [(11, 11), (12, 20), (13, 20), (21, 21)]


# -- checkpoints --------------------------------------------------------------------------------------------------


def test_a_drain_hands_over_what_changed_since_the_last_one_and_nothing_twice() -> None:
    log = Log(FILM).plays(0, 30, at=0).tells("start", 0, at=40, title_id="other")
    changed = log.fold.tallies
    first = log.drained(7)
    assert [(title_id, household_id) for title_id, household_id, _ in first.rows] == [
        ("film", "household"), ("other", "household"),
    ]  # fmt: skip
    windows = (
        TallyKey("t", 0, "film"),
        TallyKey("d", T0 // 86_400_000, "film"),
        TallyKey("h", T0 // 3_600_000, "film"),
        TallyKey("l", 0, "film"),
        TallyKey("v", 0, "film"),
    )
    assert {key: tally[0] for key, tally in changed.items()} == dict.fromkeys(windows, 7)
    assert log.drained(8) == FoldChanges([], {}, [], [], [])
    second = log.tells("start", 60, at=50).tells("stop", 90, at=80).drained(9)
    assert [title_id for title_id, _, _ in second.rows] == ["film"]
    assert second.tallies[TallyKey("t", 0, "film")] == [9, 1, *[0] * 7, 60_000, *[0] * 16]


def test_a_duplicate_dirties_no_row() -> None:
    log = Log(FILM).tells("start", 0, at=0, event_id="same")
    log.drained()
    assert log.tells("start", 0, at=0, event_id="same").drained().rows == []


def test_milestones_are_facts_in_log_order_with_their_events_and_offsets() -> None:
    changes = Log(FILM).raw(0, b"household", b"no event").plays(0, 1000, at=0).drained()
    assert [(made.fact.name, made.event.position_ms, made.offset) for made in changes.milestones] == [
        ("played", 60_000, 2), ("started", 120_000, 3), ("viewed", 300_000, 6), ("watched", 720_000, 13),
        ("completed", 900_000, 16),
    ]  # fmt: skip


@pytest.mark.parametrize("hot_rows", [0, 1, 2, 3])
def test_cooling_packs_rows_that_rest_and_touching_them_decodes_them_again(hot_rows: int) -> None:
    log = Log(FILM)
    for number in range(3):
        log.tells("start", 0, at=number, household_id=f"h{number}")
    for sequence in range(3):  # a row that was touched lately stays
        log.drained(sequence)
        log.fold.evict(hot_rows)
    rows = log.fold.titles["film"].rows
    assert sum(isinstance(row, Row) for row in rows.values()) == min(hot_rows, 3)
    for number in range(3):
        log.tells("stop", 30, at=30 + number, household_id=f"h{number}")
    assert log.title() == {"plays": 3, "watched_ms": 90_000}


def test_a_drained_row_is_what_the_fold_goes_on_with() -> None:
    log = Log(FILM).plays(0, 500, at=0)
    ((_, _, packed),) = log.drained().rows
    row = log.fold.titles["film"].rows["household"]
    assert isinstance(row, Row)
    assert packed == pack(row) == pack(unpack(packed))


def test_the_account_starts_with_nothing() -> None:
    assert Log().fold.stream == StreamCounters()

"""What the doctor finds wrong with a sample of events, at each threshold, and that healthy events are left alone."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import islice
from typing import Any

import msgspec
import pytest

from models.catalog import CatalogRow
from models.diagnosis import Complaint, Sampled, diagnose
from models.partitioner import partition_of
from streams.tools.simulate.plan import Plan
from streams.tools.simulate.stream import stream
from streams.tools.simulate.world import catalog_rows, titles

NOW_MS = 1_773_511_200_000
MINUTE_MS = 60_000
FILM = CatalogRow("film", runtime_ms=90 * MINUTE_MS)
CATALOG = {"film": FILM}

Told = dict[str, Any]


def viewing(household: str = "home", title: str = "film", minutes: int = 90, **more: Any) -> list[Told]:
    """A title played for so long at a heartbeat a minute, and stopped."""
    kinds = ["start", *["heartbeat"] * (minutes - 1), "stop"]
    return [
        {
            "event_id": f"{household}-{title}-{at}",
            "event_type": kind,
            "event_time_ms": NOW_MS + at * MINUTE_MS,
            "household_id": household,
            "title_id": title,
            "play_session_id": f"{household}-{title}",
            "position_ms": at * MINUTE_MS,
        }
        | more
        for at, kind in enumerate(kinds)
    ]


def sampled(events: Iterable[Told], partition: int = 0, first: int = 100) -> list[Sampled]:
    """Records as the topic holds them, stamped with the time at which each was due."""
    return [
        Sampled(
            partition, first + at, NOW_MS + at * MINUTE_MS, event["household_id"].encode(), json.dumps(event).encode()
        )
        for at, event in enumerate(events)
    ]


def found(events: Iterable[Told], catalog: dict[str, CatalogRow] | None = None) -> list[str]:
    return [complaint.what for complaint in diagnose(sampled(events), CATALOG if catalog is None else catalog)]


def moved(events: Iterable[Told], factor: float) -> list[Told]:
    """The same with every position in another unit."""
    return [event | {"position_ms": int(event["position_ms"] * factor)} for event in events]


# -- healthy events -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seed", "heartbeat_s", "records", "expected"),
    [
        (1, 60, 3_000, []),
        (2, 10, 3_000, []),
        # Its cartoons have credits that nobody marks, on purpose.
        (3, 60, 30_000, [("short titles without credits_start_ms", False)]),
    ],
)
def test_simulated_events_have_nothing_wrong_with_them_but_unmarked_credits(
    seed: int, heartbeat_s: int, records: int, expected: list[tuple[str, bool]]
) -> None:
    plan = Plan(seed=seed, heartbeat_s=heartbeat_s, households=300)
    rows = (msgspec.convert(row, CatalogRow) for row in catalog_rows(titles(plan, NOW_MS)))
    sample = [
        Sampled(partition_of(item.key or b"", 4), offset, item.timestamp_ms, item.key, item.value)
        for offset, item in enumerate(islice(stream(plan, NOW_MS), records))
    ]
    complaints = diagnose(sample, {row.title_id: row for row in rows})
    assert [(complaint.what, complaint.is_grave) for complaint in complaints] == expected


def test_nothing_is_wrong_with_an_empty_topic() -> None:
    assert diagnose([], CATALOG) == []


@pytest.mark.parametrize("value", [None, b"", b"[1]", b"\xff", b"[" * 100_000, b'{"position_ms": "12"}', b"x" * 70_000])
def test_records_that_cannot_be_read_are_passed_over(value: bytes | None) -> None:
    assert diagnose([Sampled(0, at, NOW_MS, b"home", value) for at in range(9)], CATALOG) == []


# -- units --------------------------------------------------------------------------------------------------------


def test_a_complaint_says_how_many_events_have_it_and_where_the_first_lies() -> None:
    good, bad = viewing("home"), moved(viewing("other"), 0.001)
    (complaint,) = diagnose(sampled([*good, *bad]), CATALOG)
    assert complaint[:-1] == Complaint("positions in seconds", True, 91, 182, 0, 100 + 91, "")[:-1]
    assert "multiply by 1,000 in" in complaint.advice


@pytest.mark.parametrize(
    ("factor", "unit"),
    [
        (0.00041, "seconds"), (0.001, "seconds"), (0.0024, "seconds"),
        (410, "microseconds"), (1_000, "microseconds"), (2_400, "microseconds"),
        (4_100, "ticks of 10⁻⁷ s"), (10_000, "ticks of 10⁻⁷ s"), (24_000, "ticks of 10⁻⁷ s"),
    ],
)  # fmt: skip
def test_a_wrong_unit_of_positions_is_told_at_any_playback_rate(factor: float, unit: str) -> None:
    assert found(moved(viewing(), factor)) == [f"positions in {unit}"]


@pytest.mark.parametrize("factor", [0.00039, 0.0026, 0.5, 1, 2, 390, 2_600, 3_900, 26_000])
def test_other_speeds_are_no_unit(factor: float) -> None:
    assert found(moved(viewing(), factor), {}) == []


def test_ticks_are_told_though_most_of_them_are_dead_letters() -> None:
    late = [event | {"position_ms": event["position_ms"] * 10_000} for event in viewing()]
    assert max(event["position_ms"] for event in late) > 7 * 86_400_000
    assert found(late) == ["positions in ticks of 10⁻⁷ s"]


@pytest.mark.parametrize(("intervals", "what"), [(2, []), (3, ["positions in seconds"]), (4, ["positions in seconds"])])
def test_a_session_is_judged_from_three_intervals_on(intervals: int, what: list[str]) -> None:
    assert found(moved(viewing(minutes=intervals), 0.001)) == what


def test_what_was_not_played_says_nothing_of_the_unit() -> None:
    for kinds, jumps in ((("seek", "play", "heartbeat"), (0, 1)), (("pause", "stop", "heartbeat"), (1, 2))):
        events, position_ms = viewing(minutes=30), 0
        for at, event in enumerate(events):
            position_ms += MINUTE_MS * (1_000 if at % 3 in jumps else 1)
            event.update(event_type=kinds[at % 3], position_ms=position_ms)
        assert found(events, {}) == []


def test_a_frozen_player_hides_no_unit() -> None:
    frozen = [event | {"position_ms": at // 3 * 60} for at, event in enumerate(viewing(minutes=30))]
    assert found(frozen) == ["positions in seconds"]


@pytest.mark.parametrize(
    ("bad", "what"), [(2, []), (3, ["event_time_ms in seconds"]), (4, ["event_time_ms in seconds"])]
)
def test_times_in_seconds_are_told_from_three_events_and_one_percent_on(bad: int, what: list[str]) -> None:
    events = [event for home in range(3) for event in viewing(f"home {home}", minutes=99)]
    for event in events[:bad]:
        event["event_time_ms"] //= 1_000
    assert len(events) == 300
    assert found(events, {}) == what


def test_times_in_seconds_with_a_fraction_are_told_and_hide_no_positions_in_seconds() -> None:
    events = [event | {"event_time_ms": event["event_time_ms"] / 1_000} for event in moved(viewing(), 0.001)]
    assert found(events) == ["positions in seconds", "event_time_ms in seconds"]


# -- clocks, partitions, sessions ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ahead_ms", "what"), [(299_999, []), (300_000, []), (300_001, ["device clocks that are fast"])]
)
def test_a_clock_is_fast_above_five_minutes(ahead_ms: int, what: list[str]) -> None:
    assert found(event | {"event_time_ms": event["event_time_ms"] + ahead_ms} for event in viewing()) == what


def test_a_record_without_a_timestamp_accuses_no_clock() -> None:
    assert diagnose([record._replace(timestamp_ms=-1) for record in sampled(viewing())], CATALOG) == []


@pytest.mark.parametrize("number", ["1e308", "1e400", "-1e308", "1" * 400, "true", "null", "[]", "{}"])
@pytest.mark.parametrize("name", ["position_ms", "event_time_ms", "runtime_ms", "credits_start_ms", "title_id"])
def test_fields_of_any_type_and_size_are_read(name: str, number: str) -> None:
    records = sampled(viewing() + viewing("other"))
    odd = [
        record._replace(
            value=json.dumps(json.loads(record.value or b"") | {name: 0})
            .replace(f'"{name}": 0', f'"{name}": {number}')
            .encode()
        )
        for record in records[:91]
    ]
    assert diagnose([*odd, *records[91:]], CATALOG) == []


def test_a_household_in_two_partitions_is_found_by_its_key() -> None:
    first, second = viewing(minutes=9), viewing(minutes=9)
    there = sampled(first, 0), sampled(viewing("elsewhere", minutes=9), 1)
    assert diagnose([*there[0], *there[1]], CATALOG) == []
    complaint = diagnose([*sampled(viewing("elsewhere", minutes=9), 1, 0), *there[0], *sampled(second, 1)], CATALOG)[0]
    assert complaint[:-1] == ("households in two partitions", True, 20, 30, 0, 100)


@pytest.mark.parametrize(
    ("titles", "what"), [(2, []), (3, ["one session id for many titles"]), (4, ["one session id for many titles"])]
)
def test_a_session_id_is_of_many_titles_from_three_on(titles: int, what: list[str]) -> None:
    events = [event for at in range(titles) for event in viewing(title=f"part {at}", minutes=9, play_session_id="one")]
    assert found(events) == what


def test_trailers_may_share_a_session_and_so_may_households() -> None:
    trailers = [viewing(title=f"trailer {at}", play_session_id="s", content_kind="trailer") for at in range(4)]
    homes = [viewing(f"home {at}", f"part {at}", play_session_id="s") for at in range(4)]
    assert found(event for events in (*trailers, *homes) for event in events) == []


# -- the catalog --------------------------------------------------------------------------------------------------


def played(sessions: int, minutes: int, last: str = "stop", **more: Any) -> list[Told]:
    """Households that one after another play the film for so long."""
    events = []
    for at in range(sessions):
        one = viewing(f"home {at}", minutes=minutes, **more)
        one[-1]["event_type"] = last
        events += [event | {"event_time_ms": event["event_time_ms"] + at * MINUTE_MS * minutes} for event in one]
    return events


def stamped(events: Iterable[Told]) -> list[Sampled]:
    return [
        Sampled(0, at, event["event_time_ms"], event["household_id"].encode(), json.dumps(event).encode())
        for at, event in enumerate(events)
    ]


def of_lengths(events: Iterable[Told], runtime_ms: int) -> list[str]:
    row = CatalogRow("film", runtime_ms=runtime_ms, credits_start_ms=1)
    return [complaint.what for complaint in diagnose(stamped(events), {"film": row})]


UNREACHED, PASSED = ["titles whose runtime nobody reaches"], ["titles whose runtime everybody passes"]


@pytest.mark.parametrize(("ends", "minutes", "what"), [(2, 79, []), (3, 79, UNREACHED), (3, 80, [])])
def test_a_runtime_that_no_three_ends_come_near_is_too_long(ends: int, minutes: int, what: list[str]) -> None:
    assert of_lengths(played(ends, minutes, "end"), 100 * MINUTE_MS) == what


@pytest.mark.parametrize(("sessions", "minutes", "what"), [(19, 49, []), (20, 49, UNREACHED), (20, 50, [])])
def test_without_ends_twenty_sessions_tell_that_a_runtime_is_too_long(
    sessions: int, minutes: int, what: list[str]
) -> None:
    assert of_lengths(played(sessions, minutes), 100 * MINUTE_MS) == what


def test_a_premiere_that_all_are_in_the_middle_of_tells_nothing() -> None:
    at_once = [event for at in range(30) for event in viewing(f"home {at}", minutes=30)]
    assert of_lengths(at_once, 100 * MINUTE_MS) == []


def test_previews_that_end_tell_nothing() -> None:
    assert of_lengths(played(30, 1, "end"), 100 * MINUTE_MS) == []


@pytest.mark.parametrize(("runtime_ms", "what"), [(119_999, UNREACHED), (120_000, UNREACHED), (120_001, [])])
def test_of_a_very_short_title_a_preview_is_less_than_half(runtime_ms: int, what: list[str]) -> None:
    assert of_lengths(played(3, 1, "end"), runtime_ms) == what


@pytest.mark.parametrize(("sessions", "minutes", "what"), [(2, 60, []), (3, 60, PASSED), (3, 55, [])])
def test_a_runtime_that_three_sessions_go_well_past_is_too_short(sessions: int, minutes: int, what: list[str]) -> None:
    assert of_lengths(played(sessions, minutes), 50 * MINUTE_MS) == what


@pytest.mark.parametrize(("within", "what"), [(2, PASSED), (3, PASSED), (4, [])])
def test_a_runtime_is_right_where_most_end_at_it(within: int, what: list[str]) -> None:
    others = [event | {"household_id": f"other {event['household_id']}"} for event in played(within, 50, "end")]
    assert of_lengths([*played(3, 60), *others], 50 * MINUTE_MS) == what


def test_positions_in_a_wrong_unit_say_nothing_of_lengths() -> None:
    assert of_lengths(moved(played(20, 40, "end"), 0.001), 100 * MINUTE_MS) == ["positions in seconds"]


WITHOUT = ["short titles without credits_start_ms"]


@pytest.mark.parametrize(("runtime_ms", "what"), [(1_799_999, WITHOUT), (1_800_000, []), (1_800_001, [])])
def test_a_title_is_short_below_half_an_hour(runtime_ms: int, what: list[str]) -> None:
    assert found(viewing(minutes=9), {"film": CatalogRow("film", runtime_ms=runtime_ms)}) == what
    assert found(viewing(minutes=9, runtime_ms=runtime_ms), {}) == what


@pytest.mark.parametrize(("credits_ms", "what"), [(-1, WITHOUT), (0, WITHOUT), (1, [])])
def test_credits_in_the_catalog_are_enough(credits_ms: int, what: list[str]) -> None:
    row = CatalogRow("film", runtime_ms=600_000, credits_start_ms=credits_ms)
    assert found(viewing(minutes=9), {"film": row}) == what


@pytest.mark.parametrize(("credits_ms", "what"), [(59_999, WITHOUT), (60_000, []), (60_001, [])])
def test_credits_in_the_event_are_enough_where_the_catalog_has_no_length(credits_ms: int, what: list[str]) -> None:
    events = viewing(minutes=9, runtime_ms=600_000, credits_start_ms=credits_ms)
    assert found(events, {}) == found(events, {"film": CatalogRow("film")}) == what
    assert found(events, {"film": CatalogRow("film", runtime_ms=600_000)}) == WITHOUT


def test_nobody_asks_for_the_credits_of_a_trailer() -> None:
    trailer = CatalogRow("film", runtime_ms=60_000, content_kind="trailer")
    assert found(viewing(minutes=9), {"film": trailer}) == []
    assert found(viewing(minutes=9, content_kind="trailer"), {"film": CatalogRow("film", runtime_ms=60_000)}) == []


def test_no_complaint_holds_an_id() -> None:
    events = moved(viewing("secret home", "secret film", play_session_id="secret session"), 0.001)
    complaints = diagnose(sampled(events), {"secret film": CatalogRow("secret film", runtime_ms=600_000)})
    assert len(complaints) == 2
    assert "secret" not in str(complaints)

"""A stay with a title as a player's events: what is made up, and how little."""

from collections.abc import Iterable

import pytest

from models.sources.reading import FileOwner, Reading
from models.sources.sittings import Sitting, add_sittings

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
FILM_MS = 90 * MINUTE_MS


def _sitting(minutes: float, reached: float | None = None, start_ms: int = 0, **fields: object) -> Sitting:
    reached_ms = None if reached is None else round(reached * MINUTE_MS)
    played_ms = round(minutes * MINUTE_MS)
    return Sitting(2, (str(start_ms),), "Tom", "Paper Boats", start_ms, played_ms, reached_ms, **fields)  # type: ignore[arg-type]


def _read(*sittings: Sitting, runtime_ms: int = 0) -> Reading:
    reading = Reading()
    runtimes = {"Paper Boats": runtime_ms} if runtime_ms else {}
    add_sittings(reading, sittings, FileOwner("household-1", runtimes_ms=runtimes))
    return reading


def _spans(reading: Reading) -> list[tuple[float, float]]:
    """The stretches that were played, in minutes of content."""
    spans: list[tuple[float, float]] = []
    begin = 0
    for event in reading.events:
        position = int(event["position_ms"])
        if event["event_type"] in ("seek", "stop"):
            spans.append((begin / MINUTE_MS, int(event.get("seek_from_ms", position)) / MINUTE_MS))
        if event["event_type"] in ("start", "seek"):
            begin = position
    return spans


def _told(events: Iterable[dict[str, object]]) -> list[tuple[object, ...]]:
    return [(event["event_type"], event["event_time_ms"], event["position_ms"]) for event in events]


def test_player_reports_once_a_minute_between_start_and_stop() -> None:
    assert _told(_read(_sitting(2.5)).events) == [
        ("start", 0, 0),
        ("heartbeat", 60_000, 60_000),
        ("heartbeat", 120_000, 120_000),
        ("stop", 150_000, 150_000),
    ]


def test_stay_ends_at_the_position_that_is_stated() -> None:
    assert _spans(_read(_sitting(10, 30))) == [(20, 30)]


@pytest.mark.parametrize(
    ("played_s", "spans"),
    [(601, [(0, 601 / 60)]), (602, [(0, 602 / 60)]), (603, [(0, 10), (597 / 60, 10)])],
)
def test_two_seconds_more_than_the_position_are_rounding_and_a_third_is_not(played_s, spans) -> None:
    assert _spans(_read(_sitting(played_s / 60, 10))) == [pytest.approx(span) for span in spans]


@pytest.mark.parametrize(
    ("minutes", "spans"), [(17, [(0, 9), (1, 9)]), (18, [(0, 9), (0, 9)]), (19, [(0, 10), (0, 9)])]
)
def test_what_was_played_beyond_the_position_came_before_it(minutes, spans) -> None:
    assert _spans(_read(_sitting(minutes, 9))) == spans


@pytest.mark.parametrize(
    ("minutes", "spans"),
    [
        (99, [(0, 89), (0, 10)]),
        (100, [(0, 90), (0, 10)]),
        (101, [(0, 91), (0, 10)]),
        (104.49, [(0, 94.49), (0, 10)]),
        (104.5, [(85.5, 90), (0, 90), (0, 10)]),
        (194, [(0, 90), (0, 94), (0, 10)]),
    ],
)
def test_what_was_played_beyond_the_title_s_end_began_before_it(minutes, spans) -> None:
    assert _spans(_read(_sitting(minutes, 10), runtime_ms=FILM_MS)) == [pytest.approx(span) for span in spans]


@pytest.mark.parametrize(
    ("minutes", "spans"),
    [
        (90, [(0, 90)]),
        (94.49, [(0, 94.49)]),
        (94.5, [(0, 90), (0, 4.5)]),
        (184, [(0, 90), (0, 94)]),
    ],
)
def test_stay_of_unknown_position_that_outlasts_the_title_begins_it_anew(minutes, spans) -> None:
    assert _spans(_read(_sitting(minutes), runtime_ms=FILM_MS)) == [pytest.approx(span) for span in spans]


@pytest.mark.parametrize(("longest", "spans"), [(9, [(0, 20), (0, 5)]), (10, [(0, 10), (0, 10), (0, 5)])])
def test_largest_position_of_ten_minutes_or_more_is_where_the_title_ends(longest, spans) -> None:
    reading = _read(_sitting(25, 5), _sitting(longest, longest, start_ms=HOUR_MS))
    assert _spans(reading)[:-1] == spans


@pytest.mark.parametrize("minutes", [1, 19, 20, 21, 200])
@pytest.mark.parametrize("reached", [None, 0, 10, 90, 100])
@pytest.mark.parametrize("runtime_ms", [0, FILM_MS])
def test_events_carry_all_that_is_stated(minutes, reached, runtime_ms) -> None:
    reading = _read(_sitting(minutes, reached), runtime_ms=runtime_ms)
    assert sum(end - begin for begin, end in _spans(reading)) == pytest.approx(minutes)
    assert reading.delivered_ms == reading.told_ms == minutes * MINUTE_MS
    assert reading.events[-1]["event_time_ms"] == minutes * MINUTE_MS


def test_pause_whose_place_is_not_stated_is_in_the_middle() -> None:
    told = _told(_read(_sitting(3, still_ms=HOUR_MS)).events)
    assert told == [
        ("start", 0, 0),
        ("heartbeat", 60_000, 60_000),
        ("pause", 90_000, 90_000),
        ("play", 90_000 + HOUR_MS, 90_000),
        ("heartbeat", 150_000 + HOUR_MS, 150_000),
        ("stop", 180_000 + HOUR_MS, 180_000),
    ]


@pytest.mark.parametrize(("second", "begin"), [(39, 50), (40, 50), (41, 0)])
def test_stay_of_unknown_position_goes_on_where_the_profile_left_if_the_rest_is_enough(second, begin) -> None:
    reading = _read(_sitting(50), _sitting(second, start_ms=HOUR_MS), runtime_ms=FILM_MS)
    assert _spans(reading)[1] == (begin, begin + second)


def test_stay_of_unknown_position_begins_at_the_start_where_the_runtime_is_unknown() -> None:
    assert _spans(_read(_sitting(50), _sitting(40, start_ms=HOUR_MS))) == [(0, 50), (0, 40)]


@pytest.mark.parametrize(("left", "begin"), [(85.49, 85.49), (85.5, 0), (86, 0)])
def test_title_left_in_its_last_twentieth_is_begun_anew(left, begin) -> None:
    reading = _read(_sitting(left), _sitting(1, start_ms=2 * HOUR_MS), runtime_ms=FILM_MS)
    assert _spans(reading)[1] == (pytest.approx(begin), pytest.approx(begin + 1))


@pytest.mark.parametrize(("minutes", "lost"), [(89, 0), (90, 0), (91, 1)])
def test_player_that_was_never_stopped_is_clipped_to_the_runtime(minutes, lost) -> None:
    reading = _read(_sitting(minutes, clipped=True), runtime_ms=FILM_MS)
    assert reading.lost_ms.total() == lost * MINUTE_MS
    assert reading.delivered_ms == (minutes - lost) * MINUTE_MS


@pytest.mark.parametrize(("hours", "runtime_h"), [(3.99, 3.99), (4, 4), (4.01, 0)])
def test_stay_of_unknown_position_says_no_length_beyond_four_hours(hours, runtime_h) -> None:
    assert _read(_sitting(hours * 60)).titles["Paper Boats"].length_ms == runtime_h * HOUR_MS


@pytest.mark.parametrize(("stated_s", "length_s"), [(59, 0), (60, 60), (61, 61)])
def test_length_that_is_stated_counts_from_a_minute_on(stated_s, length_s) -> None:
    reading = _read(_sitting(1, 1, runtime_ms=stated_s * 1000))
    assert reading.titles["Paper Boats"].length_ms == length_s * 1000


def test_stay_that_leaves_the_calendar_is_a_bad_row_and_tells_of_no_title() -> None:
    reading = _read(_sitting(1, start_ms=-1))
    assert ([str(bad) for bad in reading.bad_rows], reading.titles) == (
        ["line 2: it leaves the years 1970 to 9999"],
        {},
    )


def test_promotion_is_delivered_as_such_and_is_no_title() -> None:
    reading = _read(_sitting(1, kind="trailer"))
    assert {event["content_kind"] for event in reading.events} == {"trailer"}
    assert (reading.titles, reading.promotional_ms) == ({}, MINUTE_MS)


def test_stays_go_out_in_the_order_of_their_times() -> None:
    reading = _read(_sitting(1, start_ms=HOUR_MS), _sitting(1))
    assert [event["event_time_ms"] for event in reading.events] == [0, 60_000, HOUR_MS, HOUR_MS + 60_000]

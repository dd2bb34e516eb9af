"""What one interval is credited: long silences, speeds that nobody states, titles that loop, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from recomputation_log import FILM, HOUR, MIN, T0, Log, S

from models.rules import Rules

LONG = FILM | {"runtime_ms": 10 * HOUR}
MONDAY_NOON = 12 * HOUR


def told_in(log: Log, *titles: dict[str, Any], rules: Rules | None = None) -> dict[str, str]:
    """What was watched, and what of the stream's account is about refusals, where not zero."""
    hashes = log.recompute(*(titles or (LONG,)), rules=rules).hashes
    watched = hashes.get("title:film", {}).get("watched_s", "0.000")
    fields = {"watched_s": watched} | {name: text for name, text in hashes["status"].items() if "refused" in name}
    return {name: text for name, text in fields.items() if text.strip("0.")}


def interval(played_ms: int, elapsed_ms: int, end: str = "stop", **more: Any) -> Log:
    return Log().add("start", 0, 0, **more).add(end, played_ms, elapsed_ms)


# Long silences


@pytest.mark.parametrize(
    ("elapsed_ms", "found"),
    [
        (4 * HOUR - 1, {"watched_s": "14400.000"}),
        (4 * HOUR, {"watched_s": "14400.000"}),
        (4 * HOUR + 1, {"refused_long_s": "14400.000"}),
    ],
)
def test_a_silence_of_four_hours_is_still_credited(elapsed_ms: int, found: dict[str, str]) -> None:
    assert told_in(interval(4 * HOUR, elapsed_ms)) == found


@pytest.mark.parametrize(
    ("elapsed_ms", "found"),
    [
        (30 * MIN - 1, {"watched_s": "1.000"}),
        (30 * MIN, {"watched_s": "1.000"}),
        (30 * MIN + 1, {"refused_gap_s": "1.000"}),
    ],
)
def test_a_silence_of_more_than_half_an_hour_must_have_been_played(elapsed_ms: int, found: dict[str, str]) -> None:
    assert told_in(interval(S, elapsed_ms)) == found


@pytest.mark.parametrize(
    ("played_ms", "found"),
    [
        (3_234_999, {"refused_gap_s": "3234.999"}),
        (3_235_000, {"watched_s": "3235.000"}),
        (3_235_001, {"watched_s": "3235.001"}),
    ],
)
def test_all_the_while_is_nine_tenths_less_five_seconds(played_ms: int, found: dict[str, str]) -> None:
    assert told_in(interval(played_ms, HOUR)) == found


def test_all_the_while_goes_by_the_rate() -> None:
    assert told_in(interval(90 * MIN, HOUR, playback_rate=2)) == {"refused_gap_s": "5400.000"}
    assert told_in(interval(120 * MIN, HOUR, playback_rate=2)) == {"watched_s": "7200.000"}


@pytest.mark.parametrize("end", ["start", "play"])
def test_what_begins_anew_says_nothing_of_a_long_silence(end: str) -> None:
    assert told_in(interval(HOUR, HOUR, end)) == {"refused_gap_s": "3600.000"}
    assert told_in(interval(30 * MIN, 30 * MIN, end)) == {"watched_s": "1800.000"}


def test_the_allowance_is_filled_by_a_gap_that_is_refused() -> None:
    # 5 s are used up; an hour on, the bucket is full again.
    log = Log().add("start", 0, 0).add("heartbeat", 15_200, 10 * S).add("heartbeat", 16 * S, HOUR)
    assert told_in(log.add("stop", 31_200, HOUR + 10 * S))["watched_s"] == "30.400"


# Where the credit belongs


def watched_in(log: Log, kind: str) -> dict[str, str]:
    hashes = log.recompute(LONG).hashes
    return {key.split(":")[-1]: of["watched_s"] for key, of in hashes.items() if f":film:{kind}:" in key}


@pytest.mark.parametrize(
    ("elapsed_ms", "hours"),
    [
        (15 * MIN - 1, {"20250616T12": "600.000"}),
        (15 * MIN, {"20250616T12": "600.000"}),
        (15 * MIN + 1, {"20250616T11": "266.666", "20250616T12": "333.334"}),
    ],
)
def test_credit_of_more_than_a_quarter_of_an_hour_is_spread(elapsed_ms: int, hours: dict[str, str]) -> None:
    # From 6:40 min before noon: 600,000 x 400,000 // 900,001 = 266,666 ms come before it.
    at = MONDAY_NOON - 400 * S
    log = Log().add("start", 0, at).add("stop", 10 * MIN, at + elapsed_ms)
    assert watched_in(log, "hour") == hours


def test_pieces_add_up_to_the_credit_and_end_at_quarter_hours() -> None:
    # Over 23:50 to 0:20: 10, 15 and 5 of 30 min, of 1,800,001 ms; floors of the sums, not of the pieces.
    at = 24 * HOUR - 10 * MIN
    log = Log().add("start", 0, at).add("stop", 30 * MIN + 1, at + 30 * MIN)
    assert watched_in(log, "day") == {"20250616": "600.000", "20250617": "1200.001"}


def test_pieces_go_by_the_zone_of_the_event_at_their_end_and_facts_by_its_time() -> None:
    log = Log().add("start", 0, 5 * HOUR, time_zone="UTC")
    log.add("stop", HOUR, 6 * HOUR + MIN, time_zone="Europe/Berlin", profile_kind="kids")
    # 7:00 to 8:01 in Berlin.
    assert log.film(LONG, key="title:film:dayparts") == {"before_school_watched_s": "3600.000"}
    day = log.recompute(LONG).hashes["title:film:hour:20250616T06"]
    assert (day["plays"], day["kids_plays"], day["watched_s"], day["kids_watched_s"]) == ("1", "1", "59.017", "59.017")


def test_pieces_have_ages_of_their_own() -> None:
    at = 72 * HOUR - 15 * MIN
    log = Log().add("start", 0, at).add("stop", 30 * MIN, at + 30 * MIN)
    hashes = log.recompute(LONG | {"release_time_ms": T0}).hashes
    assert [hashes[f"title:film:age:{name}"]["watched_s"] for name in ("opening", "7d")] == ["900.000", "1800.000"]


def test_a_piece_fills_the_day_that_it_belongs_to() -> None:
    # 22:50 to 23:30 UTC: ten minutes of the evening, three days on end.
    log = Log()
    for day in range(3):
        at = 24 * HOUR * day + 22 * HOUR + 50 * MIN
        log.add("start", 0, at, f"s{day}").add("stop", 40 * MIN, at + 40 * MIN, f"s{day}")
    expected = log.recompute(LONG)
    assert expected.hashes["title:film:dayparts"]["evening_streak_3"] == "1"
    assert {(each.milestone, each.daypart) for each in expected.milestones if each.ordinal == 3} == {
        ("streak", "evening"), ("streak", "other"),
    }  # fmt: skip


@pytest.mark.parametrize(("behind_ms", "hours"), [(72 * HOUR, 2), (72 * HOUR + 1, 0)])
def test_hours_take_the_pieces_of_an_event_that_is_in_time(behind_ms: int, hours: int) -> None:
    log = Log().add("start", 0, 0).raw(None, b"", T0 + 90 * MIN + behind_ms)
    log.add("stop", 90 * MIN, 90 * MIN, timestamp=90 * MIN + behind_ms)
    assert len(watched_in(log, "hour")) == hours
    assert watched_in(log, "day") == {"20250616": "5400.000"}


# Speeds that nobody states


def at_speeds(*thousandths: int, step_ms: int = 60 * S, **more: Any) -> Log:
    """A session whose heartbeats, so far apart, advance at these speeds."""
    log, position_ms = Log().add("start", 0, 0, **more), 0
    for number, speed in enumerate(thousandths, 1):
        position_ms += speed * step_ms // 1000
        log.add("heartbeat", position_ms, number * step_ms)
    return log


def test_an_unstated_speed_loses_two_intervals() -> None:
    assert told_in(at_speeds(1_500, 1_500, 1_500, 1_500)) == {"watched_s": "180.000", "refused_fast_s": "180.000"}


def test_single_skips_credit_nothing() -> None:
    found = told_in(at_speeds(1_000, 2_000, 1_000, 2_000, 1_000))
    assert found == {"watched_s": "180.000", "refused_fast_s": "240.000"}


@pytest.mark.parametrize(("speed", "credited"), [(1_999, "119.940"), (2_100, "126.000"), (2_101, None)])
def test_no_speed_above_2_1_is_found(speed: int, credited: str | None) -> None:
    assert told_in(at_speeds(speed, speed, speed)).get("watched_s") == credited


@pytest.mark.parametrize(
    ("speed", "found"), [(1_469, False), (1_470, True), (1_500, True), (1_530, True), (1_531, False)]
)
def test_a_speed_is_within_2_percent_of_the_two_before(speed: int, found: bool) -> None:
    # 2 % of 1,500 are 30.
    assert ("watched_s" in told_in(at_speeds(1_500, 1_500, speed))) == found


@pytest.mark.parametrize("before", [(1_500, 1_600), (1_600, 1_500)])
def test_a_speed_near_one_of_the_two_before_is_not_found(before: tuple[int, int]) -> None:
    assert "watched_s" not in told_in(at_speeds(*before, 1_500))


@pytest.mark.parametrize(("step_ms", "found"), [(4_999, False), (5_000, True), (5_001, True)])
def test_speeds_are_of_intervals_of_five_seconds(step_ms: int, found: bool) -> None:
    log = at_speeds(*[2_099] * 3, step_ms=step_ms)
    rules = Rules(allowance_ms=0)
    assert ("watched_s" in told_in(log, rules=rules)) == found


@pytest.mark.parametrize(("speed", "next_is_refused"), [(1_351, False), (1_350, False), (1_349, True)])
def test_a_found_rate_ends_below_nine_tenths_of_it(speed: int, next_is_refused: bool) -> None:
    # Found is 1.5; then a slower interval; then 1.4, which is neither ordinary nor near what was before it.
    found = told_in(at_speeds(1_500, 1_500, 1_500, speed, 1_400))
    assert (found["refused_fast_s"] == "264.000") == next_is_refused


def test_a_found_rate_may_be_found_anew() -> None:
    found = told_in(at_speeds(1_250, 1_250, 1_250, 1_750, 1_750, 1_750))
    assert found == {"watched_s": "180.000", "refused_fast_s": "360.000"}


def test_a_stated_rate_is_never_found() -> None:
    assert told_in(at_speeds(1_500, 1_500, 1_500, playback_rate=1)) == {"refused_fast_s": "270.000"}
    # The event that states it first closes its interval as one of an unstated rate, and ends what was found.
    log = at_speeds(1_500, 1_500).add("rate", 270 * S, 180 * S, playback_rate=1).add("stop", 360 * S, 240 * S)
    assert told_in(log) == {"watched_s": "90.000", "refused_fast_s": "270.000"}


def test_a_standing_interval_and_a_loop_are_no_speeds() -> None:
    log = Log().add("start", 0, 0).add("heartbeat", 90 * S, MIN).add("heartbeat", 180 * S, 2 * MIN)
    log.add("heartbeat", 180 * S, 3 * MIN).add("heartbeat", 170 * S, 4 * MIN).add("heartbeat", 260 * S, 5 * MIN)
    assert told_in(log) == {"watched_s": "90.000", "refused_fast_s": "180.000", "refused_back": "1"}


def test_what_a_seek_closed_and_what_was_a_gap_are_speeds() -> None:
    seeks = (
        Log().add("start", 0, 0).add("seek", 0, MIN, seek_from_ms=90 * S).add("seek", 0, 2 * MIN, seek_from_ms=90 * S)
    )
    assert told_in(seeks.add("stop", 90 * S, 3 * MIN)) == {"watched_s": "90.000", "refused_fast_s": "180.000"}
    gaps = Log().add("start", 0, 0).add("start", HOUR, HOUR).add("start", 2 * HOUR, 2 * HOUR)
    found = told_in(gaps.add("stop", 2 * HOUR + 612_001, 2 * HOUR + 10 * MIN), rules=Rules(allowance_ms=0))
    assert found == {"watched_s": "612.001", "refused_gap_s": "7200.000"}


def test_a_gap_that_a_found_speed_admits_is_a_gap_and_the_rate_stays() -> None:
    log = at_speeds(1_500, 1_500).add("start", 180 * S + 60 * MIN, 2 * MIN + 40 * MIN)
    log.add("stop", 180 * S + 75 * MIN, 2 * MIN + 50 * MIN)
    assert told_in(log) == {"watched_s": "900.000", "refused_fast_s": "180.000", "refused_gap_s": "3600.000"}


# Titles that loop


def looped(
    *, to_ms: int, elapsed_ms: int = 30 * S, end: str = "heartbeat", runtime_ms: int = 100 * S
) -> dict[str, str]:
    """From 80 s of the film."""
    log = Log().add("start", 80 * S, 0).add(end, to_ms, elapsed_ms)
    return told_in(log, FILM | {"runtime_ms": runtime_ms})


@pytest.mark.parametrize(("to_ms", "watched"), [(15_599, "35.599"), (15_600, "35.600"), (15_601, None)])
def test_a_loop_is_within_the_budget(to_ms: int, watched: str | None) -> None:
    # 5,000 + 1.02 x 30,000 = 35,600
    found = {"watched_s": watched} if watched else {"refused_back": "1"}
    assert looped(to_ms=to_ms) == found


@pytest.mark.parametrize(("to_ms", "watched"), [(4_399, None), (4_400, "24.400"), (4_401, "24.401")])
def test_a_loop_was_played_all_the_while(to_ms: int, watched: str | None) -> None:
    # 0.98 x 30,000 - 5,000 = 24,400
    found = {"watched_s": watched} if watched else {"refused_back": "1"}
    assert looped(to_ms=to_ms) == found


@pytest.mark.parametrize("end", ["seek", "start", "play"])
def test_a_jump_is_no_loop(end: str) -> None:
    log = Log().add("start", 80 * S, 0).add(end, 10 * S, 30 * S, seek_from_ms=10 * S)
    assert told_in(log, FILM) == {"refused_back": "1"}


@pytest.mark.parametrize("end", ["heartbeat", "pause", "buffer", "rate", "stop", "end"])
def test_any_other_event_may_tell_of_a_loop(end: str) -> None:
    assert looped(to_ms=10 * S, end=end) == {"watched_s": "30.000"}


@pytest.mark.parametrize(("runtime_ms", "loops"), [(79_999, False), (80_000, True), (80_001, True)])
def test_a_loop_began_within_the_runtime(runtime_ms: int, loops: bool) -> None:
    found = looped(to_ms=30 * S, runtime_ms=runtime_ms)
    assert ("watched_s" in found) == loops


def test_a_loop_of_nothing_is_none() -> None:
    assert looped(to_ms=0, elapsed_ms=0, runtime_ms=80 * S) == {"refused_back": "1"}


@pytest.mark.parametrize(("runtime_ms", "loops"), [(59_999, False), (60_000, True), (60_001, True)])
def test_the_runtime_is_the_catalogs_or_the_events_own_of_a_minute(runtime_ms: int, loops: bool) -> None:
    log = Log().add("start", 50 * S, 0, runtime_ms=runtime_ms).add("stop", 10 * S, 20 * S, runtime_ms=runtime_ms)
    assert ("watched_s" in told_in(log, {"title_id": "other"})) == loops
    assert told_in(log, FILM | {"runtime_ms": 60 * S})["watched_s"] == "20.000"
    stated_before = Log().add("start", 50 * S, 0, runtime_ms=60 * S).add("stop", 10 * S, 20 * S)
    assert told_in(stated_before, {"title_id": "other"}) == {"refused_back": "1"}


def test_a_loop_covers_and_completes_in_two_intervals() -> None:
    # 90 s complete at the loop's first part, which pays two cells; the second part begins the next viewing.
    log = Log().watch(0, 80, 0).add("play", 80 * S, 80 * S).add("heartbeat", 20 * S, 120 * S)
    log.add("heartbeat", 88 * S, 188 * S)
    found = log.film()
    assert (found["completions"], found["plays"], found["watched_s"]) == ("2", "2", "188.000")


# What is refused, and why


@pytest.mark.parametrize(("played_ms", "refused"), [(15_200, None), (15_201, "15.201")])
def test_what_is_too_fast_is_counted(played_ms: int, refused: str | None) -> None:
    assert told_in(interval(played_ms, 10 * S)).get("refused_fast_s") == refused


@pytest.mark.parametrize(("elapsed_ms", "refused"), [(-1, None), (0, "1"), (1, "1"), (5 * HOUR, "1")])
def test_what_goes_back_is_counted_where_time_does_not(elapsed_ms: int, refused: str | None) -> None:
    log = Log().add("start", 50 * S, HOUR, seq=1).add("stop", 40 * S, HOUR + elapsed_ms, seq=2)
    assert told_in(log).get("refused_back") == refused


def test_what_stands_is_still_or_comes_from_nowhere_is_not_refused() -> None:
    log = Log().add("start", 50 * S, 0).add("heartbeat", 50 * S, 5 * HOUR).add("seek", 90 * S, 5 * HOUR + S)
    log.add("pause", 90 * S, 5 * HOUR + S).add("play", 0, 5 * HOUR + 2 * S)
    log.add("heartbeat", 500 * S, 5 * HOUR + 3 * S, "other", content_kind="trailer")
    assert told_in(log) == {}

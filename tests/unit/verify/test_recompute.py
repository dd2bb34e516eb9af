"""The recomputation's reading of the rules, on cases small enough to count by hand."""

import json

import pytest
from recomputation_log import DAY, FILM, HOUR, MIN, T0, Log, S, told

from models.rules import Rules
from streams.verify import Catalog, CatalogRow, Expected, Milestone, Recomputation, recompute
from streams.verify.divided import divided
from streams.verify.records import digest, home_partition

ONE_COMPLETION = {
    "starters": "1", "viewers": "1", "watchers": "1", "completers": "1", "completions": "1",
    "rewatch_hist_1": "1", "completion_rate": "1.000000",
}  # fmt: skip


def test_three_evenings_and_two_devices_are_one_completion() -> None:
    log = Log().watch(0, 40, 19 * HOUR, "a", device_id="tv")  # 8 cells
    log.watch(40, 70, DAY + 19 * HOUR, "b", device_id="tablet")  # 14 cells: a watcher
    log.watch(70, 100, 2 * DAY + 19 * HOUR, "c", device_id="tv")  # 18 cells and the end at 90 s: a completion
    expected = log.recompute()
    assert told(expected.hashes["title:film"]) == ONE_COMPLETION | {
        "plays": "3", "watched_s": "100.000", "views": "1.000000",
    }  # fmt: skip
    days = [told(expected.hashes[f"title:film:day:202506{day}"]) for day in (16, 17, 18)]
    assert days == [
        {"plays": "1", "watched_s": "40.000"},
        {"plays": "1", "watchers": "1", "watched_s": "30.000"},
        {
            "plays": "1", "starters": "1", "viewers": "1", "completers": "1", "completions": "1",
            "watched_s": "30.000",
        },
    ]  # fmt: skip
    hour, day = (expected.hashes[f"title:film:{name}"] for name in ("hour:20250617T19", "day:20250617"))
    assert hour | dict.fromkeys(("returned_1d", "returned_7d", "returned_28d"), "0") == day


def test_nine_straight_viewings_are_nine_and_not_ten() -> None:
    # Each viewing completes at 90 s; without what it owes, nine times the last two cells would be a tenth.
    log = Log()
    for viewing in range(9):
        log.watch(0, 100, viewing * HOUR, f"s{viewing}")
    assert log.film() == {
        "plays": "9", "starters": "1", "viewers": "1", "watchers": "1", "completers": "1", "repeaters": "1",
        "completions": "9", "rewatches": "8", "watched_s": "900.000", "rewatch_hist_5_9": "1",
        "views": "9.000000", "completion_rate": "1.000000", "repeat_rate": "1.000000",
        "returned_1d": "8", "returned_7d": "8", "returned_28d": "8", "return_rate_7d": "0.888889",
    }  # fmt: skip


def test_a_stop_at_91_percent_and_a_viewing_that_skips_the_intro_are_two() -> None:
    # 0-91 s: midpoints 2.5 ... 87.5 s, 18 cells. 9-100 s: midpoints 12.5 ... 97.5 s, 18 cells.
    log = Log().watch(0, 91, 0, "a").watch(9, 100, HOUR, "b")
    assert log.film()["completions"] == "2"


def test_what_is_owed_is_the_same_sessions_only() -> None:
    # 90 s: one completion, cells 18 and 19 owed by a. Another session's 90-100 s pays nothing: it covers
    # them, and 15-90 s more (15 cells) makes 17.
    log = Log().add("start", 0, 0).add("heartbeat", 90 * S, 90 * S)
    log.watch(90, 100, 2 * MIN, "b").watch(15, 90, 4 * MIN, "c")
    assert log.film()["completions"] == "2"
    # The session that owes pays first: then 15 cells are too few.
    log = Log().add("start", 0, 0).add("heartbeat", 90 * S, 90 * S).add("heartbeat", 100 * S, 100 * S)
    log.watch(15, 90, 4 * MIN, "c")
    assert log.film()["completions"] == "1"


def test_interleaved_children_are_two_completions() -> None:
    log = Log()
    for second in range(0, 110, 10):
        for child in ("a", "b"):
            kind = "heartbeat" if second else "start"
            log.add(kind, second * S, second * S, child, profile_kind="kids")
    assert log.film() == {
        "plays": "2", "starters": "1", "viewers": "1", "watchers": "1", "completers": "1", "repeaters": "1",
        "completions": "2", "rewatches": "1", "watched_s": "200.000", "rewatch_hist_2": "1",
        "kids_plays": "2", "kids_completions": "2", "kids_rewatches": "1", "kids_watched_s": "200.000",
        "views": "2.000000", "completion_rate": "1.000000", "repeat_rate": "1.000000", "watching_now": "2",
        "returned_1d": "1", "returned_7d": "1", "returned_28d": "1", "return_rate_7d": "0.500000",
    }  # fmt: skip


def test_jumping_to_the_end_is_no_completion_and_a_skimmer() -> None:
    log = Log().add("start", 0, 0).add("seek", 95 * S, 2 * S, seek_from_ms=2 * S)
    log.add("stop", 100 * S, 7 * S)
    assert log.film() == {"plays": "1", "watched_s": "7.000", "skimmers": "1", "views": "0.070000"}


@pytest.mark.parametrize(("seconds", "skimmers"), [(47, "1"), (48, None), (49, None)])
def test_a_skimmer_has_covered_less_than_half(seconds: int, skimmers: str | None) -> None:
    # The midpoint of the 10th cell of 20 is 47.5 s.
    assert Log().watch(0, seconds, 0).add("pause", 95 * S, HOUR, "b").film().get("skimmers") == skimmers


@pytest.mark.parametrize(("seconds", "skimmers"), [(47, "1"), (48, None), (49, None)])
def test_a_skimmer_that_covers_half_after_all_is_none(seconds: int, skimmers: str | None) -> None:
    log = Log().title("film", runtime_ms=100 * S, franchise_id="f").add("pause", 95 * S, 0).watch(0, seconds, HOUR, "b")
    assert (log.film().get("skimmers"), log.film(key="franchise:f").get("skimmers")) == (skimmers, skimmers)


@pytest.mark.parametrize(("position_ms", "skimmers"), [(89_999, None), (90_000, "1"), (90_001, "1")])
def test_a_skimmer_reached_nine_tenths(position_ms: int, skimmers: str | None) -> None:
    assert Log().add("pause", position_ms, 0).film().get("skimmers") == skimmers


def test_a_skimmer_is_none_from_its_first_completion_on() -> None:
    log = Log().add("pause", 95 * S, 0).watch(0, 100, HOUR, "b")
    assert "skimmers" not in log.film()


@pytest.mark.parametrize(("seconds", "completions"), [(87, None), (88, "1"), (89, "1")])
def test_a_completion_has_reached_the_last_tenth(seconds: int, completions: str | None) -> None:
    # The midpoint of the 18th cell is 87.5 s; 17 cells are enough, were they the last ones.
    assert Log().watch(0, seconds, 0).film().get("completions") == completions


@pytest.mark.parametrize(("skipped", "completions"), [(24, None), (20, "1"), (19, "1")])
def test_a_completion_has_four_fifths_of_the_cells(skipped: int, completions: str | None) -> None:
    # From 24 s on there are 15 cells (the first midpoint is 27.5 s), from 20 s on 16.
    assert Log().watch(skipped, 100, 0).film().get("completions") == completions


@pytest.mark.parametrize(("runtime_s", "needs_s"), [(5, 3), (25, 23), (55, 48)])
def test_the_end_is_the_cell_that_nine_tenths_of_the_cells_reach(runtime_s: int, needs_s: int) -> None:
    # Of 1 cell the 1st, of 5 the 5th (midpoint 22.5 s), of 11 the 10th (47.5 s).
    film = {"title_id": "film", "runtime_ms": runtime_s * S}
    for seconds, completions in ((needs_s - 1, 0), (needs_s, 1), (needs_s + 1, 1)):
        log = Log().add("start", 0, 0).add("stop", seconds * S, seconds * S)
        assert log.recompute(film).total("completions") == completions


def test_cells_past_the_last_are_no_end() -> None:
    # 0-85 s are 17 of 20 cells; what was played beyond 100 s, while nobody knew the length, does not help.
    log = Log().watch(0, 85, 0).watch(100, 140, HOUR, "b").add("pause", 0, 2 * HOUR, "c", runtime_ms=100 * S)
    assert "completions" not in log.film({"title_id": "other"})


def test_a_title_of_one_cell_has_its_midpoint_in_the_middle() -> None:
    short = {"title_id": "film", "runtime_ms": 6 * S}
    assert "completions" not in Log().add("start", 0, 0).add("stop", 3_000, 3 * S).film(short)
    assert Log().add("start", 0, 0).add("stop", 3_001, 3 * S).film(short)["completions"] == "1"


# Milestones


def told_of(expected: Expected) -> list[tuple[int, str, int, str, int]]:
    """Of each milestone: its record's offset, what it is, its number, the event and its second after T0."""
    return [
        (each.offset, each.milestone, each.ordinal, each.event_id, (each.event_time_ms - T0) // S)
        for each in expected.milestones
    ]


def test_a_milestone_is_told_by_the_event_that_crossed_the_threshold() -> None:
    # Of 1,000 s: two minutes at the 13th record, five at the 31st, nine tenths of the cells at the 91st.
    film = {"title_id": "film", "runtime_ms": 1_000 * S}
    log = Log().watch(0, 1_000, 0).watch(0, 1_000, HOUR, "b", profile_kind="kids")
    expected = log.recompute(film)
    assert told_of(expected) == [
        (12, "starter", 1, "e12", 120), (30, "viewer", 1, "e30", 300), (90, "completion", 1, "e90", 900),
        (191, "completion", 2, "e191", 4_500),
    ]  # fmt: skip
    assert expected.milestones[0] == Milestone(0, 12, b"home", "starter", "home", "film", "e12", T0 + 120 * S, 1)


def test_a_completion_says_whether_it_is_a_rewatch_and_nothing_else_does() -> None:
    log = Log().watch(0, 100, 0).watch(0, 100, HOUR, "b").watch(0, 100, 2 * HOUR, "c")
    assert [(each.milestone, each.ordinal, each.rewatch, each.daypart) for each in log.recompute().milestones] == [
        ("starter", 1, None, None), ("viewer", 1, None, None), ("completion", 1, False, None),
        ("completion", 2, True, None), ("completion", 3, True, None),
    ]  # fmt: skip


def test_streaks_are_told_after_all_else_of_the_event() -> None:
    # 100 s of each of three evenings fill a day; the third viewing is the third completion.
    log = Log()
    for day in range(3):
        log.watch(0, 100, day * DAY + 19 * HOUR, f"s{day}")
    milestones = log.recompute(rules=Rules(streak_day_ms=90 * S)).milestones
    assert [(each.milestone, each.ordinal, each.daypart) for each in milestones[-2:]] == [
        ("completion", 3, None), ("streak", 3, "evening"),
    ]  # fmt: skip
    assert len({each.event_id for each in milestones[-2:]}) == 1


def test_watched_time_and_completions_go_by_the_daypart_of_the_event_that_made_them() -> None:
    # In Berlin 70 s until five seconds before 18:00, then 30 s; 18 of 20 cells are seen at 90 s.
    log = Log().watch(0, 100, 16 * HOUR - 75 * S, time_zone="Europe/Berlin")
    assert log.film(key="title:film:dayparts") == {
        "after_school_watched_s": "70.000", "evening_watched_s": "30.000", "evening_completions": "1",
    }  # fmt: skip
    unknown_zone = Log().watch(0, 100, 6 * HOUR + 14 * MIN + 55 * S, time_zone="Mars/Base")
    assert unknown_zone.film(key="title:film:dayparts") == {
        "before_school_watched_s": "100.000", "before_school_completions": "1",
    }  # fmt: skip


def test_the_first_completion_of_a_short_title_makes_a_starter_and_a_viewer_first() -> None:
    assert told_of(Log().watch(0, 100, 0).recompute()) == [
        (9, "starter", 1, "e9", 90), (9, "viewer", 1, "e9", 90), (9, "completion", 1, "e9", 90),
    ]  # fmt: skip


def test_two_viewings_kept_while_the_length_was_unknown_are_two_completions_of_one_event() -> None:
    log = Log().watch(0, 100, 0, "a").watch(0, 100, HOUR, "b").add("pause", 0, 2 * HOUR, "c", runtime_ms=100 * S)
    assert told_of(log.recompute({"title_id": "other"})) == [
        (13, "starter", 1, "e13", 3_620), (22, "viewer", 1, "e22", 7_200),
        (22, "completion", 1, "e22", 7_200), (22, "completion", 2, "e22", 7_200),
    ]  # fmt: skip


def test_duplicates_tell_nothing_again_and_a_household_is_told_of_in_its_own_partition() -> None:
    log = Log(partitions=2).watch(0, 90, 0, partition=1).again()
    assert [(each.partition, each.offset) for each in log.recompute().milestones] == [(1, 9), (1, 9), (1, 9)]


def test_a_household_that_was_away_for_two_years_is_told_of_anew() -> None:
    for behind_ms, ordinals in ((730 * DAY, [1, 2]), (730 * DAY + 1, [1, 1])):
        log = Log().watch(0, 100, 0).watch(0, 100, 100 * S + behind_ms, "b")
        completions = [each.ordinal for each in log.recompute().milestones if each.milestone == "completion"]
        assert completions == ordinals


# Playing and standing still


def test_a_heartbeat_that_advanced_makes_a_still_session_play_from_there_on() -> None:
    log = Log().add("start", 0, 0).add("pause", 10 * S, 10 * S)  # 10 s
    log.add("heartbeat", 10 * S, 20 * S).add("heartbeat", 12 * S, 30 * S)  # still; then playing from 12 s
    log.add("heartbeat", 22 * S, 40 * S)  # 10 s
    assert log.film()["watched_s"] == "20.000"


def test_a_session_that_is_over_is_still_until_a_start() -> None:
    log = Log().watch(0, 10, 0).add("heartbeat", 20 * S, 20 * S).add("heartbeat", 30 * S, 30 * S)
    log.add("play", 30 * S, 40 * S).add("heartbeat", 40 * S, 50 * S)
    assert log.film()["watched_s"] == "20.000"


@pytest.mark.parametrize("first", ["start", "play", "heartbeat", "rate", "seek"])
def test_a_first_event_that_opens_a_playing_session(first: str) -> None:
    assert Log().add(first, 0, 0).add("heartbeat", 10 * S, 10 * S).film()["watched_s"] == "10.000"


@pytest.mark.parametrize("first", ["pause", "buffer", "stop", "end"])
def test_a_first_event_that_opens_a_still_session(first: str) -> None:
    assert Log().add(first, 0, 0).add("seek", 10 * S, 10 * S, seek_from_ms=10 * S).film() == {}


def test_a_seek_closes_the_interval_where_it_came_from_or_not_at_all() -> None:
    log = Log().add("start", 0, 0).add("seek", 50 * S, 10 * S, seek_from_ms=10 * S)  # 10 s
    log.add("seek", 70 * S, 20 * S).add("heartbeat", 75 * S, 25 * S)  # nothing; then 5 s
    assert log.film()["watched_s"] == "15.000"


# Credit


@pytest.mark.parametrize(("position_ms", "watched"), [(15_199, "15.199"), (15_200, "15.200"), (15_201, None)])
def test_an_interval_is_credited_within_the_pace_and_the_allowance(position_ms: int, watched: str | None) -> None:
    # 5,000 + floor(1.02 x 10,000) = 15,200
    assert Log().add("start", 0, 0).add("stop", position_ms, 10 * S).film().get("watched_s") == watched


def test_the_allowance_is_a_bucket_of_the_session() -> None:
    log = Log().add("start", 0, 0).add("heartbeat", 14 * S, 10 * S)  # leaves 5,000 + 10,200 - 14,000 = 1,200
    log.add("heartbeat", 26 * S, 20 * S)  # 12,000 > 1,200 + 10,200: nothing; leaves min(5,000, 11,400) = 5,000
    log.add("heartbeat", 41_200, 30 * S)  # 15,200: credited, leaves 0
    log.add("heartbeat", 51_401, 40 * S)  # 10,201 > 10,200
    assert log.film()["watched_s"] == "29.200"


def test_time_that_runs_backwards_within_the_sequence_credits_nothing() -> None:
    log = Log().add("start", 0, 10 * S, seq=1).add("heartbeat", 1 * S, 9 * S, seq=2)
    assert log.add("stop", 2 * S, 9 * S + 500, seq=3).film() == {
        "plays": "1",
        "watched_s": "1.000",
        "views": "0.010000",
    }


def test_the_rate_is_the_one_held_before_the_closing_event() -> None:
    log = Log().add("start", 0, 0, playback_rate=2.0).add("heartbeat", 20 * S, 10 * S, playback_rate=0.5)
    log.add("heartbeat", 31 * S, 20 * S)  # 11,000 > 5,000 + 5,100; allowance stays 5,000
    assert log.film()["watched_s"] == "20.000"


@pytest.mark.parametrize(
    ("rate", "most_ms"),
    # 10 s x 1.02 x rate: 0.1 at least, 4 at most; 1.0005 is 1,000 thousandths, 1.0015 is 1,002 (half to even)
    [(-1, 6_020), (0.1, 6_020), (1.0005, 15_200), (1.0015, 15_220), (4, 45_800), (99, 45_800)],
)
def test_a_rate_is_clamped_and_rounded_half_to_even(rate: float, most_ms: int) -> None:
    def watched(position_ms: int) -> str | None:
        log = Log().add("start", 0, 0, playback_rate=rate).add("stop", position_ms, 10 * S)
        return log.film().get("watched_s")

    assert (watched(most_ms), watched(most_ms + 1)) == (f"{most_ms / 1000:.3f}", None)


@pytest.mark.parametrize(
    ("autoplay", "seconds", "plays"),
    [(False, 0.999, None), (False, 1, "1"), (True, 119.999, None), (True, 120, "1")],
)
def test_a_play_is_a_second_or_two_minutes_by_autoplay(autoplay: bool, seconds: float, plays: str | None) -> None:
    milliseconds = round(seconds * 1000)
    log = Log().add("start", 0, 0, autoplay=autoplay).add("stop", milliseconds, milliseconds, autoplay=False)
    assert log.film({"title_id": "film", "runtime_ms": HOUR}).get("plays") == plays


@pytest.mark.parametrize(
    ("milliseconds", "reached"),
    [
        (119_999, []),
        (120_000, ["starters"]),
        (299_999, ["starters"]),
        (300_000, ["starters", "viewers"]),
    ],
)
def test_starters_and_viewers_by_credited_time(milliseconds: int, reached: list[str]) -> None:
    log = Log().add("start", 0, 0).add("stop", milliseconds, milliseconds)
    film = log.film({"title_id": "film", "runtime_ms": HOUR})
    assert [name for name in ("starters", "viewers") if name in film] == reached


# Duplicates, order, lateness


def test_duplicates_and_older_events_change_nothing() -> None:
    once = Log().watch(0, 100, 0, seq=1)
    twice = Log()
    for record in once.records:
        twice.raw(record.key, record.value, record.timestamp_ms).again()
    assert twice.film() == once.film()
    late = Log().add("start", 0, 0).add("heartbeat", 20 * S, 20 * S).add("pause", 10 * S, 10 * S, timestamp=21 * S)
    assert late.add("heartbeat", 30 * S, 30 * S).film()["watched_s"] == "30.000"


def test_two_events_of_one_place_are_both_applied_and_each_once() -> None:
    log = Log().add("start", 0, 0, seq=1)
    log.add("heartbeat", 10 * S, 10 * S, seq=2, event_id="x").add("heartbeat", 11 * S, 11 * S, seq=2, event_id="y")
    log.add("seek", 50 * S, 12 * S, seq=2, event_id="x")  # applied already at this place
    assert log.add("heartbeat", 20 * S, 20 * S, seq=3).film()["watched_s"] == "20.000"


def test_a_late_event_is_kept_and_not_counted() -> None:
    log = Log().add("pause", 0, 30 * DAY)
    log.add("pause", 0, 0, "b", timestamp=30 * DAY).add("pause", 0, -1, "c", timestamp=30 * DAY)
    expected = log.recompute()
    assert told(expected.hashes["status"]) == {"events": "2", "late_events": "1", "late_hour_events": "1"}
    assert [kept.offset for kept in expected.late] == [2]


def test_an_event_five_minutes_ahead_of_its_record_is_the_last_that_counts() -> None:
    log = Log().add("pause", 0, 5 * MIN, timestamp=0).add("pause", 0, 5 * MIN + 1, timestamp=0)
    expected = log.recompute()
    assert told(expected.hashes["status"]) == {"events": "1", "dead_letters": "1"}
    assert [(kept.offset, reason) for kept, reason in expected.dead_letters.items()] == [
        (1, "event_time_ms is in the future")
    ]


def test_a_dead_letter_moves_the_clock() -> None:
    log = Log().raw(b"home", b"{", T0 + 30 * DAY).add("pause", 0, -1, timestamp=0)
    assert log.status() == {"dead_letters": "1", "late_events": "1"}


@pytest.mark.parametrize(("behind_ms", "hours"), [(72 * HOUR, 1), (72 * HOUR + 1, 0)])
def test_hours_take_events_of_three_days_and_days_take_all(behind_ms: int, hours: int) -> None:
    # The start and stop are one second apart; the stop is `behind_ms` behind the stream time.
    log = Log().add("start", 0, -S, timestamp=0)
    log.raw(b"home", b"", T0 + behind_ms).add("stop", S, 0, timestamp=behind_ms)
    keys = log.recompute().hashes
    assert sum(":hour:" in key for key in keys) == hours
    assert told(keys["title:film:day:20250616"]) == {"plays": "1", "watched_s": "1.000"}
    assert log.status().get("late_hour_events") == (None if hours else "1")


def test_a_session_is_forgotten_after_the_grace() -> None:
    # At exactly 30 days it still goes on, its play counted; a millisecond later it opens and plays anew.
    for behind_ms, plays in ((30 * DAY, "1"), (30 * DAY + 1, "2")):
        log = Log().watch(0, 10, 0)
        log.watch(20, 30, 10 * S + behind_ms, timestamp=10 * S + behind_ms)
        assert log.film()["plays"] == plays


def test_what_a_forgotten_session_owed_is_nobodys() -> None:
    # 90 s: completed, cells 18 and 19 owed by a. Five weeks later a new session of that name covers 10-100 s.
    log = Log().add("start", 0, 0).add("heartbeat", 90 * S, 90 * S)
    assert log.watch(10, 100, 35 * DAY).film()["completions"] == "2"


def test_a_household_that_was_away_for_two_years_counts_anew() -> None:
    for behind_ms, starters in ((730 * DAY, "1"), (730 * DAY + 1, "2")):
        log = Log().add("start", 0, 0).add("stop", 120 * S, 120 * S)
        log.add("start", 0, 120 * S + behind_ms, "b").add("stop", 120 * S, 240 * S + behind_ms, "b")
        assert log.film({"title_id": "film", "runtime_ms": HOUR})["starters"] == starters


@pytest.mark.parametrize(
    ("timestamp_ms", "found"),
    [
        (-1, {"events": "2", "dead_letters": "1"}),
        (0, {"events": "2", "dead_letters": "1"}),  # read, and ahead of its record
        (253_402_300_799_999, {"events": "1", "late_events": "2"}),
        (253_402_300_800_000, {"events": "2", "dead_letters": "1"}),
    ],
)
def test_a_timestamp_before_1970_or_past_9999_is_a_dead_letter_that_moves_no_time(
    timestamp_ms: int, found: dict[str, str]
) -> None:
    log = Log().add("pause", 0, 0).add("pause", 0, 0, "b", timestamp=timestamp_ms - T0).add("pause", 0, 1, "c")
    assert log.status() == found


def test_a_partition_of_such_records_alone_has_no_time() -> None:
    log = Log(partitions=2).watch_minutes(1, HOUR, "a").raw(None, b"", T0 + 8 * DAY).raw(None, b"", -1, partition=1)
    assert log.recompute(FILM | {"release_time_ms": T0}).hashes["title:film:legs"]["week"] == "1"


# Length and catalog


def test_cells_seen_while_the_length_was_unknown_are_judged_when_it_is_stated() -> None:
    # 0-100 s with no length; two days later an event states 100 s: 20 of 20 cells, judged with its time.
    other = {"title_id": "other"}
    log = Log().watch(0, 100, 0)
    assert told(log.recompute(other).hashes["title:film"]) == {"plays": "1", "watched_s": "100.000"}
    log.add("pause", 0, 2 * DAY, "b", runtime_ms=100 * S, profile_kind="kids")
    expected = log.recompute(other)
    assert told(expected.hashes["title:film"]) == ONE_COMPLETION | {
        "plays": "1", "watched_s": "100.000", "kids_completions": "1",
    }  # fmt: skip
    assert told(expected.hashes["title:film:day:20250618"]) == {
        "starters": "1", "viewers": "1", "watchers": "1", "completers": "1", "completions": "1",
        "kids_completions": "1",
    }  # fmt: skip


def test_two_viewings_are_kept_while_the_length_is_unknown() -> None:
    log = Log().watch(0, 100, 0, "a").watch(0, 100, HOUR, "b").watch(0, 100, 2 * HOUR, "c")
    log.add("pause", 0, 3 * HOUR, "d", credits_start_ms=59_999, runtime_ms=100 * S)
    assert log.film({"title_id": "other"})["completions"] == "2"


@pytest.mark.parametrize(("stated_ms", "completions"), [(59_999, None), (60_000, "1")])
def test_a_stated_length_is_a_minute_at_least(stated_ms: int, completions: str | None) -> None:
    log = Log().watch(0, 60, 0, runtime_ms=stated_ms)
    assert log.film({"title_id": "other"}).get("completions") == completions


def test_the_first_stated_length_stays_and_the_catalog_goes_before_it() -> None:
    log = Log().add("pause", 0, 0, runtime_ms=200 * S).watch(0, 100, MIN, "b", runtime_ms=100 * S)
    assert "completions" not in log.film({"title_id": "other"})  # 20 of 40 cells
    assert log.film()["completions"] == "1"
    assert log.film(FILM | {"credits_start_ms": 150 * S}).get("completions") is None  # 20 of 30 cells


def test_a_catalog_row_holds_from_its_offset_on() -> None:
    log = Log().watch(0, 100, 0).add("pause", 0, HOUR, "b")
    at = len(log.records) - 1
    for offset, completions in ((at, 1), (at + 1, 0)):
        rows = [CatalogRow(offset, "film", json.dumps(FILM).encode())]
        expected = recompute(log.records, Catalog({0: rows}), Rules(), 1)
        assert expected.total("completions") == completions


def test_views_use_the_row_that_the_catalog_has_now() -> None:
    log = Log().watch(0, 100, 0)
    for current, views in (({"runtime_ms": 300_000}, "0.333333"), ({"runtime_ms": None}, ""), (None, "")):
        catalog = Catalog({}, {"film": json.dumps(current).encode()} if current is not None else {})
        assert recompute(log.records, catalog, Rules(), 1).hashes["title:film"]["views"] == views


def test_what_is_not_main_touches_nothing_but_the_clock() -> None:
    log = Log().watch(0, 100, 0, content_kind="trailer", time_zone="Nowhere")
    assert told(log.recompute().hashes["status"]) == {"events": "11"}
    assert list(Log().watch(0, 100, 0).recompute(FILM | {"content_kind": "bonus"}).hashes) == ["status"]


# Partitions, zones, keys


def test_a_household_in_two_partitions_is_two_households() -> None:
    # Wherever murmur2 puts it, the eleven events of the other partition are misrouted.
    log = Log(partitions=2).watch(0, 100, 0, partition=0).watch(0, 100, 0, partition=1)
    assert log.film()["completers"] == "2"
    assert log.status()["misrouted_events"] == "11"


def in_two_partitions(log: Log, erased: dict[tuple[int, str], int] | None = None) -> list[str]:
    recomputation = Recomputation(Catalog(), Rules(), log.partitions)
    recomputation.take(log.records)
    recomputation.expected(Catalog(), erasures=dict.fromkeys(range(log.partitions), erased or {}))
    return [difference.found for difference in divided(recomputation.logs)]


def test_households_in_two_partitions_are_a_difference_that_says_where_and_names_none() -> None:
    away = 1 - home_partition(b"home", 2)
    log = Log(partitions=2).watch(0, 100, 0, partition=away).watch(0, 100, 0, partition=1 - away)
    where = f"for example that of the event at partition {away}, offset 0"
    assert in_two_partitions(log) == [f"1, {where}; `encore repartition` brings each household into one partition"]
    assert in_two_partitions(log, {(99, digest("home")): 99}) == []


def test_a_household_that_is_in_one_partition_counts_once_even_if_it_is_the_wrong_one() -> None:
    away = 1 - home_partition(b"home", 2)
    log = Log(partitions=2).watch(0, 100, 0, partition=away)
    assert (log.film()["completers"], log.status()["misrouted_events"]) == ("1", "11")
    assert in_two_partitions(log) == []


@pytest.mark.parametrize("zone", ["", "Europe/berlin", "Mars/Olympus", "posixrules"])
def test_an_unknown_zone_is_counted(zone: str) -> None:
    log = Log().add("pause", 0, 0, time_zone=zone).add("pause", 0, 1, time_zone="Europe/Berlin")
    assert log.add("pause", 0, 2, time_zone=None).status() == {"events": "3", "unknown_zone_events": "1"}


def test_ids_are_percent_encoded_in_keys() -> None:
    log = Log().watch(0, 10, 0, title_id='a:b/ü ~_.-"\n')
    keys = sorted(log.recompute().hashes)
    assert keys[1] == "title:a%3Ab%2F%C3%BC%20~_.-%22%0A"


def test_changed_thresholds_change_the_counters() -> None:
    log = Log().watch(0, 50, 0)
    rules = Rules(completion_percent=50, end_percent=50, watcher_percent=50)
    assert log.recompute(FILM, rules=rules).total("completions") == 1

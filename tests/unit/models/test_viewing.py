"""Completion, content lengths and the thresholds of a household."""

from __future__ import annotations

import pytest
from playing import DAY, HOUR, Household, household

A_FIRST_VIEWING = ["played", "started", "viewed", "watched", "completed 1"]


# -- completion: how many times a household saw the title through ---------------------------------------------


def test_a_straight_viewing_is_one_completion() -> None:
    viewing = household().plays(0, 1000)
    assert viewing.facts == A_FIRST_VIEWING
    assert (viewing.completions, viewing.watched_s) == (1, 1000)


@pytest.mark.parametrize(("seen_s", "completions"), [(897.499, 0), (897.5, 0), (897.501, 1)])
def test_completion_counts_once_the_180th_midpoint_lies_in_a_credited_interval(seen_s: float, completions: int) -> None:
    # The end begins with cell 179 of 200; its midpoint is at 897.5 s, and an interval does not hold its end.
    assert household().plays(0, seen_s).completions == completions


@pytest.mark.parametrize(("skipped_cells", "completions"), [(39, 1), (40, 1), (41, 0)])
def test_four_fifths_of_the_cells_with_the_end_among_them_are_a_completion(
    skipped_cells: int, completions: int
) -> None:
    assert household().plays(5 * skipped_cells, 1000).completions == completions


@pytest.mark.parametrize(
    ("film_s", "from_s", "to_s", "completions"),
    [
        # 7 cells: four fifths are 6, the end is the last one. 11 cells: 9, and the last but one.
        (35, 5, 32.5, 0), (35, 5, 32.501, 1), (35, 7.5, 32.501, 1), (35, 7.501, 35, 0),
        (55, 5, 47.5, 0), (55, 5, 47.501, 1), (55, 12.5, 55, 1), (55, 12.501, 55, 0),
    ],
)  # fmt: skip
def test_four_fifths_and_the_end_are_rounded_up_to_whole_cells(
    film_s: float, from_s: float, to_s: float, completions: int
) -> None:
    assert household(film_s).plays(from_s, to_s, every=1).completions == completions


def test_a_cartoon_that_is_played_without_its_theme_and_its_credits_is_one_a_day() -> None:
    viewing = household(film_s=600)
    for day in range(5):
        viewing.sits_down(f"day {day}").plays(60, 560).waits(DAY)
    assert viewing.completions == 5


def test_three_evenings_and_two_devices_are_one_completion() -> None:
    viewing = household()
    viewing.sits_down("tv, Monday").plays(0, 400, device_id="tv").waits(DAY)
    viewing.sits_down("tablet, Tuesday").plays(400, 700, device_id="tablet").waits(DAY)
    viewing.sits_down("tv, Wednesday").plays(700, 1000, device_id="tv")
    assert viewing.facts == ["played", "started", "viewed", "played", "watched", "played", "completed 1"]


def test_nine_straight_viewings_are_nine_and_not_ten() -> None:
    viewing = household()
    for number in range(9):
        viewing.sits_down(f"viewing {number}").plays(0, 1000).waits(HOUR)
    assert viewing.completions == 9
    assert (viewing.row.once, viewing.row.twice, viewing.row.owed) == (0, 0, 0)


def test_one_that_stops_at_91_percent_and_another_that_skips_the_intro_are_two() -> None:
    viewing = household().sits_down("to 91 %").plays(0, 910)
    viewing.sits_down("without intro").plays(90, 1000)
    assert viewing.completions == 2


def test_viewings_that_stop_at_95_percent_are_one_each() -> None:
    viewing = household()
    for number in range(20):
        viewing.sits_down(f"viewing {number}").plays(0, 950)
    assert viewing.completions == 20


def test_abandoned_half_way_and_then_watched_whole_is_one_and_a_half() -> None:
    viewing = household().sits_down("abandoned").plays(0, 500)
    viewing.sits_down("whole").plays(0, 1000)
    assert viewing.completions == 1
    # What was seen twice waits for the other half.
    viewing.sits_down("the other half").plays(500, 1000)
    assert viewing.completions == 2


def test_a_jump_to_the_end_is_none_and_a_skimmer() -> None:
    viewing = household().plays(0, 10, ends="heartbeat").tells("seek", 990, seek_from_ms=10_000)
    viewing.plays_on(1000, ends="end")
    assert viewing.facts == ["played", "skimmed"]
    assert (viewing.completions, viewing.watched_s) == (0, 20)


def test_a_jump_that_the_player_does_not_tell_is_none() -> None:
    viewing = household().tells("start", 0).waits(10).tells("heartbeat", 990).waits(10).tells("end", 1000)
    assert (viewing.completions, viewing.watched_s) == (0, 10)


def test_double_speed_that_is_told_is_a_viewing() -> None:
    viewing = household().plays(0, 1000, pace=2, playback_rate=2.0)
    assert (viewing.completions, viewing.watched_s) == (1, 1000)


def test_a_household_that_plays_twice_as_fast_and_tells_all_the_time_is_credited_the_allowance_only() -> None:
    viewing = household().plays(0, 1000, every=1, pace=2)
    # 500 s of playing; each second of content has half a second's budget, until the five seconds are used up.
    assert viewing.completions == 0
    assert viewing.watched_s <= 5 + 1.02 * 500


def test_one_second_heartbeats_are_as_good_as_one_interval() -> None:
    every_second, at_once = household().plays(0, 1000, every=1), household().plays(0, 1000, every=1000)
    assert every_second.facts == at_once.facts == A_FIRST_VIEWING
    assert every_second.row.once == at_once.row.once
    assert every_second.watched_s == at_once.watched_s == 1000


def _together(children: int) -> Household:
    viewing = household()
    for second in range(0, 1001, 10):
        viewing.now = second
        for child in range(children):
            viewing.sits_down(f"child {child}").tells("heartbeat" if second else "start", second)
    return viewing


@pytest.mark.parametrize(("children", "completions"), [(1, 1), (2, 2), (3, 2)])
def test_two_childrens_interleaved_viewings_are_two_and_a_third_is_lost(children: int, completions: int) -> None:
    assert _together(children).completions == completions


def test_the_rest_of_the_viewing_that_completed_belongs_to_it() -> None:
    viewing = household().plays(0, 900, ends="heartbeat")
    assert viewing.row.owed_by == "sitting-1"
    assert viewing.row.owed.bit_count() == 20
    viewing.plays_on(950)  # a heartbeat, so that the session goes on
    assert (viewing.row.owed.bit_count(), viewing.row.once) == (10, 0)


def test_what_is_owed_is_paid_once_and_by_its_own_session_only() -> None:
    viewing = household().sits_down("owner").plays(0, 900, ends="heartbeat")
    viewing.sits_down("other").plays(900, 1000)
    assert (viewing.row.owed.bit_count(), viewing.row.once.bit_count()) == (20, 20)
    viewing.sits_down("owner").waits(-100).plays_on(1000)
    viewing.tells("seek", 900).plays_on(1000)  # again: nothing is owed any more
    assert (viewing.row.owed, viewing.row.once.bit_count(), viewing.row.twice.bit_count()) == (0, 20, 20)


@pytest.mark.parametrize("ends", ["stop", "end"])
def test_owed_ends_with_its_session(ends: str) -> None:
    viewing = household().plays(0, 910, ends=ends)
    assert (viewing.completions, viewing.row.owed, viewing.row.owed_by) == (1, 0, None)
    viewing.plays_on(920, ends="start").plays_on(1000)
    assert viewing.row.once.bit_count() == 16  # new coverage, not the rest of the first


@pytest.mark.parametrize("kind", ["pause", "buffer", "seek", "rate", "play"])
def test_owed_outlives_all_but_a_stop(kind: str) -> None:
    viewing = household().plays(0, 910, ends="heartbeat").tells(kind)
    assert (viewing.row.owed.bit_count(), viewing.row.owed_by) == (18, "sitting-1")


def test_one_interval_can_make_no_more_than_it_covers_and_a_pile_of_cells_makes_several() -> None:
    # Two planes full of a title whose length nobody knew: two completions at once when it is stated.
    viewing = household(film_s=0).sits_down("a").plays(0, 1000)
    viewing.sits_down("b").plays(0, 1000)
    assert viewing.facts == ["played", "started", "viewed", "played"]
    viewing.sits_down("c").tells("start", 0, runtime_ms=1_000_000)
    assert viewing.facts[4:] == ["watched", "completed 1", "completed 2"]
    assert (viewing.row.owed, viewing.row.owed_by) == (0, None)


def test_a_third_viewing_of_unknown_length_is_lost() -> None:
    viewing = household(film_s=0)
    for sitting in "abc":
        viewing.sits_down(sitting).plays(0, 1000)
    assert viewing.sits_down("d").tells("start", 0, runtime_ms=1_000_000).completions == 2


def test_a_completion_proves_a_starter_viewer_and_watcher() -> None:
    short = household(film_s=100).plays(0, 100)
    assert short.facts == ["played", "watched", "started", "viewed", "completed 1"]
    assert short.sits_down("again").plays(0, 100).facts[5:] == ["played", "completed 2"]


# -- lengths --------------------------------------------------------------------------------------------------


def test_unknown_length_is_judged_at_the_next_applied_event_before_its_own_interval() -> None:
    viewing = household(film_s=0).plays(0, 895, ends="heartbeat")
    viewing.learns(1_000).plays_on(895.001)  # 179 cells, the end is not among them
    assert (viewing.completions, viewing.facts[-1]) == (0, "watched")
    viewing.plays_on(900)
    assert viewing.completions == 1


@pytest.mark.parametrize(
    ("stated", "length_s"),
    [
        ({"runtime_ms": 59_999}, 0),
        ({"runtime_ms": 60_000}, 60),
        ({"runtime_ms": 60_001}, 60.001),
        ({"credits_start_ms": 59_999, "runtime_ms": 70_000}, 70),
        ({"credits_start_ms": 60_000, "runtime_ms": 70_000}, 60),
        ({"credits_start_ms": -5}, 0),
    ],
)
def test_an_event_states_a_length_from_one_minute_on_credits_before_runtime(
    stated: dict[str, int], length_s: float
) -> None:
    assert household().tells("start", 0, **stated).row.stated_length_ms == length_s * 1000


def test_the_first_length_that_is_stated_stays_and_the_catalogs_is_better() -> None:
    viewing = household(film_s=0).tells("start", 0, runtime_ms=100_000).tells("heartbeat", 0, runtime_ms=900_000)
    assert viewing.row.stated_length_ms == 100_000
    assert viewing.plays_on(90).completions == 1
    assert household(film_s=1000).plays(0, 90, runtime_ms=100_000).completions == 0


def test_a_length_is_stated_by_applied_events_only() -> None:
    viewing = household(film_s=0).waits(10).tells("start", 0).waits(-5).tells("heartbeat", 0, runtime_ms=100_000)
    assert viewing.row.stated_length_ms == 0


@pytest.mark.parametrize(("film_s", "seen_s", "completions"), [(6, 3, 0), (6, 3.001, 1), (3, 1.501, 1), (0.001, 1, 1)])
def test_a_title_of_one_cell_is_seen_at_its_middle(film_s: float, seen_s: float, completions: int) -> None:
    assert household(film_s).plays(0, seen_s).completions == completions


def test_cells_past_the_last_do_not_count() -> None:
    # 104 s: 20 whole cells, 16 of them make a completion; from 100 s on nothing counts.
    viewing = household(film_s=104).plays(22.501, 104)
    assert (viewing.row.once, viewing.completions) == (0b1111_1111_1111_1110_0000, 0)


# -- thresholds of a household --------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "facts"), [(0.999, []), (1, ["played"]), (1.001, ["played"])])
def test_a_play_is_a_session_of_one_credited_second(seconds: float, facts: list[str]) -> None:
    assert household().plays(0, seconds).facts == facts


@pytest.mark.parametrize(("seconds", "plays"), [(119.999, 0), (120, 1), (120.001, 1)])
def test_a_play_begun_by_autoplay_needs_two_minutes(seconds: float, plays: int) -> None:
    assert household().plays(0, seconds, autoplay=True).facts.count("played") == plays


def test_only_a_sessions_first_applied_event_says_autoplay() -> None:
    first = household().tells("start", 0, autoplay=True).waits(30).tells("stop", 30)
    later = household().tells("start", 0).waits(30).tells("stop", 30, autoplay=True)
    assert (first.facts, later.facts) == ([], ["played"])


def test_a_play_is_once_a_session() -> None:
    viewing = household().plays(0, 30).plays(30, 60).sits_down("another").plays(0, 30)
    assert viewing.facts == ["played", "played"]


@pytest.mark.parametrize(
    ("seconds", "fact", "made"),
    [
        (119.999, "started", False), (120, "started", True), (120.001, "started", True),
        (299.999, "viewed", False), (300, "viewed", True), (300.001, "viewed", True),
        (697.5, "watched", False), (697.501, "watched", True), (698, "watched", True),
    ],
)  # fmt: skip
def test_a_household_becomes_starter_viewer_and_watcher(seconds: float, fact: str, made: bool) -> None:
    assert (fact in household().plays(0, seconds).facts) is made


def test_thresholds_add_up_over_sittings_and_are_crossed_once() -> None:
    viewing = household()
    for sitting in range(12):
        viewing.sits_down(f"sitting {sitting}").plays(0, 30)
    assert [fact for fact in viewing.facts if fact != "played"] == ["started", "viewed"]
    # The same half minute again and again covers six cells, three of them at the most count twice.
    assert viewing.row.once == viewing.row.twice == 0b111111


@pytest.mark.parametrize(("position_s", "facts"), [(899.999, []), (900, ["skimmed"]), (900.001, ["skimmed"])])
def test_a_skimmer_reached_nine_tenths_of_the_length_without_a_completion(position_s: float, facts: list[str]) -> None:
    assert household().tells("pause", position_s).facts == facts
    assert household().tells("seek", 0, seek_from_ms=round(position_s * 1000)).facts == facts


@pytest.mark.parametrize(("covered_cells", "facts"), [(99, ["skimmed"]), (100, []), (101, [])])
def test_who_covered_half_of_the_cells_is_no_skimmer(covered_cells: int, facts: list[str]) -> None:
    viewing = household().plays(0, covered_cells * 5)
    assert viewing.tells("pause", 950).facts[3:] == facts


@pytest.mark.parametrize(("covered_cells", "facts"), [(99, []), (100, ["no_skimmer"]), (101, ["no_skimmer"])])
def test_a_skimmer_is_one_until_half_of_the_cells_are_covered(covered_cells: int, facts: list[str]) -> None:
    viewing = household().tells("pause", 990).sits_down("whole")
    viewing.plays(0, covered_cells * 5, ends="heartbeat")
    assert viewing.facts == ["skimmed", "played", "started", "viewed", *facts]
    viewing.plays_on(1000)
    assert viewing.facts.count("no_skimmer") == 1
    assert viewing.sits_down("later").tells("pause", 999).facts.count("skimmed") == 1


def test_a_skimmer_is_none_from_its_first_completion_on() -> None:
    # 990 of 1,000 s, of which the catalog makes 20 then: the last event covers, and completes, before it is looked at.
    viewing = household().tells("pause", 990).learns(20).sits_down("whole").plays(0, 19.9)
    assert viewing.facts == ["skimmed", "played", "watched", "started", "viewed", "no_skimmer", "completed 1"]


def test_a_mark_set_while_the_length_was_unknown_is_judged_once_it_is_known() -> None:
    viewing = household(film_s=0).tells("pause", 990)
    assert viewing.learns(1_000).tells("pause", 10).facts == ["skimmed"]


def test_an_interval_without_a_midpoint_leaves_nothing_to_judge() -> None:
    # 80 of 100 s seen are a watcher of a film of 100 s, but no cell was added while nobody knew its length.
    viewing = household(film_s=200).plays(0, 80).learns(0).sits_down("b").plays(0, 2).learns(100)
    assert viewing.tells("pause", 2).facts == ["played", "played"]
    assert viewing.sits_down("c").plays(0, 2).facts == ["played", "played", "played", "watched"]

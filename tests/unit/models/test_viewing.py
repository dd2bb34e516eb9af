"""What one event does to a household's row: sessions, credit, completion, thresholds."""

from __future__ import annotations

from typing import Any

import pytest
from playing import DAY, HOUR, T0, Household, household

from models.session import rate_thousandths

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


# -- credited viewing -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("advanced_s", "credited_s"), [(35.599, 35.599), (35.6, 35.6), (35.601, 0)])
def test_an_interval_is_credited_up_to_two_percent_and_five_seconds_more_than_its_time(
    advanced_s: float, credited_s: float
) -> None:
    assert household().tells("start", 0).waits(30).tells("heartbeat", advanced_s).watched_s == credited_s


@pytest.mark.parametrize(("silence_s", "credited_s"), [(1799.999, 600), (1800, 600), (1800.001, 0), (0, 0), (-1, 0)])
def test_what_was_not_played_all_the_while_is_credited_over_half_an_hour_at_most(
    silence_s: float, credited_s: float
) -> None:
    viewing = household().tells("start", 0, seq=1).waits(silence_s).tells("heartbeat", 600, seq=2)
    assert viewing.watched_s == credited_s


@pytest.mark.parametrize(("silence_s", "credited_s"), [(14_399.999, 14_399.999), (14_400, 14_400), (14_400.001, 0)])
def test_no_interval_longer_than_four_hours_is_credited(silence_s: float, credited_s: float) -> None:
    viewing = household().tells("start", 0).waits(silence_s).tells("heartbeat", silence_s)
    assert viewing.watched_s == credited_s


@pytest.mark.parametrize(("position_s", "credited_s"), [(99.999, 0), (100, 0), (100.001, 0.001)])
def test_going_back_or_staying_credits_nothing(position_s: float, credited_s: float) -> None:
    assert household().tells("start", 100).waits(30).tells("heartbeat", position_s).credited_s == credited_s


def _allowance_s(viewing: Household) -> float:
    return (viewing.rules.allowance_ms - viewing.row.sessions[viewing.session].spent_ms) / 1000


def test_the_allowance_is_a_bucket_that_playing_refills_and_that_never_holds_more_than_five_seconds() -> None:
    viewing = household().tells("start", 0)
    left = [_allowance_s(viewing)]
    for elapsed_s, advanced_s in ((10, 15), (10, 10), (10, 10.4), (100, 100), (1000, 0), (0, 5), (0, 0.001)):
        viewing.waits(elapsed_s).tells("heartbeat", viewing.position + advanced_s)
        left.append(round(_allowance_s(viewing), 3))
    # The last one is more than is left: it credits nothing and takes nothing.
    assert left == [5, 0.2, 0.4, 0.2, 2.2, 5, 0, 0]
    assert viewing.credits_s[-2:] == [5, 0]


@pytest.mark.parametrize("silence_s", [14_400.001, -1])
def test_an_interval_that_is_too_long_or_runs_backwards_leaves_the_allowance(silence_s: float) -> None:
    viewing = household().tells("start", 0, seq=1).waits(10).tells("heartbeat", 14, seq=2)
    before = _allowance_s(viewing)
    viewing.waits(silence_s).tells("heartbeat", 20, seq=3)
    assert _allowance_s(viewing) == before == 1.2


def test_no_time_at_all_may_still_take_from_the_allowance() -> None:
    viewing = household().tells("start", 0).tells("heartbeat", 4).tells("heartbeat", 5).tells("heartbeat", 5.001)
    assert viewing.credits_s == [0, 4, 1, 0]


def test_products_are_computed_in_integers_and_rounded_down() -> None:
    # 49 ms at ordinary speed give 49.98 ms, so 49.
    for advanced_s, credited_s in ((0.049, 0.049), (0.05, 0)):
        viewing = household().tells("start", 0).tells("heartbeat", 5).waits(0.049)
        assert viewing.tells("heartbeat", 5 + advanced_s).credits_s[-1] == credited_s


def test_the_rate_that_counts_is_the_one_held_before_the_closing_event() -> None:
    viewing = household().tells("start", 0).waits(100).tells("rate", 100, playback_rate=2.0)
    viewing.waits(100).tells("heartbeat", 300)
    viewing.waits(100).tells("rate", 500, playback_rate=1.0)
    viewing.waits(100).tells("heartbeat", 700)
    assert viewing.credits_s == [0, 100, 200, 200, 0]


def test_a_rate_stays_until_another_is_told() -> None:
    viewing = household().tells("start", 0, playback_rate=1.5)
    for position in (30, 60, 90):
        viewing.waits(20).tells("heartbeat", position)
    assert viewing.credits_s == [0, 30, 30, 30]


@pytest.mark.parametrize(
    ("rate", "thousandths"),
    [
        (1.0, 1000), (1.25, 1250), (0.0, 100), (-1.0, 100), (0.0999, 100), (0.1, 100), (0.101, 101),
        (3.999, 3999), (4.0, 4000), (4.001, 4000), (1e300, 4000), (5e-324, 100),
        (1.0005, 1000), (1.0015, 1002), (1.0025, 1002), (2.0005, 2000), (1.00050000001, 1001), (0.1005, 100),
    ],
)  # fmt: skip
def test_a_rate_is_the_thousandths_of_its_shortest_decimal_text_half_to_even(rate: float, thousandths: int) -> None:
    assert rate_thousandths(rate) == thousandths


def test_what_is_credited_is_not_clipped_to_the_titles_length() -> None:
    assert household(film_s=100).plays(0, 130).watched_s == 130


# -- the states of a session ----------------------------------------------------------------------------------

OPENS = {
    "start": True, "play": True, "heartbeat": True, "rate": True, "seek": True,
    "pause": False, "buffer": False, "stop": False, "end": False,
}  # fmt: skip


@pytest.mark.parametrize(("kind", "playing"), OPENS.items())
def test_a_first_event_opens_the_session(kind: str, playing: bool) -> None:
    viewing = household().tells(kind, 50)
    assert (viewing.is_playing, viewing.row.sessions["sitting-1"].over) == (playing, kind in ("stop", "end"))
    assert viewing.watched_s == 0


@pytest.mark.parametrize("kind", ["start", "play", "heartbeat", "rate", "pause", "buffer", "stop", "end"])
def test_every_event_closes_the_running_interval(kind: str) -> None:
    viewing = household().tells("start", 0).waits(30).tells(kind, 30)
    assert viewing.watched_s == 30
    assert viewing.is_playing == (kind not in ("pause", "buffer", "stop", "end"))


@pytest.mark.parametrize(("kind", "watched_s"), [("pause", 30), ("buffer", 30), ("stop", 30), ("end", 30)])
def test_a_still_session_credits_nothing(kind: str, watched_s: float) -> None:
    viewing = household().tells("start", 0).waits(30).tells(kind, 30).waits(30).tells("play", 60)
    assert viewing.watched_s == watched_s
    assert viewing.waits(30).tells("heartbeat", 90).watched_s == watched_s + 30


@pytest.mark.parametrize(("position_s", "plays"), [(29, False), (30, False), (30.001, True)])
def test_a_heartbeat_of_a_still_session_makes_it_play_from_there_on_if_it_advanced(
    position_s: float, plays: bool
) -> None:
    viewing = household().tells("start", 0).waits(30).tells("pause", 30).waits(30).tells("heartbeat", position_s)
    assert (viewing.is_playing, viewing.watched_s) == (plays, 30)


@pytest.mark.parametrize("kind", ["heartbeat", "rate", "seek", "buffer"])
def test_a_session_that_is_over_is_still_until_a_start_or_play(kind: str) -> None:
    viewing = household().plays(0, 30).waits(30).tells(kind, 60).waits(30).tells("heartbeat", 90)
    assert (viewing.is_playing, viewing.watched_s) == (False, 30)
    assert viewing.tells("play", 90).is_playing


def test_a_pause_of_a_session_that_is_over_does_not_open_it_again() -> None:
    viewing = household().plays(0, 30).tells("pause", 30).waits(10).tells("heartbeat", 40)
    assert not viewing.is_playing


def test_a_seek_closes_the_interval_where_it_came_from_and_goes_on_where_it_lands() -> None:
    viewing = household().tells("start", 0).waits(30).tells("seek", 500, seek_from_ms=30_000)
    assert viewing.waits(30).tells("heartbeat", 530).credits_s == [0, 30, 30]


def test_a_seek_that_does_not_say_where_from_closes_nothing_and_takes_no_allowance() -> None:
    viewing = household().tells("start", 0).waits(1).tells("heartbeat", 5).waits(30).tells("seek", 35)
    assert (viewing.credits_s, _allowance_s(viewing)) == ([0, 5, 0], 1.02)
    assert viewing.waits(30).tells("heartbeat", 65).credits_s[-1] == 30


def test_seek_from_means_nothing_on_other_events() -> None:
    viewing = household().tells("start", 0).waits(30).tells("heartbeat", 30, seek_from_ms=990_000)
    assert (viewing.watched_s, viewing.facts) == (30, ["played"])


def test_a_seek_of_a_still_session_keeps_it_still() -> None:
    viewing = household().tells("pause", 10).tells("seek", 500, seek_from_ms=10_000).waits(30)
    assert viewing.tells("rate", 530).watched_s == 0


# -- which events are applied ---------------------------------------------------------------------------------


def _is_no_op(viewing: Household, kind: str, position: float, **fields: Any) -> bool:
    before = str(viewing.state())
    viewing.tells(kind, position, **fields)
    return str(viewing.state()) == before


@pytest.mark.parametrize("kind", OPENS)
@pytest.mark.parametrize("seq", [None, 7])
def test_a_duplicate_changes_nothing(kind: str, seq: int | None) -> None:
    viewing = household().tells("start", 0, seq=seq and seq - 1).waits(30).tells(kind, 30, seq=seq, playback_rate=2.0)
    before = str(viewing.state())
    assert viewing.last is not None
    for _ in range(3):
        viewing.waits(5).hears(viewing.last)
    assert str(viewing.state()) == before


@pytest.mark.parametrize(("seconds", "applied"), [(-0.001, False), (0, True), (0.001, True)])
def test_an_event_older_than_the_newest_is_a_no_op_where_there_is_no_seq(seconds: float, applied: bool) -> None:
    viewing = household().tells("start", 0).waits(30).tells("heartbeat", 30).waits(seconds)
    assert _is_no_op(viewing, "pause", 30) is not applied


@pytest.mark.parametrize(("seq", "applied"), [(4, False), (5, True), (6, True)])
def test_an_event_of_a_smaller_seq_is_a_no_op_whatever_its_time(seq: int, applied: bool) -> None:
    for seconds in (-30, 0, 30):
        viewing = household().tells("start", 0, seq=5).waits(seconds)
        assert _is_no_op(viewing, "pause", 0, seq=seq) is not applied


def test_events_at_the_same_place_are_applied_once_each() -> None:
    viewing = household().tells("start", 0, seq=1, event_id="a").tells("pause", 3, seq=1, event_id="b")
    assert viewing.watched_s == 3
    assert _is_no_op(viewing, "play", 3, seq=1, event_id="a")
    assert _is_no_op(viewing, "play", 3, seq=1, event_id="b")
    assert not _is_no_op(viewing, "play", 3, seq=1, event_id="c")


def test_events_of_the_same_time_are_applied_once_each_where_there_is_no_seq() -> None:
    viewing = household().tells("start", 0, event_id="a").tells("pause", 3, event_id="b")
    assert viewing.watched_s == 3
    assert _is_no_op(viewing, "play", 3, event_id="a")
    assert _is_no_op(viewing, "play", 3, event_id="b")
    assert not _is_no_op(viewing, "play", 3, event_id="c")


def test_an_event_without_seq_in_a_session_that_has_one_is_compared_by_time() -> None:
    viewing = household().waits(60).tells("start", 0, seq=5)
    assert _is_no_op(viewing.waits(-1), "pause", 0)
    assert not _is_no_op(viewing.waits(1), "pause", 0)


def test_the_place_is_the_largest_time_even_where_seq_let_an_older_time_in() -> None:
    viewing = household().waits(60).tells("start", 0, seq=1).waits(-30).tells("pause", 0, seq=2)
    session = viewing.row.sessions["sitting-1"]
    assert (session.time_ms, session.later_ms) == (T0 + 30_000, 30_000)
    assert _is_no_op(viewing.waits(10), "play", 0)  # by time: older than 60 s


def test_the_same_id_at_a_later_place_is_another_event() -> None:
    viewing = household().tells("start", 0, event_id="a").waits(30).tells("heartbeat", 30, event_id="a")
    assert viewing.watched_s == 30


def test_sessions_do_not_know_each_others_places() -> None:
    viewing = household().sits_down("a").waits(60).tells("start", 0, seq=9)
    viewing.sits_down("b").waits(-60)
    assert not _is_no_op(viewing, "start", 0, seq=1)


# -- forgetting -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "forgotten"), [(-0.001, False), (0, False), (0.001, True)])
def test_a_session_is_forgotten_after_the_grace(seconds: float, forgotten: bool) -> None:
    # One of the session's own place and id would be no news to it.
    viewing = household().tells("start", 0, seq=9, event_id="a").waits(30 * DAY + seconds)
    assert _is_no_op(viewing, "heartbeat", 10, seq=9, event_id="a") is not forgotten


def test_a_forgotten_session_owes_nothing_and_has_its_allowance_again() -> None:
    viewing = household().plays(0, 905, ends="heartbeat").tells("heartbeat", 909.5)
    assert viewing.row.owed_by == "sitting-1"
    viewing.waits(31 * DAY).tells("start", 910).plays_on(1000)
    assert (viewing.row.owed, viewing.row.once.bit_count(), viewing.completions) == (0, 18, 1)


def test_sessions_are_swept_when_another_one_opens() -> None:
    viewing = household()
    for number in range(10):
        viewing.sits_down(f"sitting {number}").plays(0, 30).waits(20 * DAY)
    assert list(viewing.row.sessions) == ["sitting 8", "sitting 9"]


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

"""Plays, and what counts once a session has made one: starters, viewers, completions by profile and autoplay."""

from __future__ import annotations

from itertools import pairwise

import pytest
from playing import DAY, Household, household

from models.rows import pack, unpack
from models.viewing import Fact

KINDS = ("start", "play", "heartbeat", "pause", "seek", "rate", "buffer", "stop", "end")


def plays_of(viewing: Household) -> int:
    return viewing.facts.count("played")


# -- another play of a session ------------------------------------------------------------------------------------


def goes_back(from_s: float, to_s: float, kind: str = "play", plays_s: float = 1) -> Household:
    """Half a minute of a film, back to a position, and on from there."""
    viewing = household().plays(from_s - 30, from_s, ends="heartbeat").tells(kind, to_s)
    return viewing.tells("play").waits(plays_s).tells("pause", to_s + plays_s)


@pytest.mark.parametrize("kind", KINDS)
def test_a_start_play_or_seek_to_the_beginning_begins_another_play(kind: str) -> None:
    viewing = household().plays(470, 500, ends="heartbeat").tells(kind, 0)
    viewing.tells("rate").waits(1).tells("rate", 1)
    still = kind in ("pause", "buffer", "stop", "end")
    assert viewing.credited_s == (30 if still else 31)
    assert plays_of(viewing) == (2 if kind in ("start", "play", "seek") else 1)


@pytest.mark.parametrize(("to_s", "plays"), [(59.999, 2), (60, 1), (60.001, 1)])
def test_the_beginning_is_the_first_minute(to_s: float, plays: int) -> None:
    assert plays_of(goes_back(500, to_s)) == plays


@pytest.mark.parametrize(("from_s", "plays"), [(109.999, 1), (110, 2), (110.001, 2)])
def test_another_play_goes_back_by_a_minute_at_least(from_s: float, plays: int) -> None:
    assert plays_of(goes_back(from_s, 50)) == plays


def test_how_far_it_goes_back_is_told_by_the_position_before_and_not_by_where_a_seek_comes_from() -> None:
    near, far = household(), household()
    near.plays(30, 60, ends="heartbeat").tells("seek", 10, seek_from_ms=89_000).waits(1).tells("pause", 11)
    far.plays(470, 500, ends="heartbeat").tells("seek", 10, seek_from_ms=10_000).waits(1).tells("pause", 11)
    assert (plays_of(near), plays_of(far)) == (1, 2)


@pytest.mark.parametrize(("plays_s", "plays"), [(0.999, 1), (1, 2), (1.001, 2)])
def test_another_play_needs_as_much_credit_as_the_first(plays_s: float, plays: int) -> None:
    assert plays_of(goes_back(500, 0, plays_s=plays_s)) == plays


@pytest.mark.parametrize(("plays_s", "plays"), [(119.999, 1), (120, 2), (120.001, 2)])
def test_by_autoplay_it_needs_two_minutes_again(plays_s: float, plays: int) -> None:
    viewing = household().plays(0, 150, ends="heartbeat", autoplay=True).tells("play", 0)
    assert plays_of(viewing.waits(plays_s).tells("pause", plays_s)) == plays


def test_the_interval_before_it_is_of_the_play_before() -> None:
    viewing = household().plays(0, 150, ends="heartbeat").waits(30).tells("seek", 0, seek_from_ms=180_000)
    assert (viewing.credited_s, plays_of(viewing)) == (180, 1)


def test_a_play_that_waits_for_its_credit_goes_on_waiting() -> None:
    viewing = household().plays(0, 150, ends="heartbeat", autoplay=True)
    for position_s in (70, 70, 70):
        viewing.tells("seek", 0).waits(position_s).tells("heartbeat", position_s)
    # The second play has its two minutes in the second round; the third one has 70 s of its own.
    assert (viewing.credited_s, plays_of(viewing)) == (360, 2)


def test_a_session_that_has_made_no_play_begins_no_other() -> None:
    viewing = household().tells("start", 0, autoplay=True).waits(100).tells("heartbeat", 100)
    viewing.tells("seek", 0).waits(20).tells("heartbeat", 20)
    assert plays_of(viewing) == 1


@pytest.mark.parametrize("ends", ["pause", "buffer", "stop", "end"])
def test_another_play_begins_in_a_session_that_was_still_or_over_too(ends: str) -> None:
    viewing = household().plays(470, 500, ends=ends).waits(DAY).tells("play", 0).waits(1).tells("pause", 1)
    assert plays_of(viewing) == 2


def test_a_session_that_went_back_while_it_was_still_plays_later() -> None:
    viewing = household().plays(470, 500, ends="pause").tells("seek", 0).tells("play", 0).waits(1).tells("pause", 1)
    assert plays_of(viewing) == 2


def test_a_play_that_waits_comes_back_from_a_rest() -> None:
    viewing = household().plays(470, 500, ends="heartbeat").tells("play", 0)
    viewing.row = unpack(pack(viewing.row))
    assert plays_of(viewing.waits(1).tells("pause", 1)) == 2


# -- loops --------------------------------------------------------------------------------------------------------


def test_a_loop_begins_another_play_between_its_two_parts() -> None:
    viewing = household().plays(970, 990, ends="heartbeat").waits(10.999).tells("heartbeat", 0.999)
    assert plays_of(viewing) == 1
    assert plays_of(viewing.waits(0.001).tells("heartbeat", 1)) == 2


def test_the_first_part_of_a_loop_may_make_the_play_and_the_second_the_next() -> None:
    assert plays_of(household().tells("start", 999).waits(2).tells("heartbeat", 1)) == 2
    # Where it does not, the second part adds to the play that waits.
    assert plays_of(household().tells("start", 999.5).waits(1.499).tells("heartbeat", 0.999)) == 1


def test_a_loop_that_is_refused_begins_none() -> None:
    viewing = household().plays(970, 990, ends="heartbeat").waits(500).tells("heartbeat", 10)
    assert plays_of(viewing.waits(30).tells("heartbeat", 40)) == 1


# -- starters and viewers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "facts"), [(119.999, []), (120, ["played", "started"])])
def test_credit_from_before_its_play_counts_for_starters_at_the_play(seconds: float, facts: list[str]) -> None:
    viewing = household().tells("start", 0, autoplay=True)
    for position in range(10, 120, 10):
        viewing.waits(10).tells("heartbeat", position)
    assert viewing.facts == []
    assert viewing.waits(seconds - 110).tells("heartbeat", seconds).facts == facts


def test_sessions_that_make_no_play_make_no_starter() -> None:
    viewing = household()
    for number in range(10):
        viewing.sits_down(f"preview {number}").plays(0, 119, autoplay=True)
    assert (viewing.facts, viewing.credited_s, viewing.watched_s) == ([], 1_190, 0)
    # Not even once another one does.
    assert viewing.sits_down("viewing").plays(0, 119.999).facts == ["played"]
    assert viewing.tells("play", 120).waits(1).tells("stop", 121).facts == ["played", "started"]


def test_the_credit_of_a_session_that_is_forgotten_before_its_play_never_counts() -> None:
    viewing = household().plays(0, 119, autoplay=True).waits(31 * DAY)
    assert viewing.plays(119, 238, autoplay=True).facts == []


def test_a_viewer_too_counts_what_came_before_the_play() -> None:
    viewing = household().plays(0, 240).sits_down("next").plays(0, 119, ends="heartbeat", autoplay=True)
    assert viewing.facts == ["played", "started"]
    assert viewing.waits(1).tells("stop", 120).facts[2:] == ["played", "viewed"]


def test_what_was_covered_before_a_play_completes_all_the_same() -> None:
    # A completion needs no play: it makes a starter and a viewer.
    assert household(film_s=100).plays(0, 100, autoplay=True).facts == ["watched", "started", "viewed", "completed 1"]


# -- completions: by whom, how begun, and after which -------------------------------------------------------------


def completed(viewing: Household) -> list[Fact]:
    """The completions that the last event made."""
    return [fact for fact in viewing.outcome.facts if fact.name == "completed"] if viewing.outcome else []


def by_profiles(*profiles: str | None, viewing: Household | None = None) -> list[bool]:
    """A short film, completed by these: which of them had completed it before."""
    viewing = viewing or household(film_s=60)
    found = []
    for number, profile_id in enumerate(profiles):
        viewing.sits_down(f"{number} {viewing.now}").plays(0, 60, profile_id=profile_id)
        found += [fact.same_profile for fact in completed(viewing)]
        viewing.row = unpack(pack(viewing.row))
    return found


def test_a_completion_by_a_profile_that_completed_the_title_before_is_its_rewatch() -> None:
    assert by_profiles("mia", "ben", "mia", "ben", "zoe") == [False, False, True, True, False]


@pytest.mark.parametrize("profile_id", [None, ""])
def test_no_profile_is_no_one(profile_id: str | None) -> None:
    assert by_profiles(profile_id, profile_id, "mia", profile_id) == [False] * 4


def test_the_profile_is_that_of_the_event_that_completes() -> None:
    viewing = household(film_s=60)
    assert by_profiles("mia", viewing=viewing) == [False]
    viewing.tells("start", 0, profile_id="ben").waits(60).tells("stop", 60, profile_id="mia")
    assert [fact.same_profile for fact in completed(viewing)] == [True]


@pytest.mark.parametrize(("number", "remembered"), [(14, True), (15, True), (16, False)])
def test_a_row_remembers_the_first_sixteen_profiles_that_completed_it(number: int, remembered: bool) -> None:
    viewing = household(film_s=60)
    assert by_profiles(*map(str, range(18)), viewing=viewing) == [False] * 18
    assert by_profiles("0", str(number), viewing=viewing) == [True, remembered]


def test_a_completion_is_by_autoplay_where_its_session_began_so() -> None:
    viewing = household(film_s=60).plays(0, 60, autoplay=True)
    assert [fact.autoplay for fact in completed(viewing)] == [True]
    viewing.sits_down("another").tells("start", 0).waits(60).tells("stop", 60, autoplay=True)
    assert [fact.autoplay for fact in completed(viewing)] == [False]


def test_a_completion_knows_when_the_one_before_it_was_made() -> None:
    viewing, times = household(film_s=60), []
    for number in range(4):
        viewing.sits_down(str(number)).plays(0, 60).waits(DAY)
        times += [(fact.before_ms, viewing.row.completed_ms) for fact in completed(viewing)]
    assert times[0][0] is None
    assert all(later[0] == earlier[1] for earlier, later in pairwise(times))


def test_completions_that_are_judged_late_are_of_the_event_that_let_them_be() -> None:
    viewing = household(film_s=0).sits_down("a").plays(0, 60, profile_id="mia").sits_down("b")
    viewing.plays(0, 60, profile_id="mia").sits_down("c").waits(DAY)
    viewing.tells("start", 0, runtime_ms=60_000, profile_id="ben", autoplay=True)
    # The second one follows the first at once.
    assert [(fact.same_profile, fact.autoplay, fact.before_ms) for fact in completed(viewing)] == [
        (False, True, None), (True, True, viewing.row.completed_ms),
    ]  # fmt: skip

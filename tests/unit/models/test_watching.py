"""Who is watching now: sessions that play, and have told so in the last five minutes of their partition's clock."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from partition_log import FILM, SAGA, Log
from playing import DAY, HOUR

from models.rules import Rules
from models.tally import TITLE, TallyKey

MINUTES_5 = 300


def watched(**of_the_fold: object) -> Log:
    """A log in which the film has counted something, before anybody watches it now."""
    return Log(SAGA, **of_the_fold).watches(-DAY, household_id="nobody now")


# -- who watches --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "watching"),
    [
        *(("start", 1), ("play", 1), ("heartbeat", 1), ("rate", 1), ("seek", 1)),
        *(("pause", 0), ("buffer", 0), ("stop", 0), ("end", 0)),
    ],
)
def test_a_session_is_watched_while_it_plays(kind: str, watching: int) -> None:
    assert watched().tells(kind, 0, at=0).watching() == watching
    assert watched().tells("start", 0, at=0).tells(kind, 30, at=30).watching() == watching


@pytest.mark.parametrize(("sessions", "watching"), [(255, 255), (256, 256), (257, 256)])
def test_a_session_that_gave_room_to_another_is_watched_no_more(sessions: int, watching: int) -> None:
    log = watched()
    for number in range(sessions):
        log.tells("start", 0, at=number / 1000, play_session_id=f"sitting {number}")
    assert log.watching() == watching


def test_it_is_watched_again_when_it_goes_on() -> None:
    log, seen = watched(), []
    for second, kind in enumerate(("start", "pause", "play", "stop", "heartbeat", "start", "end")):
        seen.append(log.tells(kind, second, at=second).watching())
    assert seen == [1, 0, 1, 0, 0, 1, 0]


def test_sessions_are_counted_not_households_and_each_with_its_title() -> None:
    log = watched().watches(-DAY, title_id="other", household_id="nobody now")
    for number, (household_id, title_id) in enumerate([("a", "film"), ("a", "film"), ("b", "film"), ("a", "other")]):
        log.tells("start", 0, at=number, household_id=household_id, title_id=title_id, play_session_id=f"s{number}")
    assert (log.watching("film"), log.watching("other")) == (3, 1)


def test_a_trailer_is_not_watched_and_neither_is_a_duplicate_or_a_late_event() -> None:
    log = watched().tells("start", 0, at=0, content_kind="trailer")
    log.tells("stop", 9, at=9, event_id="last").tells("start", 0, at=9, event_id="last").tells("start", 0, at=1)
    log.tells("start", 0, at=-31 * DAY, arrives=10, play_session_id="late")
    assert (log.watching(), log.account()["late_events"]) == (0, 1)


def test_a_title_of_which_its_partition_has_counted_nothing_shows_nobody_yet() -> None:
    log = Log(FILM).tells("start", 0, at=0)
    assert (log.title(), log.fold.tallies) == ({}, {})
    log.tells("heartbeat", 1, at=1)
    assert log.title() == {"plays": 1, "watched_ms": 1_000, "watching_now": 1}


# -- by the clock alone -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("over", "watching"), [(-0.001, 1), (0, 1), (0.001, 0)])
def test_a_session_is_watched_until_five_minutes_after_its_last_event(over: float, watching: int) -> None:
    log = watched().tells("start", 0, at=0).tells("heartbeat", 30, at=30)
    assert log.watching() == 1
    assert log.waits(30 + MINUTES_5 + over).watching() == watching


@pytest.mark.parametrize(("over", "watching"), [(-0.001, 1), (0, 1), (0.001, 0)])
def test_it_ends_in_silence_too(over: float, watching: int) -> None:
    log = watched().tells("start", 0, at=0)
    assert log.watching() == 1
    assert log.passes(MINUTES_5 + over).watching() == watching


def test_passing_time_moves_neither_stream_time_nor_the_clock_back() -> None:
    log = watched().tells("start", 0, at=1_000).passes(500)
    assert (log.watching(), log.fold.clock_ms - log.fold.stream_time_ms) == (1, 0)
    log.passes(1_300).passes(1_200)
    assert (log.watching(), log.fold.clock_ms - log.fold.stream_time_ms) == (1, 300_000)


def test_whoever_goes_on_after_a_silence_is_watched_again() -> None:
    log = watched().tells("start", 0, at=0).passes(400)
    assert log.watching() == 0
    assert log.tells("heartbeat", 30, at=420).watching() == 1


@pytest.mark.parametrize(("older", "watching"), [(-0.001, 1), (0, 1), (0.001, 0)])
def test_an_event_that_comes_too_late_is_nobody_watching_now(older: float, watching: int) -> None:
    assert watched().tells("start", 0, at=0, arrives=MINUTES_5 + older).watching() == watching


@pytest.mark.parametrize(("older", "watching"), [(-0.001, 1), (0, 1), (0.001, 0)])
def test_the_clock_of_a_silence_judges_who_comes_after_it(older: float, watching: int) -> None:
    log = watched().tells("pause", 0, at=0).passes(1_000)
    log.tells("play", 0, at=1_000 - MINUTES_5 - older, arrives=500)
    assert log.watching() == watching


def test_an_event_ahead_of_its_record_is_watched_so_much_longer() -> None:
    log = watched().tells("start", 0, at=200, arrives=0)
    assert [log.waits(at).watching() for at in (0, 301, 500, 500.001)] == [1, 1, 1, 0]


def test_its_last_event_decides_not_the_latest_one() -> None:
    # The player's clock ran backwards: the one with the larger number is the last.
    log = watched().tells("start", 0, at=1_000, seq=1).tells("heartbeat", 1, at=850, arrives=1_000, seq=2)
    assert [log.waits(at).watching() for at in (1_000, 1_150, 1_150.001)] == [1, 1, 0]


def test_a_duplicate_keeps_nobody_watching() -> None:
    log = watched().tells("start", 0, at=0, event_id="same").tells("start", 0, at=0, arrives=200, event_id="same")
    assert log.waits(300.001).watching() == 0


def test_how_long_is_a_rule() -> None:
    log = watched(rules=Rules(watching_ms=60_000)).tells("start", 0, at=0)
    assert [log.waits(at).watching() for at in (60, 60.001)] == [1, 0]


def test_sessions_end_each_in_its_time() -> None:
    log = watched()
    for second in range(30):
        log.tells("start", 0, at=second, household_id=f"h{second}")
    assert [log.waits(at).watching() for at in (300, 300.5, 310, 329, 329.001)] == [30, 29, 20, 1, 0]


def test_whoever_goes_on_again_and_again_is_not_remembered_each_time() -> None:
    log = watched().tells("start", 0, at=0)
    for second in range(1, 2_001):
        log.tells("buffer" if second % 2 else "play", second, at=second)
        if second % 20 == 0:
            assert log.watching() == 1
    went_on_lately = MINUTES_5 // 2 + 20
    assert sum(map(len, log.fold._watching._ends.values())) <= went_on_lately


def test_a_look_shortly_before_the_end_forgets_nobody() -> None:
    # One of two is looked at first when it might have ended by its first event, right before both end.
    log = watched().tells("start", 0, at=0).tells("heartbeat", 300.5, at=300.5)
    log.tells("start", 0, at=300.2, play_session_id="other")
    assert [log.waits(at).watching() for at in (600.1, 600.2, 600.201, 600.5, 600.501)] == [2, 2, 1, 1, 0]


# -- rows at rest, and other workers ------------------------------------------------------------------------------


def cooled(log: Log) -> Log:
    """All rows are at rest."""
    for _ in range(3):
        log.drained()
        log.fold.evict(0)
    assert all(isinstance(row, bytes) for title in log.fold.titles.values() for row in title.rows.values())
    return log


@pytest.mark.parametrize("rests", [cooled, Log.restarts])
@pytest.mark.parametrize(("kind", "watching"), [("heartbeat", 1), ("pause", 0), ("stop", 0)])
def test_a_row_that_rested_goes_on_as_it_would_have(rests: Callable[[Log], Log], kind: str, watching: int) -> None:
    log = watched().tells("start", 0, at=0).tells("start", 0, at=0, play_session_id="other")
    assert rests(log).watching() == 2
    log.tells(kind, 30, at=30)
    assert log.watching() == 1 + watching
    assert log.waits(301).watching() == watching
    assert log.waits(331).watching() == 0


@pytest.mark.parametrize(("at", "watching"), [(299.999, 2), (300, 2), (300.001, 1), (310, 1), (310.001, 0)])
def test_another_worker_finds_who_is_watching_at_its_clock(at: float, watching: int) -> None:
    log = watched().tells("start", 0, at=0, household_id="a").tells("start", 0, at=10, household_id="b")
    log.tells("start", 0, at=5, household_id="c").tells("pause", 0, at=9, household_id="c")
    assert log.passes(at).restarts().watching() == watching
    assert log.waits(310.001).watching() == 0


def test_another_worker_finds_who_told_ahead_of_their_records() -> None:
    log = watched().tells("start", 0, at=300, arrives=0).waits(600).restarts()
    assert [log.waits(at).watching() for at in (600, 600.001)] == [1, 0]


def test_whoever_comes_and_goes_between_two_drains_changes_nothing() -> None:
    log = watched()
    log.drained()
    assert log.tells("start", 0, at=0).tells("stop", 0, at=1).drained(2).tallies == {}


def test_what_is_shown_is_as_of_the_last_drain_and_bears_its_number() -> None:
    log = watched().tells("start", 0, at=0)
    log.drained(7)
    key = TallyKey(TITLE, 0, "film")
    assert log.fold.tallies[key][0] == 7
    assert log.waits(200).drained(8).tallies == {}
    changed = log.waits(HOUR).drained(9).tallies
    assert changed == {key: [9, *log.fold.tallies[key][1:-1], 0]}


def test_a_worker_in_silence_is_told_whether_anybody_may_stop_watching() -> None:
    log = watched()
    log.drained()
    assert not log.fold.ends_by(log.fold.clock_ms + HOUR * 1000)
    log.tells("start", 0, at=0).drained()
    assert log.fold.ends_by(log.fold.clock_ms + MINUTES_5 * 1000 + 1)
    log.passes(300.001).drained()
    assert not log.fold.ends_by(log.fold.clock_ms + HOUR * 1000)

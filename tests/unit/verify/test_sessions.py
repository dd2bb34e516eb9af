"""A session's place, players that count anew, what a row keeps at most, and which credit makes plays and starters."""

from __future__ import annotations

from typing import Any

import pytest
from recomputation_log import DAY, FILM, HOUR, MIN, Log, S

from streams.verify.session import DOUBLE, NEWS, RESTART, STALE, Session

LONG = FILM | {"runtime_ms": 10 * HOUR}


def counted(log: Log, *titles: dict[str, Any]) -> tuple[str, str, str]:
    """Seconds watched, stale events, player restarts."""
    hashes = log.recompute(*(titles or (LONG,))).hashes
    status = hashes["status"]
    return hashes["title:film"]["watched_s"], status["stale_events"], status["player_restarts"]


# Older events, and players that count anew


@pytest.mark.parametrize(("after_ms", "found"), [(60_000, ("60.000", "1", "0")), (60_001, ("120.001", "0", "1"))])
def test_a_smaller_seq_more_than_a_minute_later_is_a_player_that_counts_anew(
    after_ms: int, found: tuple[str, str, str]
) -> None:
    log = Log().add("start", 0, 0, seq=7).add("heartbeat", MIN, MIN, seq=8)
    assert counted(log.add("heartbeat", MIN + after_ms, MIN + after_ms, seq=0)) == found


def test_older_events_are_counted_and_doubles_are_not() -> None:
    log = Log().add("start", 0, 0).add("heartbeat", 20 * S, 20 * S).again().add("pause", 10 * S, 10 * S)
    assert counted(log) == ("20.000", "1", "0")


@pytest.mark.parametrize(("time_ms", "seq", "what"), [(99, 9, STALE), (100, 9, STALE), (101, 9, NEWS), (101, 1, STALE)])
def test_what_is_not_later_than_the_run_start_is_older_whatever_its_seq(time_ms: int, seq: int, what: str) -> None:
    session = Session(0, False, largest_seq=2, largest_time_ms=200_000, run_start_ms=100)
    assert session.what_is({"event_id": "e", "event_time_ms": time_ms, "seq": seq}) == what
    without = {"event_id": "e", "event_time_ms": time_ms}
    assert session.what_is(without) == STALE


def test_a_new_run_has_the_seq_of_its_first_event_with_its_id_alone() -> None:
    session = Session(0, False)
    session.note_place({"event_id": "a", "event_time_ms": 0, "seq": 5, "position_ms": 0})
    again = {"event_id": "b", "event_time_ms": MIN + 1, "seq": 1, "position_ms": 0}
    assert session.what_is(again) == RESTART
    session.begin_run()
    session.note_place(again)
    assert (session.run_start_ms, session.largest_seq, session.ids_at_seq) == (0, 1, ["b"])
    assert session.what_is(again) == DOUBLE
    assert session.what_is(again | {"event_id": "a"}) == NEWS


@pytest.mark.parametrize(("more_ms", "refused"), [(62_220, "0.000"), (62_221, "62.221")])
def test_nothing_else_begins_anew(more_ms: int, refused: str) -> None:
    # The allowance is used up at 99 s; 61 s later there are 1.02 x 61 s and no more, and the play was made.
    log = Log().add("start", 0, 0, seq=7).add("heartbeat", 105_980, 99 * S, seq=8)
    log.add("heartbeat", 105_980 + more_ms, 160 * S, seq=0)
    found = log.recompute(LONG).hashes
    assert (found["title:film"]["plays"], found["status"]["player_restarts"]) == ("1", "1")
    assert found["status"]["refused_fast_s"] == refused


# What is kept at most


@pytest.mark.parametrize(("between", "known"), [(62, True), (63, True), (64, False)])
def test_of_the_ids_at_a_place_the_newest_64_are_kept(between: int, known: bool) -> None:
    log = Log().add("start", 0, 0, seq=1, event_id="first")
    for number in range(between):
        log.add("heartbeat", 0, 0, seq=1, event_id=f"x{number}")
    log.add("heartbeat", S, 0, seq=1, event_id="first")
    assert ("title:film" in log.recompute(LONG).hashes) == (not known)


@pytest.mark.parametrize(("event_id", "known"), [("x1", True), ("x2", False), ("x3", True)])
def test_an_id_that_was_applied_again_is_the_newest_and_takes_one_place(event_id: str, known: bool) -> None:
    log = Log().add("start", 0, 0, seq=0, event_id="x1")
    for number in range(2, 65):
        log.add("heartbeat", 0, 0, seq=number, event_id=f"x{number}")
    log.add("heartbeat", 0, 0, seq=65, event_id="x1").add("heartbeat", 0, 0, seq=66, event_id="x66")
    log.add("heartbeat", S, 0, event_id=event_id)
    assert ("title:film" in log.recompute(LONG).hashes) == (not known)


@pytest.mark.parametrize(("others", "goes_on"), [(254, True), (255, True), (256, False)])
def test_a_row_keeps_256_sessions_and_forgets_the_oldest(others: int, goes_on: bool) -> None:
    log = Log().add("start", 0, 0, "first")
    for number in range(others):
        log.add("pause", 0, S + number, f"s{number}")
    log.add("heartbeat", 10 * S, 10 * S, "first")
    assert ("title:film" in log.recompute(LONG).hashes) == goes_on


def test_of_the_oldest_sessions_the_first_that_opened_is_forgotten_with_what_it_owes() -> None:
    log = Log().add("start", 0, 0, "a").add("start", 0, 0, "b").add("heartbeat", 90 * S, 90 * S, "a")
    for number in range(254):
        log.add("pause", 0, 90 * S, f"s{number}")
    log.add("heartbeat", 0, 90 * S, "b").add("pause", 0, 91 * S, "one more")
    # a is the first of those of 90 s: what it owed is nobody's, and 15-100 s are another viewing.
    assert log.watch(15, 100, HOUR, "a").film()["completions"] == "2"


# Plays


def plays(log: Log) -> str:
    return log.recompute(LONG).hashes["title:film"]["plays"]


@pytest.mark.parametrize("kind", ["start", "play", "seek"])
@pytest.mark.parametrize(
    ("from_ms", "to_ms", "found"),
    [
        (200_000, 59_999, "2"), (200_000, 60_000, "1"), (60_000, 0, "2"), (59_999, 0, "1"), (69_999, 10_000, "1"),
        (70_000, 10_000, "2"),
    ],
)  # fmt: skip
def test_a_jump_to_the_first_minute_and_back_by_one_begins_another_play(
    kind: str, from_ms: int, to_ms: int, found: str
) -> None:
    log = Log().add("start", 0, 0).add("heartbeat", from_ms, from_ms).add(kind, to_ms, from_ms)
    assert plays(log.add("stop", to_ms + S, from_ms + S)) == found


def test_another_play_needs_its_credit_and_one_that_waits_goes_on_waiting() -> None:
    log = Log().add("start", 0, 0, autoplay=True).add("heartbeat", 2 * MIN, 2 * MIN)
    log.add("seek", 0, 2 * MIN).add("heartbeat", 80 * S, 200 * S).add("seek", 0, 200 * S)
    assert plays(log) == "1"
    assert plays(log.add("heartbeat", 39_999, 239_999)) == "1"
    assert plays(log.add("heartbeat", 40_000, 240 * S)) == "2"


def test_a_session_without_a_play_begins_no_other() -> None:
    log = Log().add("start", 0, 0, autoplay=True).add("heartbeat", 100 * S, 100 * S).add("seek", 0, 100 * S)
    assert plays(log.add("heartbeat", 20 * S, 120 * S)) == "1"


def test_another_play_begins_in_a_session_that_is_still_or_over() -> None:
    for kind in ("pause", "stop"):
        log = Log().add("start", 0, 0).add(kind, 100 * S, 100 * S).add("play", 0, HOUR)
        assert plays(log.add("stop", S, HOUR + S)) == "2"


@pytest.mark.parametrize(("before_ms", "found"), [(89_999, "1"), (90_000, "2"), (90_001, "2")])
def test_a_loop_begins_another_play_between_its_intervals(before_ms: int, found: str) -> None:
    # By autoplay: 30 s of the loop's first part make the play, or wait for its second of 10 s; 120 s more follow.
    log = Log().title("film", runtime_ms=200 * S).add("start", 170 * S - before_ms, 0, autoplay=True)
    log.add("heartbeat", 170 * S, before_ms).add("heartbeat", 10 * S, before_ms + 40 * S)
    log.add("stop", 120 * S, before_ms + 150 * S)
    assert log.recompute().hashes["title:film"]["plays"] == found


# Starters by real plays


@pytest.mark.parametrize(("last_ms", "starters"), [(119_999, "0"), (120_000, "1"), (120_001, "1")])
def test_credit_counts_for_a_starter_once_its_session_has_made_a_play(last_ms: int, starters: str) -> None:
    log = Log()
    for number in range(9):  # a minute and a half of previews
        at, session = number * MIN, f"p{number}"
        log.add("start", 0, at, session, autoplay=True).add("stop", 10 * S, at + 10 * S, session)
    log.add("start", 0, HOUR, autoplay=True).add("heartbeat", MIN, HOUR + MIN).add("stop", last_ms, HOUR + last_ms)
    found = log.recompute(LONG).hashes["title:film"]
    assert (found["starters"], found["viewers"], found["plays"]) == (starters, "0", starters)


def test_what_came_before_the_play_counts_at_the_play() -> None:
    log = Log().watch_minutes(4, HOUR, "a").add("start", 0, 2 * HOUR, "b", autoplay=True)
    log.add("heartbeat", 119 * S, 2 * HOUR + 119 * S, "b")
    assert log.film(LONG).get("viewers") is None
    assert log.add("heartbeat", 120 * S, 2 * HOUR + 120 * S, "b").film(LONG)["viewers"] == "1"


def test_the_credit_of_a_session_that_was_forgotten_before_its_play_makes_no_starter() -> None:
    log = Log().add("start", 0, 0, autoplay=True).add("heartbeat", 119 * S, 119 * S)
    log.add("start", 0, 40 * DAY, "b").add("stop", MIN, 40 * DAY + MIN, "b")
    assert "starters" not in log.film(LONG)

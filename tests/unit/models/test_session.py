"""What a session does, which events it takes, and when it is forgotten."""

from __future__ import annotations

from typing import Any

import pytest
from playing import DAY, T0, Household, household

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
    assert (viewing.credits_s, viewing.allowance_s) == ([0, 5, 0], 1.02)
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


@pytest.mark.parametrize(("event_id", "known"), [("x1", True), ("x2", False), ("x3", True)])
def test_an_id_that_was_applied_again_is_the_newest_and_takes_one_place(event_id: str, known: bool) -> None:
    viewing = household().tells("start", 0, seq=0, event_id="x1")
    for number in range(2, 65):
        viewing.tells("heartbeat", 0, seq=number, event_id=f"x{number}")
    for seq, again in ((65, "x1"), (66, "x66")):
        viewing.tells("heartbeat", 0, seq=seq, event_id=again)
    viewing.tells("heartbeat", 0, event_id=event_id)
    assert (viewing.outcome is None) == known


def test_sessions_are_swept_when_another_one_opens() -> None:
    viewing = household()
    for number in range(10):
        viewing.sits_down(f"sitting {number}").plays(0, 30).waits(20 * DAY)
    assert list(viewing.row.sessions) == ["sitting 8", "sitting 9"]


@pytest.mark.parametrize(("opened", "forgotten"), [(255, []), (256, ["sitting 0"]), (257, ["sitting 0", "sitting 1"])])
def test_a_row_keeps_256_sessions_at_most(opened: int, forgotten: list[str]) -> None:
    viewing = household()
    for number in range(opened + 1):
        viewing.sits_down(f"sitting {number}").waits(1).tells("pause", 0)
    assert list(viewing.row.sessions) == [f"sitting {number}" for number in range(len(forgotten), opened + 1)]


def test_the_one_that_has_been_told_of_the_longest_ago_makes_room_and_of_several_the_one_opened_first() -> None:
    viewing = household()
    for number in range(256):
        viewing.sits_down(f"sitting {number}").tells("pause", 0)
    viewing.waits(1)
    for number in range(256):
        if number not in (5, 9):
            viewing.sits_down(f"sitting {number}").tells("pause", 0)
    # By the largest time that was applied, whatever came after it.
    viewing.sits_down("sitting 0").waits(9).tells("pause", 0, seq=1).waits(-10).tells("pause", 0, seq=2).waits(1)
    gone = []
    for number in range(3):
        before = set(viewing.row.sessions)
        viewing.sits_down(f"another {number}").tells("pause", 0)
        gone += sorted(before - set(viewing.row.sessions))
    assert gone == ["sitting 5", "sitting 9", "sitting 1"]


def test_a_session_that_made_room_is_opened_anew_and_owes_nothing() -> None:
    viewing = household().sits_down("first").plays(0, 910, ends="heartbeat")
    assert viewing.row.owed_by == "first"
    for number in range(256):
        viewing.sits_down(f"sitting {number}").waits(1).tells("pause", 0)
    assert (viewing.row.owed, viewing.row.owed_by) == (0, None)
    assert viewing.sits_down("first").plays(0, 30).facts[5:] == ["played"]


# -- a player that counts anew --------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "anew"), [(59.999, False), (60, False), (60.001, True)])
@pytest.mark.parametrize(("seq", "smaller"), [(6, True), (7, False), (8, False)])
def test_a_smaller_seq_more_than_a_minute_later_is_a_player_that_counts_anew(
    seconds: float, anew: bool, seq: int, smaller: bool
) -> None:
    viewing = household().tells("start", 0, seq=7).waits(seconds).tells("pause", seconds, seq=seq)
    stale = {"stale_events": 1} if not anew else {"player_restarts": 1}
    assert viewing.counted == (stale if smaller else {})
    assert viewing.credited_s == (0 if smaller and not anew else seconds)


def test_the_minute_is_counted_from_the_largest_time_applied() -> None:
    viewing = household().waits(100).tells("start", 0, seq=7).waits(-100).tells("pause", 0, seq=8)
    assert viewing.waits(160).tells("pause", 0, seq=1).counted == {"stale_events": 1}
    assert viewing.waits(0.001).tells("pause", 0, seq=1).counted == {"stale_events": 1, "player_restarts": 1}


def test_without_a_seq_on_both_sides_nothing_begins_anew() -> None:
    without = household().tells("start", 0).waits(100).tells("heartbeat", 100, seq=1)
    had_one = household().tells("start", 0, seq=7).waits(100).tells("heartbeat", 100)
    assert without.counted == had_one.counted == {}


def test_the_place_of_a_new_run_is_its_events_with_its_id_alone() -> None:
    viewing = household().tells("start", 0, seq=7, event_id="a").waits(100).tells("heartbeat", 100, seq=2, event_id="b")
    assert _is_no_op(viewing, "pause", 100, seq=2, event_id="b")
    assert not _is_no_op(viewing, "heartbeat", 100, seq=2, event_id="a")
    assert not _is_no_op(viewing, "heartbeat", 100, seq=3)


def test_nothing_else_begins_anew_in_a_new_run() -> None:
    viewing = household().tells("start", 0, seq=7, playback_rate=1.5).waits(10).tells("heartbeat", 18, seq=8)
    viewing.waits(100).tells("heartbeat", 168, seq=0).waits(100).tells("heartbeat", 318, seq=1)
    assert (viewing.credits_s, viewing.facts) == ([0, 18, 150, 150], ["played", "started", "viewed"])


def test_what_a_session_owes_goes_on_over_a_restart_of_the_player() -> None:
    viewing = household().tells("start", 0, seq=7).waits(900).tells("heartbeat", 900, seq=8)
    viewing.waits(100).tells("heartbeat", 1000, seq=1)
    assert (viewing.completions, viewing.row.once, viewing.row.owed) == (1, 0, 0)


@pytest.mark.parametrize(("seconds", "applied"), [(-0.001, False), (0, False), (0.001, True)])
def test_what_is_not_later_than_the_start_of_the_run_is_older_whatever_its_seq(seconds: float, applied: bool) -> None:
    # The run starts at the largest time applied before it: 50 s.
    def anew() -> Household:
        return household().waits(50).tells("start", 0, seq=7, event_id="a").waits(100).tells("pause", 100, seq=1)

    viewing = anew()
    assert viewing.counted == {"player_restarts": 1}
    for seq in (0, 1, 2, 99):
        assert _is_no_op(anew().waits(-100 + seconds), "play", 0, seq=seq) is not (applied and seq > 0)
    # One that is a duplicate besides counts as older, too.
    assert viewing.waits(-100).tells("start", 0, seq=7, event_id="a").counted == {
        "player_restarts": 1, "stale_events": 1,
    }  # fmt: skip


def test_without_seq_too_nothing_from_before_the_run_is_applied() -> None:
    viewing = household().tells("start", 0, seq=7).waits(100).tells("heartbeat", 100, seq=1)
    assert _is_no_op(viewing.waits(-100), "pause", 0)
    assert not _is_no_op(viewing.waits(100), "pause", 100)


def test_a_player_may_count_anew_again_and_again() -> None:
    viewing = household().tells("start", 0, seq=5)
    for _ in range(4):
        viewing.waits(61).tells("heartbeat", viewing.position + 61, seq=0)
        viewing.waits(30).tells("heartbeat", viewing.position + 30, seq=1)
    assert (viewing.credited_s, viewing.counted) == (364, {"player_restarts": 4})


# -- how many ids are remembered ------------------------------------------------------------------------------


@pytest.mark.parametrize("seq", [None, 7])
def test_of_the_ids_at_a_place_the_newest_64_are_remembered(seq: int | None) -> None:
    viewing = household().tells("start", 0, event_id="0", seq=seq)
    for number in range(1, 65):
        viewing.tells("heartbeat", 0, event_id=str(number), seq=seq)
    assert all(_is_no_op(viewing, "pause", 0, event_id=str(number), seq=seq) for number in range(1, 65))
    assert not _is_no_op(viewing, "pause", 0, event_id="0", seq=seq)


def test_the_ids_at_the_place_by_number_and_at_the_one_by_time_are_64_each() -> None:
    viewing = household().waits(10).tells("start", 0, event_id="late", seq=1).waits(-10)
    for number in range(70):
        viewing.tells("heartbeat", 0, event_id=str(number), seq=2)
    session = viewing.row.sessions["sitting-1"]
    assert (len(session.time_ids), len(session.seq_ids or ())) == (1, 64)
    assert _is_no_op(viewing, "pause", 0, event_id="6", seq=2)
    assert not _is_no_op(viewing, "pause", 0, event_id="5", seq=2)


# -- stale events ---------------------------------------------------------------------------------------------


def test_an_event_that_is_older_is_counted_and_a_duplicate_is_not() -> None:
    viewing = household().waits(10).tells("start", 0, event_id="a").tells("start", 0, event_id="a")
    assert viewing.counted == {}
    assert viewing.waits(-1).tells("pause", 0).counted == {"stale_events": 1}
    numbered = household().tells("start", 0, seq=5, event_id="a").waits(1).tells("pause", 0, seq=5, event_id="a")
    assert numbered.counted == {}
    assert numbered.tells("pause", 0, seq=4).counted == {"stale_events": 1}


# -- both places --------------------------------------------------------------------------------------------------


def test_an_event_without_seq_is_known_among_all_that_were_applied_at_its_time() -> None:
    viewing = household().tells("start", 0, seq=1, event_id="a").tells("heartbeat", 3, seq=2, event_id="b")
    assert _is_no_op(viewing, "pause", 3, event_id="a")
    assert _is_no_op(viewing, "pause", 3, event_id="b")
    assert not _is_no_op(viewing, "pause", 3, event_id="c")


@pytest.mark.parametrize(("seconds", "known"), [(-0.001, False), (0, True)])
def test_one_of_a_larger_seq_is_at_the_place_by_time_only_if_nothing_was_later(seconds: float, known: bool) -> None:
    viewing = household().waits(60).tells("start", 0, seq=1, event_id="a")
    viewing.waits(seconds).tells("heartbeat", 0, seq=2, event_id="b").waits(-seconds)
    assert _is_no_op(viewing, "pause", 0, event_id="b") is known

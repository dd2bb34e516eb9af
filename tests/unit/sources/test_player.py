"""A foreign player's session: what a message means after those before it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from models.sources import told as word
from models.sources.player import MOST_IDS, ForeignSession, advance, session_of
from models.sources.told import LeftOut, PlayerMessage
from models.sources.written import SessionAtRest

MINUTE = 60


class Player:
    """A player that tells, in seconds; what is written is kept as `type position`, or the reason that nothing is."""

    def __init__(self, tells_seeks: bool = True, fastest_percent: int = 210) -> None:
        self.session = ForeignSession("home", "film", "s")
        self.tells_seeks, self.fastest_percent = tells_seeks, fastest_percent
        self.wrote: list[str] = []

    def tells(self, what: str, position: float | None, at: float, **fields: Any) -> Player:
        position_ms = None if position is None else round(position * 1000)
        told = PlayerMessage(what, f"{what}-{at}", round(at * 1000), "s", position_ms=position_ms)
        for name, stated in fields.items():
            setattr(told, name, stated)
        try:
            steps = advance(self.session, told, self.tells_seeks, self.fastest_percent)
        except LeftOut as reason:
            self.wrote.append(reason.code)
            return self
        for step in steps:
            origin = "" if step.seek_from_ms is None else f" from {step.seek_from_ms / 1000:g}"
            late = "" if step.time_ms == told.time_ms else f" at {step.time_ms / 1000:g}"
            self.wrote.append(f"{step.event_type} {step.position_ms / 1000:g}{origin}{late}")
        return self


# -- seeks that nobody tells ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("position", "wrote"),
    [(25.999, ["heartbeat 25.999"]), (26, ["heartbeat 26"]), (26.001, ["seek 16.001 at 0", "heartbeat 26.001"])],
)
def test_a_position_is_ahead_by_a_jump_if_no_speed_and_no_slack_explains_it(position: float, wrote: list[str]) -> None:
    player = Player(tells_seeks=False).tells(word.PLAY, 0, at=0).tells(word.PING, position, at=10)
    assert player.wrote[1:] == wrote


@pytest.mark.parametrize(
    ("position", "wrote"),
    [(98.001, ["heartbeat 98.001"]), (98, ["heartbeat 98"]), (97.999, ["seek 97.999", "heartbeat 97.999"])],
)
def test_a_position_that_is_more_than_rounding_behind_is_a_jump_back(position: float, wrote: list[str]) -> None:
    player = Player(tells_seeks=False).tells(word.PLAY, 100, at=0).tells(word.PING, position, at=10)
    assert player.wrote[1:] == wrote


@pytest.mark.parametrize(("at", "seeks"), [(19.999, False), (20, False), (20.001, True)])
def test_a_title_that_loops_is_left_to_the_rules(at: float, seeks: bool) -> None:
    player = Player(tells_seeks=False).tells(word.PLAY, 170, at=0, runtime_ms=180_000)
    player.tells(word.PING, 5, at=at, runtime_ms=180_000)
    assert player.wrote[1:] == (["seek 5"] if seeks else []) + ["heartbeat 5"]


def test_a_jump_may_come_in_the_instant_of_the_message_before_it() -> None:
    player = Player(tells_seeks=False).tells(word.PLAY, 0, at=0).tells(word.PING, 100, at=0)
    assert player.wrote == ["play 0", "seek 100", "heartbeat 100"]


@pytest.mark.parametrize(("hours", "seeks"), [(3.999, True), (4, True), (4.001, False)])
def test_after_four_hours_no_jump_is_looked_for(hours: float, seeks: bool) -> None:
    at = hours * 3600
    player = Player(tells_seeks=False, fastest_percent=102).tells(word.PLAY, 0, at=0)
    assert (len(player.tells(word.PAUSE, 5 * 3600, at=at).wrote) == 3) is seeks


def test_a_player_that_tells_its_seeks_is_taken_at_its_word() -> None:
    assert Player().tells(word.PLAY, 0, at=0).tells(word.PING, 500, at=10).wrote == ["play 0", "heartbeat 500"]


# -- seeks as pairs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("position", "wrote"),
    [(99.999, "seeking"), (100, "heartbeat 100"), (111.7, "heartbeat 111.7"), (111.701, "seeking")],
)
def test_a_seek_begins_where_the_player_may_have_come_to_or_at_its_target(position: float, wrote: str) -> None:
    player = Player().tells(word.PLAY, 100, at=0)
    assert player.tells(word.SEEK_BEGINS, position, at=10).wrote[1:] == [wrote]


def test_what_lies_between_the_ends_of_a_seek_is_no_viewing() -> None:
    player = Player().tells(word.PLAY, 0, at=0).tells(word.SEEK_BEGINS, 10, at=10)
    player.tells(word.SEEK_BEGINS, 200, at=11).tells(word.PING, 300, at=12).tells(word.SEEK_ENDS, 400, at=13)
    assert player.wrote == ["play 0", "heartbeat 10", "seeking", "seeking", "seek 400"]


@pytest.mark.parametrize(("after", "wrote"), [(29.999, "seeking"), (30, "seeking"), (30.001, "heartbeat 60")])
def test_a_seek_that_is_not_seen_to_end_ends_by_itself(after: float, wrote: str) -> None:
    player = Player().tells(word.PLAY, 0, at=0).tells(word.SEEK_BEGINS, 10, at=10)
    assert player.tells(word.PING, 60, at=10 + after).wrote[-1] == wrote


def test_a_seek_in_a_pause_does_not_play() -> None:
    player = Player().tells(word.PLAY, 0, at=0).tells(word.PAUSE, 5, at=5).tells(word.SEEK_BEGINS, 5, at=6)
    player.tells(word.SEEK_ENDS, 90, at=7).tells(word.PING, 90, at=17, paused=True).tells(word.PLAY, 90, at=20)
    assert player.wrote == ["play 0", "pause 5", "seeking", "seek 90", "still", "play 90"]


# -- standing still ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("position", "wrote"), [(4.999, "still"), (5, "still"), (5.001, "play 5.001")])
def test_a_paused_player_plays_again_when_its_position_advances(position: float, wrote: str) -> None:
    player = Player().tells(word.PLAY, 0, at=0).tells(word.PAUSE, 5, at=5)
    assert player.tells(word.PING, position, at=15).wrote[-1] == wrote


def test_a_ping_that_says_so_pauses_and_plays() -> None:
    player = Player().tells(word.PING, 0, at=0, paused=False).tells(word.PING, 5, at=10, paused=True)
    player.tells(word.PING, 5, at=20, paused=True).tells(word.PING, 5, at=30, paused=False)
    assert player.wrote == ["heartbeat 0", "pause 5", "still", "play 5"]


@pytest.mark.parametrize(("position", "wrote"), [(99.999, "play 99.999"), (100, "still"), (100.001, "still")])
def test_a_player_that_is_over_plays_again_only_from_before_its_end(position: float, wrote: str) -> None:
    player = Player().tells(word.PLAY, 0, at=0).tells(word.END, 100, at=100)
    assert player.tells(word.PING, position, at=110, paused=False).wrote[-1] == wrote


def test_a_buffer_ends_in_what_was_before_it() -> None:
    player = Player().tells(word.BUFFERED, 0, at=0).tells(word.PLAY, 0, at=1).tells(word.BUFFER, 9, at=10)
    player.tells(word.PING, 9, at=11).tells(word.BUFFERED, 9, at=12).tells(word.PAUSE, 10, at=13)
    player.tells(word.BUFFER, 10, at=14).tells(word.BUFFERED, 10, at=15)
    assert player.wrote == ["still", "play 0", "buffer 9", "still", "play 9", "pause 10", "still", "still"]


def test_a_stop_without_a_position_is_where_the_player_last_was() -> None:
    player = Player().tells(word.PLAY, 0, at=0).tells(word.PING, 50, at=50).tells(word.STOP, None, at=60)
    assert player.wrote[-1] == "stop 50"
    assert Player().tells(word.STOP, None, at=0).wrote == ["no_position"]


def test_a_position_that_is_passed_counts_only_while_it_plays() -> None:
    assert Player().tells(word.PASSES, 900, at=0).wrote == ["still"]
    player = Player().tells(word.PLAY, 0, at=0).tells(word.PASSES, 900, at=900).tells(word.PASSES, None, at=901)
    assert player.wrote == ["play 0", "heartbeat 900", "no_position"]


def test_the_very_beginning_is_a_position_as_others_are() -> None:
    paused = Player().tells(word.PLAY, 0, at=0).tells(word.PAUSE, 0, at=1).tells(word.PING, 0, at=2)
    paused.tells(word.PING, 0, at=3, paused=True).tells(word.BUFFER, 0, at=4).tells(word.SEEK, 60, at=5)
    assert paused.tells(word.PING, 60, at=6).wrote[2:] == ["still", "still", "still", "seek 60", "still"]
    assert Player().tells(word.PLAY, 0, at=0).tells(word.STOP, None, at=1).wrote == ["play 0", "stop 0"]


def test_a_session_that_begins_with_a_seek_plays() -> None:
    assert Player().tells(word.SEEK_ENDS, 60, at=0).tells(word.PING, 60, at=1).wrote == ["seek 60", "heartbeat 60"]


@pytest.mark.parametrize(("what", "paused"), [(word.PAUSE, None), (word.PING, True)])
def test_who_pauses_while_it_buffers_does_not_play_after_it(what: str, paused: bool | None) -> None:
    player = Player().tells(word.PLAY, 0, at=0).tells(word.BUFFER, 9, at=9)
    player.tells(what, 9, at=10, paused=paused).tells(word.BUFFERED, 9, at=12)
    assert player.wrote == ["play 0", "buffer 9", "still", "still"]


# -- ads -----------------------------------------------------------------------------------------------------------


def test_an_ad_break_stands_between_a_pause_and_a_play() -> None:
    player = Player().tells(word.PLAY, 0, at=0).tells(word.AD_BEGINS, 10, at=10).tells(word.AD_BEGINS, 10, at=11)
    player.tells(word.PING, 10, at=20).tells(word.AD_ENDS, 10, at=25).tells(word.PING, 20, at=35)
    assert player.wrote == ["play 0", "pause 10", "ad", "ad", "play 10", "heartbeat 20"]


def test_who_pauses_in_an_ad_does_not_play_after_it() -> None:
    player = Player().tells(word.PLAY, 0, at=0).tells(word.AD_BEGINS, 10, at=10).tells(word.PAUSE, 10, at=12)
    player.tells(word.AD_ENDS, 10, at=25).tells(word.PLAY, 10, at=30)
    assert player.wrote == ["play 0", "pause 10", "ad", "ad", "play 10"]


def test_who_plays_again_in_an_ad_plays_after_it() -> None:
    player = Player().tells(word.PLAY, 0, at=0).tells(word.PAUSE, 10, at=10).tells(word.AD_BEGINS, 10, at=11)
    player.tells(word.PLAY, 10, at=12).tells(word.AD_ENDS, 10, at=25)
    assert player.wrote == ["play 0", "pause 10", "ad", "ad", "play 10"]


@pytest.mark.parametrize(("minutes", "wrote"), [(9.999, "ad"), (10, "ad"), (10.001, "play 30")])
def test_an_ad_break_that_is_not_seen_to_end_ends_by_itself(minutes: float, wrote: str) -> None:
    player = Player().tells(word.PLAY, 0, at=0).tells(word.AD_BEGINS, 10, at=10)
    assert player.tells(word.PING, 30, at=10 + minutes * MINUTE).wrote[-1] == wrote


@pytest.mark.parametrize(("position", "wrote"), [(71, "pause 50"), (50, "pause 50"), (52, "pause 52")])
def test_ads_are_taken_off_a_position_if_that_fits_better(position: float, wrote: str) -> None:
    player = Player().tells(word.PLAY, 0, at=0).tells(word.PING, 20, at=20)
    player.tells(word.AD_PLAYS, 10, at=30, ad_id="ad-1").tells(word.AD_PLAYS, 21, at=41, ad_id="ad-1")
    assert player.tells(word.PAUSE, position, at=71, counts_ads=True).wrote[-1] == wrote


def test_ads_are_taken_off_from_the_beginning_on() -> None:
    player = Player().tells(word.AD_PLAYS, 30, at=30, ad_id="ad-1").tells(word.START, 0, at=30)
    assert player.tells(word.PAUSE, 45, at=45, counts_ads=True).wrote[-1] == "pause 15"


def test_a_position_of_the_content_is_never_changed() -> None:
    player = Player().tells(word.PLAY, 0, at=0).tells(word.AD_PLAYS, 20, at=30, ad_id="ad-1")
    assert player.tells(word.PING, 30, at=30).wrote[-1] == "heartbeat 30"


@pytest.mark.parametrize(("position", "wrote"), [(49.999, "pause 49.999"), (50, "pause 50"), (50.001, "pause 30.001")])
def test_a_position_that_fits_both_ways_is_taken_as_it_is(position: float, wrote: str) -> None:
    player = Player().tells(word.PLAY, 0, at=0).tells(word.AD_PLAYS, 20, at=30, ad_id="ad-1")
    assert player.tells(word.PAUSE, position, at=60, counts_ads=True).wrote[-1] == wrote


# -- what is remembered --------------------------------------------------------------------------------------------


def test_of_the_ids_at_the_latest_time_the_newest_are_remembered() -> None:
    session = ForeignSession("home", "film", "s")
    for number in range(MOST_IDS + 1):
        session.note(f"m{number}", 5)
    assert [session.told_before(f"m{number}") for number in (0, 1, MOST_IDS)] == [False, True, True]
    session.note("later", 6)
    assert (session.told_before("later"), session.told_before("m1")) == (True, False)


STATED = {"runtime_ms": 5, "autoplay": True, "ids": ("m",), "rate": 1.5}
OF_TYPE = {str: "x", int: 5, bool: True, type(None): "x"}


@pytest.mark.parametrize("name", SessionAtRest.__struct_fields__)
def test_each_field_of_a_session_is_in_its_place_at_rest(name: str) -> None:
    at_rest = SessionAtRest("home", "film", "s")
    at_rest = msgspec.structs.replace(at_rest, **{name: STATED.get(name, OF_TYPE.get(type(getattr(at_rest, name))))})
    session = session_of(at_rest)
    assert getattr(session, name) == getattr(at_rest, name)
    assert session.at_rest() == at_rest

"""What all live schemas share: whose household it is, what is remembered and forgotten, what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from models.rules import DEEPEST_NESTING
from models.sources.identities import Identities, field_reader
from models.sources.schemas import schemas
from models.sources.told import Rejected
from models.sources.translator import LARGEST_MESSAGE_BYTES, Translator

SEGMENT = schemas()["segment_video"]
SIX_PM_MS = 1_777_917_600_000


def _call(position: int = 0, at_s: int = 0, event: str = "Video Content Playing", **fields: Any) -> bytes:
    properties = {"session_id": "s", "asset_id": "film", "position": position} | fields.pop("properties", {})
    call = {"type": "track", "event": event, "messageId": f"m{at_s}", "userId": "home", "properties": properties}
    return json.dumps(call | {"timestamp": f"2026-05-04T18:{at_s // 60:02}:{at_s % 60:02}Z"} | fields).encode()


def _reason(translator: Translator, value: bytes | None) -> tuple[str, str]:
    with pytest.raises(Rejected) as found:
        translator.translate(value, SIX_PM_MS)
    return found.value.code, str(found.value)


# -- what is refused -----------------------------------------------------------------------------------------------


def test_a_tombstone_is_no_message() -> None:
    assert _reason(Translator(SEGMENT), None) == ("malformed", "the value is null")


@pytest.mark.parametrize("more", [0, 1])
def test_a_message_is_read_up_to_a_mebibyte(more: int) -> None:
    call = _call()
    value = call[:-1] + b" " * (LARGEST_MESSAGE_BYTES - len(call) + more) + b"}"
    if more:
        assert _reason(Translator(SEGMENT), value)[1] == "the value has 1048577 bytes, accepted are 1048576"
    else:
        assert Translator(SEGMENT).translate(value, SIX_PM_MS).events


@pytest.mark.parametrize("deeper", [0, 1])
def test_a_message_may_nest_as_deep_as_an_event(deeper: int) -> None:
    levels = DEEPEST_NESTING - 1 + deeper
    value = _call()[:-1] + b', "x": ' + b"[" * levels + b"]" * levels + b"}"
    if deeper:
        assert _reason(Translator(SEGMENT), value)[1] == "the value nests deeper than 500 levels"
    else:
        assert Translator(SEGMENT).translate(value, SIX_PM_MS).events


def test_what_is_refused_changes_nothing() -> None:
    translator = Translator(SEGMENT)
    for value in (b"{", _call(userId=None), _call(position=-5), _call(properties={"asset_id": ""})):
        _reason(translator, value)
    assert translator.drain() == {}


# -- households ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("userId", "home"),
        ("context.traits.household", "7"),
        ("/context/ip.v4", "10.0.0.1"),
        ("context", None),
        ("context.traits.household.x", None),
        ("nothing.at.all", None),
    ],
)
def test_a_field_is_read_by_its_path(path: str, found: str | None) -> None:
    read = field_reader(path)
    assert read is not None
    assert read(_call(context={"traits": {"household": 7}, "ip.v4": "10.0.0.1"})) == found


def test_an_empty_path_chooses_nothing() -> None:
    assert field_reader("") is None


def test_a_long_id_is_shortened_the_same_each_time() -> None:
    ids = {
        Translator(SEGMENT).translate(_call(userId="ü" * length), SIX_PM_MS).events[0].household_id
        for length in (64, 128, 129, 129, 130)
    }
    assert len(ids) == 4
    assert all(len(each.encode()) <= 256 for each in ids)


def test_the_household_of_a_user_is_looked_up() -> None:
    translator = Translator(SEGMENT, Identities(household_of={"home": "household-7"}.get))
    (event,) = translator.translate(_call(), SIX_PM_MS).events
    assert event.household_id == "household-7"
    assert _reason(translator, _call(userId="guest")) == ("no_household", "no household is known for 'guest'")


def test_a_session_keeps_its_household_when_an_older_message_of_it_comes() -> None:
    households = {"home": "household-7"}
    translator = Translator(SEGMENT, Identities(household_of=households.get))
    translator.translate(_call(60, at_s=60), SIX_PM_MS)
    households["home"] = "household-8"
    (event,) = translator.translate(_call(30, at_s=30), SIX_PM_MS).events
    assert event.household_id == "household-7"


# -- what is remembered --------------------------------------------------------------------------------------------


def test_only_what_changed_since_the_last_time_is_drained() -> None:
    translator = Translator(SEGMENT)
    translator.translate(_call(properties={"session_id": "a"}), SIX_PM_MS)
    translator.translate(_call(properties={"session_id": "b"}), SIX_PM_MS)
    assert [*translator.drain()] == ["home\x1fa", "home\x1fb"]
    translator.translate(_call(10, at_s=10, properties={"session_id": "b"}), SIX_PM_MS)
    assert [*translator.drain()] == ["home\x1fb"]
    assert translator.drain() == {}


@pytest.mark.parametrize(("before_ms", "forgotten"), [(-1, []), (0, []), (1, ["home\x1fs"])])
def test_a_session_is_forgotten_by_the_time_of_its_last_record(before_ms: int, forgotten: list[str]) -> None:
    translator = Translator(SEGMENT)
    translator.translate(_call(), SIX_PM_MS)
    translator.drain()
    translator.forget(SIX_PM_MS + before_ms)
    assert translator.drain() == dict.fromkeys(forgotten)
    assert len(translator.sessions) == 1 - len(forgotten)


def test_an_event_in_front_of_a_message_has_an_id_of_its_own() -> None:
    translator = Translator(schemas()["plex_webhook"])
    item = {"ratingKey": "film", "type": "movie"}
    for event, at_s, offset_ms in (("media.play", 0, 0), ("media.pause", 60, 180_000)):
        webhook = {"event": event, "Account": {"id": 1}, "Metadata": item | {"viewOffset": offset_ms}}
        found = translator.translate(json.dumps(webhook).encode(), SIX_PM_MS + at_s * 1000)
    assert [event.event_type for event in found.events] == ["seek", "pause"]
    assert found.events[0].event_id == f"{found.events[1].event_id}~1"


def test_two_titles_may_be_told_in_one_instant() -> None:
    translator = Translator(SEGMENT)
    for title in ("film", "sequel"):
        translator.translate(_call(properties={"asset_id": title}, messageId=title), SIX_PM_MS)
    assert [session.title_id for session in translator.sessions.values()] == ["sequel"]


# -- messages that name no session -----------------------------------------------------------------------------------


def _adobe(kind: str, at_s: float, visitor: str = "home") -> bytes:
    params = {"media.id": "film", "media.length": 5400, "analytics.visitorId": visitor}
    at = {"playhead": at_s, "ts": SIX_PM_MS + round(at_s * 1000)}
    return json.dumps({"eventType": kind, "playerTime": at, "params": params}).encode()


@pytest.mark.parametrize(
    ("last", "after_s", "is_gone"),
    [
        ("ping", 599.999, False),
        ("ping", 600, False),
        ("ping", 600.001, True),
        ("sessionEnd", 29.999, False),
        ("sessionEnd", 30, False),
        ("sessionEnd", 30.001, True),
    ],
)
def test_another_household_may_tell_when_the_one_before_is_gone(last: str, after_s: float, is_gone: bool) -> None:
    translator = Translator(schemas()["adobe_media_collection"])
    for kind, at_s in (("sessionStart", 0), ("play", 1), (last, 10)):
        translator.translate(_adobe(kind, at_s), SIX_PM_MS)
    opening = _adobe("sessionStart", 10 + after_s, "guest")
    if is_gone:
        assert translator.translate(opening, SIX_PM_MS).left_out == ["opening"]
    else:
        assert _reason(translator, opening)[0] == "no_session"
        assert _reason(translator, _adobe("ping", 10 + after_s + 1))[0] == "no_session"


def _plex(event: str, at_s: float, offset_s: float) -> tuple[bytes, int]:
    item = {"ratingKey": "film", "type": "movie", "viewOffset": round(offset_s * 1000)}
    webhook = {"event": event, "Account": {"id": 1}, "Player": {"uuid": "tv"}, "Metadata": item}
    return json.dumps(webhook).encode(), SIX_PM_MS + round(at_s * 1000)


def _sessions(*webhooks: tuple[bytes, int]) -> int:
    translator = Translator(schemas()["plex_webhook"])
    return len({event.play_session_id for each in webhooks for event in translator.translate(*each).events})


@pytest.mark.parametrize(("offset_s", "sessions"), [(99.999, 2), (100, 1), (100.001, 1)])
def test_a_start_from_before_the_position_is_another_session(offset_s: float, sessions: int) -> None:
    assert _sessions(_plex("media.play", 0, 100), _plex("media.play", 60, offset_s)) == sessions


@pytest.mark.parametrize(("hours", "sessions"), [(3.999, 1), (4, 1), (4.001, 2)])
def test_what_comes_more_than_four_hours_later_is_another_session(hours: float, sessions: int) -> None:
    assert _sessions(_plex("media.play", 0, 0), _plex("media.pause", hours * 3600, 60)) == sessions


def test_after_a_stop_another_session_begins() -> None:
    begun, stopped = _plex("media.play", 0, 0), _plex("media.stop", 60, 60)
    assert _sessions(begun, stopped, _plex("media.resume", 61, 60)) == 2
    assert _sessions(begun, stopped, _plex("media.play", 61, 60)) == 2

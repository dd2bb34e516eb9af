"""One evening as each live schema tells it (`told_evenings`), and what the rules count of it: what a person in the room
would say."""

from __future__ import annotations

import json
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from partition_log import Log
from playing import T0
from told_evenings import FILM, LENGTH_S, Message, Moment, the_evening, told

from models.sources.schemas import schemas
from models.sources.translator import Translator


def _counted(schema: str, messages: list[tuple[int, Message]]) -> Log:
    """A partition that has read the events of these messages."""
    translator, log = Translator(schemas()[schema]), Log()
    for unix_ms, message in messages:
        for event in translator.translate(json.dumps(message).encode(), unix_ms).events:
            at_s = (event.event_time_ms - T0) / 1000
            log.raw(at_s, event.household_id.encode(), msgspec.json.encode(event))
    return log


ONE_COMPLETION = {
    "plays": 1,
    "starters": 1,
    "viewers": 1,
    "watchers": 1,
    "completers": 1,
    "completions": 1,
    "rewatch_hist_1": 1,
}


@pytest.mark.parametrize("schema", schemas())
def test_the_evening_comes_out_as_a_person_in_the_room_would_say(schema: str) -> None:
    log = _counted(schema, told(schema, list(the_evening())))
    title = log.title()
    watched_ms, refused = title.pop("watched_ms"), {name for name in log.account() if name.startswith("refused")}
    assert (title, refused) == (ONE_COMPLETION, set())
    assert 1_199_000 <= watched_ms <= 1_201_000


@pytest.mark.parametrize("schema", schemas())
def test_the_evening_told_twice_counts_once(schema: str) -> None:
    messages = told(schema, list(the_evening()))
    twice = [each for message in messages for each in (message, message)]
    assert _counted(schema, twice).title() == _counted(schema, messages).title()


@pytest.mark.parametrize("schema", ["plex_webhook", "xapi_video", "segment_video", "snowplow_media"])
def test_a_film_between_two_messages_is_watched_whole(schema: str) -> None:
    log = _counted(schema, told(schema, list(FILM)))
    assert log.title() == ONE_COMPLETION | {"watched_ms": 5_400_000}


class Evening(NamedTuple):
    """Any evening: what happens, for how long it plays, and how often it jumps."""

    moments: list[Moment]
    played_s: int
    jumps: int


@st.composite
def evenings(draw: st.DrawFn) -> Evening:
    """Stretches that are played, and between them nothing, a pause, or a jump of a minute or more."""
    at_s = position_s = played_s = jumps = 0
    moments = [Moment(0, "start", 0)]
    for length_s, between, number in draw(
        st.lists(st.tuples(_STRETCHES, _BETWEEN, st.integers(1, LENGTH_S)), min_size=1)
    ):
        length_s = min(length_s, LENGTH_S - position_s)
        if not length_s:
            break
        moments += [Moment(at_s + s, "ping", position_s + s) for s in range(10, length_s, 10)]
        at_s, position_s, played_s = at_s + length_s, position_s + length_s, played_s + length_s
        if between == "pause":
            moments += [Moment(at_s, "pause", position_s)]
            moments += [Moment(at_s + s, "still", position_s) for s in range(10, number, 10)]
            at_s += number
            moments += [Moment(at_s, "play", position_s)]
        elif between == "jump" and abs(number - position_s) >= 60:
            moments += [Moment(at_s, "seek", number, from_s=position_s)]
            position_s, jumps = number, jumps + 1
    return Evening([*moments, Moment(at_s, "stop", position_s)], played_s, jumps)


_STRETCHES = st.integers(1, 400)
_BETWEEN = st.sampled_from(("nothing", "pause", "jump"))

TELLS_ORIGINS = {"segment_video", "xapi_video"}
"""Their seeks say where they came from. Of others a jump costs what was played since the last ping: up to 20 s,
as each stretch counts its own ten."""


@pytest.mark.parametrize("schema", schemas())
@settings(max_examples=60)
@given(evening=evenings())
def test_any_evening_is_credited_for_as_long_as_it_played(schema: str, evening: Evening) -> None:
    credited_s = _counted(schema, told(schema, evening.moments)).fold.credited_ms / 1000
    assert credited_s <= evening.played_s * 1.02 + 5
    if schema == "plex_webhook" and evening.jumps:
        return
    assert credited_s >= evening.played_s - (0 if schema in TELLS_ORIGINS else 20 * evening.jumps)


@pytest.mark.parametrize("schema", schemas())
def test_two_evenings_are_a_rewatch(schema: str) -> None:
    week = 7 * 86_400
    messages = [
        (unix_ms, json.loads(json.dumps(message).replace('"s"', f'"s{evening}"')))
        for evening in (0, 1)
        for unix_ms, message in told(schema, [at._replace(at_s=at.at_s + evening * week) for at in the_evening()])
    ]
    title = _counted(schema, messages).title()
    assert (title["plays"], title["completions"], title["rewatches"]) == (2, 2, 1)

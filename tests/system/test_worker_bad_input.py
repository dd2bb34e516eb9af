"""Bad input is set aside as it came, with the reason, and counted; the partition goes on, nothing else changes."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest
from application import Application, Record, until
from playback import DAY_MS, EVENING_MS, HOUR_MS, MINUTE_MS, event, whole_viewing

pytestmark = pytest.mark.system

HOUSEHOLDS = [f"household-{number}" for number in range(12)]
"""Enough of them for every partition to have some."""

NOW_MS = EVENING_MS + 11 * MINUTE_MS
TAKEN = object()


def good(**changed: Any) -> dict[str, Any]:
    """An event that would change every counter of `film`, but for what is changed in it; TAKEN: taken out."""
    made = event("stop", "bad", "film", NOW_MS, 590_000, play_session_id="bad") | changed
    return {name: value for name, value in made.items() if value is not TAKEN}


def value_of(**changed: Any) -> bytes:
    return json.dumps(good(**changed)).encode()


class Bad(NamedTuple):
    """A record that holds no event, and words of the reason that must be given."""

    key: bytes | None
    value: bytes | None
    reason: str


REQUIRED = (
    "event_id", "event_type", "event_time_ms", "household_id", "title_id", "play_session_id", "position_ms",
)  # fmt: skip

BAD = {
    "truncated JSON": Bad(b"bad", value_of()[:-7], "truncated"),
    "no JSON": Bad(b"bad", b"<event/>", "malformed"),
    "two objects": Bad(b"bad", value_of() * 2, "trailing"),
    "a list": Bad(b"bad", b"[]", "array"),
    "an empty value": Bad(b"bad", b"", "truncated"),
    "a null value": Bad(b"bad", None, "the value is null"),
    "a null key": Bad(None, value_of(), "the key is null"),
    "an empty key": Bad(b"", value_of(), "key"),
    "a key that differs": Bad(b"neighbour", value_of(), "the key differs from the field household_id"),
    "invalid UTF-8": Bad(b"bad", value_of(device_id="TV").replace(b"TV", b"\xff\xfe"), "utf-8"),
    "invalid UTF-8 in an unknown field": Bad(b"bad", value_of(more="TV").replace(b"TV", b"\xff\xfe"), "utf-8"),
    "a lone surrogate": Bad(b"bad", value_of(device_id="TV").replace(b"TV", b"\\ud800"), ""),
    "a float position": Bad(b"bad", value_of(position_ms=5.0), "position_ms"),
    "a text position": Bad(b"bad", value_of(position_ms="5"), "position_ms"),
    "a boolean position": Bad(b"bad", value_of(position_ms=True), "position_ms"),
    "a negative position": Bad(b"bad", value_of(position_ms=-1), "position_ms"),
    "an absurd position": Bad(b"bad", value_of(position_ms=604_800_001), "position_ms"),
    "a position beyond 64 bits": Bad(b"bad", value_of(position_ms=2**70), "position_ms"),
    "an absurd position to seek from": Bad(b"bad", value_of(seek_from_ms=2**40), "seek_from_ms"),
    "a numeric household": Bad(b"7", value_of(household_id=7), "household_id"),
    "an unlisted event type": Bad(b"bad", value_of(event_type="rewind"), "event_type"),
    "an unlisted content kind": Bad(b"bad", value_of(content_kind="advert"), "content_kind"),
    "an unlisted profile kind": Bad(b"bad", value_of(profile_kind="adult"), "profile_kind"),
    "a numeric flag": Bad(b"bad", value_of(autoplay=1), "autoplay"),
    "a textual rate": Bad(b"bad", value_of(playback_rate="fast"), "playback_rate"),
    "a rate that is no number": Bad(b"bad", value_of(playback_rate=float("nan")), "malformed"),
    "an empty title": Bad(b"bad", value_of(title_id=""), "title_id"),
    "an empty event id": Bad(b"bad", value_of(event_id=""), "event_id"),
    "a negative time": Bad(b"bad", value_of(event_time_ms=-1), "event_time_ms"),
    "a time after the year 9999": Bad(b"bad", value_of(event_time_ms=10**18), "event_time_ms"),
    "a time in the future": Bad(b"bad", value_of(event_time_ms=NOW_MS + 300_001), "300001 ms ahead"),
    "0.9 MB": Bad(b"bad", value_of(device_id="x" * 900_000), "accepted are 65536"),
    **{f"no {name}": Bad(b"bad", value_of(**{name: TAKEN}), name) for name in REQUIRED},
    **{f"null as {name}": Bad(b"bad", value_of(**{name: None}), name) for name in REQUIRED},
}


class Seen(NamedTuple):
    """What a worker made of all bad records, one after the other, between good ones."""

    application: Application
    places: dict[str, Any]
    before: dict[str, dict[str, str]]
    after: dict[str, dict[str, str]]
    dead_letters: dict[tuple[str, str], list[Record]]
    status: dict[str, str]


@pytest.fixture(scope="module")
def seen(module_env, tmp_path_factory):
    application = Application(module_env, tmp_path_factory.mktemp("bad"))
    try:
        yield look(application)
    finally:
        application.close()


def look(application: Application) -> Seen:
    application.load_titles({"title_id": "film", "runtime_ms": 600_000})
    worker = application.ready_worker()
    for household in HOUSEHOLDS:
        application.send([event("start", household, "film", EVENING_MS, 0, play_session_id="s")])
        application.send(
            [event("heartbeat", household, "film", EVENING_MS + HOUR_MS // 6, 600_000, play_session_id="s")]
        )
    application.send([event("start", "bad", "film", EVENING_MS, 0, play_session_id="bad")])
    before = until_counted(application, len(HOUSEHOLDS))
    sent = {name: application.produce(bad.key, bad.value, NOW_MS) for name, bad in BAD.items()}
    places = {name: future.get(30) for name, future in sent.items()}
    # As good as the others, but for what they lack: it is counted, after them.
    application.send([event("start", household, "control", NOW_MS, 0) for household in [*HOUSEHOLDS, "bad"]])
    application.until_checkpointed()
    dead_letters: dict[tuple[str, str], list[Record]] = {}
    for record in application.read(module_topic(application)):
        dead_letters.setdefault((record.headers["partition"], record.headers["offset"]), []).append(record)
    until(lambda: application.status()["dead_letters"] == str(len(BAD)), "the dead letters are counted")
    after = application.published()
    application.send(whole_viewing("bad", "film", NOW_MS + MINUTE_MS))
    until_counted(application, len(HOUSEHOLDS) + 1)
    assert worker.stopped().code == 0
    return Seen(application, places, before, after, dead_letters, application.status())


def module_topic(application: Application) -> str:
    return application.environment["ENCORE_DEAD_LETTERS_TOPIC"]


def until_counted(application: Application, plays: int) -> dict[str, dict[str, str]]:
    """What is published once all of it is there and may be trusted: a first round says `complete` 0 for a moment."""
    until(lambda: application.hash("title:film").get("completers") == str(plays), f"{plays} completers published")
    until(lambda: "0" not in said_complete(application.published()), "all of it is said to be complete")
    return application.published()


def said_complete(published: dict[str, dict[str, str]]) -> set[str]:
    return {fields["complete"] for fields in published.values() if "complete" in fields}


@pytest.mark.parametrize("name", BAD)
def test_a_record_that_is_no_event_is_set_aside_as_it_came_with_the_reason(seen: Seen, name: str) -> None:
    bad, place = BAD[name], seen.places[name]

    (letter,) = seen.dead_letters[str(place.partition), str(place.offset)]

    assert (letter.key, letter.value) == (bad.key, bad.value)
    assert letter.headers.keys() == {"topic", "topic_id", "partition", "offset", "error"}
    assert letter.headers["topic"] == place.topic
    assert letter.headers["error"]
    assert bad.reason.lower() in letter.headers["error"].lower()
    assert "\n" not in letter.headers["error"] and len(letter.headers["error"]) < 200


def test_nothing_but_bad_records_is_set_aside(seen: Seen) -> None:
    places = {(str(place.partition), str(place.offset)) for place in seen.places.values()}

    assert seen.dead_letters.keys() == places


def test_nothing_else_changes(seen: Seen) -> None:
    assert seen.after == seen.before


def test_every_record_is_counted_once_as_what_it_is(seen: Seen) -> None:
    counted = {name: int(seen.status[name]) for name in ("events", "dead_letters", "late_events")}

    assert counted == {
        "events": 2 * len(HOUSEHOLDS) + 1 + len(HOUSEHOLDS) + 1 + 11,
        "dead_letters": len(BAD),
        "late_events": 0,
    }
    assert sum(counted.values()) == seen.application.produced()


def test_the_recomputation_judges_every_record_alike(seen: Seen) -> None:
    assert seen.application.verify()["dead_letters"] == len(BAD)


def test_a_time_in_the_future_is_judged_by_the_record_and_at_its_limit_accepted(application: Application) -> None:
    application.ready_worker()
    for ahead_ms in (299_999, 300_000, 300_001):
        application.send([event("start", "home", "film", NOW_MS + ahead_ms, 0)], timestamp_ms=NOW_MS)

    application.until_checkpointed()
    application.verify()

    assert (application.status()["events"], application.status()["dead_letters"]) == ("2", "1")


def test_lateness_is_judged_by_the_stream_and_at_its_limit_accepted(application: Application) -> None:
    application.ready_worker()
    application.send([event("start", "home", "film", NOW_MS, 0)])
    for behind_ms in (30 * DAY_MS - 1, 30 * DAY_MS, 30 * DAY_MS + 1):
        application.send([event("start", "home", "film", NOW_MS - behind_ms, 0)], timestamp_ms=NOW_MS)

    application.until_checkpointed()
    application.verify()

    assert (application.status()["events"], application.status()["late_events"]) == ("3", "1")
    assert len(application.read(application.environment["ENCORE_LATE_TOPIC"])) == 1


def test_unknown_fields_and_nulls_in_optional_ones_are_no_reason(application: Application) -> None:
    optional = (
        "profile_id", "profile_kind", "device_id", "seq", "playback_rate", "seek_from_ms", "runtime_ms",
        "credits_start_ms", "time_zone", "country", "content_kind", "autoplay", "offline", "sent_time_ms",
    )  # fmt: skip
    more = {"more": {"nested": [1, None]}, "time_zone": "Mars/Olympus"}
    application.ready_worker()
    application.send(whole_viewing("home", "film", EVENING_MS, **dict.fromkeys(optional), more=1))
    application.send(whole_viewing("home", "film", EVENING_MS + HOUR_MS, **more))

    application.until_checkpointed()
    application.verify()

    status = application.status()
    assert (status["events"], status["dead_letters"], status["unknown_zone_events"]) == ("22", "0", "11")
    assert application.hash("title:film")["watched_s"] == "1200.000"

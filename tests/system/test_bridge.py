"""Bridges as their operator sees them: foreign topics in, counters in Redis out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from application import Application, until
from kafka import KafkaAdminClient
from monitored import ask, free_port, metrics
from told_evenings import TELLERS, the_evening, told

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

SCHEMAS = [*TELLERS, "mux_views"]


def tell(app: Application, topic: str, messages: list[tuple[int, Any]], key: bytes = b"s") -> None:
    for sent in [app.produce(key, json.dumps(message).encode(), at_ms, topic) for at_ms, message in messages]:
        sent.get(30)


def evening_in(schema: str) -> list[tuple[int, Any]]:
    """The evening, with a title of the schema's own."""
    return [
        (at_ms, json.loads(json.dumps(message).replace('"film"', f'"{schema}"')))
        for at_ms, message in told(schema, list(the_evening()))
    ]


def group_of(app: Application, schema: str, topic: str) -> str:
    return f"{app.app_id}-bridge-{schema}-{topic}"


def until_translated(app: Application, schema: str, topic: str) -> None:
    """Wait until all that is in the foreign topic now is committed."""
    lag = ("lag", "--at-most", "0", "--app-id", group_of(app, schema, topic), "--source-topic", topic)
    until(lambda: app.start(*lag).ended().code == 0, lambda: f"all is translated:\n{app.logs()}", 90)


def test_the_evening_comes_through_every_bridge_as_a_person_in_the_room_would_say(application: Application) -> None:
    worker = application.worker()
    bridges = []
    for schema in SCHEMAS:
        topic = application.make_topic(schema)
        tell(application, topic, evening_in(schema))
        bridges.append(application.start("bridge", schema, "--from", topic))

    def counted() -> dict[str, tuple[str, ...]]:
        hashes = {schema: application.hash(f"title:{schema}") for schema in SCHEMAS}
        return {
            schema: tuple(found.get(name, "") for name in ("plays", "completers", "completions", "rewatches"))
            for schema, found in hashes.items()
        }

    expected = dict.fromkeys(SCHEMAS, ("1", "1", "1", "0"))
    until(lambda: counted() == expected, lambda: f"{counted()}\n{application.logs()}", 200)
    watched_s = {schema: float(application.hash(f"title:{schema}")["watched_s"]) for schema in SCHEMAS}
    assert all(1199 <= watched <= 1201 for watched in watched_s.values()), watched_s
    assert [process.stopped().code for process in (*bridges, worker)] == [0] * (len(SCHEMAS) + 1)


def test_what_cannot_be_translated_is_a_dead_letter_with_its_place_and_reason(application: Application) -> None:
    users = application.make_topic("users", partitions=1, **{"cleanup.policy": "compact"})
    application.produce(b"home", b'{"household_id": "the house"}', 1, users).get(30)
    topic, story = application.make_topic("plays", partitions=1), evening_in("segment_video")
    stranger = (story[1][0], {**story[1][1], "userId": "stranger"})
    tell(application, topic, story[:1])
    application.produce(None, b"no JSON", story[0][0], topic).get(30)
    tell(application, topic, [stranger, *story[1:]])

    bridge = application.start("bridge", "segment_video", "--from", topic, "--bridge-households-topic", users)
    bridge.until_logged("restored:")
    until_translated(application, "segment_video", topic)
    events = application.read(application.environment["ENCORE_SOURCE_TOPIC"])
    letters = application.read(f"{group_of(application, 'segment_video', topic)}-dead-letters")

    assert [event.key for event in events] == [b"the house"] * len(story)
    assert [(each.headers["topic"], each.headers["offset"], each.headers["code"]) for each in letters] == [
        (topic, "1", "malformed"),
        (topic, "2", "no_household"),
    ]
    assert [each.value for each in letters] == [b"no JSON", json.dumps(stranger[1]).encode()]
    assert letters[1].headers["error"] == "no_household: no household is known for 'stranger'"
    own = f"{group_of(application, 'segment_video', topic)}-dead-letters"
    counted = application.start("dead-letters", "list", "--reasons", "--json", "--dead-letters-topic", own).ended()
    assert json.loads(counted.out) == {"malformed": 1, "no_household": 1}
    assert bridge.stopped().code == 0


def test_it_tells_how_it_is_and_what_it_has_done(application: Application) -> None:
    topic, port = application.make_topic("plays", partitions=1), free_port()
    tell(application, topic, [*evening_in("plex_webhook"), (1_777_917_600_000, {"event": "library.new"})])
    bridge = application.start("bridge", "plex_webhook", "--from", topic, ENCORE_METRICS_PORT=str(port))
    until(lambda: ask(port, "/startupz") == (200, "ok\n"), "it has started")
    until_translated(application, "plex_webhook", topic)

    until(lambda: metrics(port)["encore_bridge_consumed_records_total"] == 5, lambda: str(metrics(port)))
    assert (ask(port, "/livez"), ask(port, "/readyz")) == ((200, "ok\n"), (200, "ok\n"))
    told = metrics(port)
    assert told["encore_bridge_events_total"] == len(application.read(application.environment["ENCORE_SOURCE_TOPIC"]))
    assert (told["encore_bridge_left_out_records_total"], told["encore_bridge_lag_records"]) == (1, 0)
    assert bridge.stopped().code == 0


def test_a_foreign_topic_that_grows_ends_a_bridge_which_goes_on_when_it_is_started_again(
    application: Application,
) -> None:
    topic = application.make_topic("plays", partitions=1)
    ensured = application.start("topics", "ensure", "--bridge", f"segment_video={topic}").ended()
    assert f"made {group_of(application, 'segment_video', topic)}-state" in ensured.out
    bridge = application.start("bridge", "segment_video", "--from", topic)
    bridge.until_logged("restored:")
    with KafkaAdminClient(bootstrap_servers=application.environment["ENCORE_KAFKA"]) as admin:
        admin.create_partitions({topic: 2})
    failure = bridge.ended().failure()
    assert f"topic {topic} has 2 partitions by now, it had 1" in failure
    assert "start the bridge again" in failure

    again = application.start("bridge", "segment_video", "--from", topic)
    again.until_logged("restored:", times=2)
    assert again.stopped().code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("nobody", "--from", "plays"),
            "FORMAT nobody is not known; use one of adobe_media_collection, jellyfin_webhook",
        ),
        (("plex_webhook", "--from", "events"), "--from events: this is the topic of playback events"),
        (("plex_webhook", "--from", "x" * 220), "accepted: at most 249 characters"),
    ],
)
def test_what_it_cannot_translate_at_all_is_one_line(
    arguments: tuple[str, ...], words: str, application: Application
) -> None:
    ended = application.start("bridge", *arguments, ENCORE_SOURCE_TOPIC="events").ended()
    assert (ended.code, words in ended.log, len(ended.log.splitlines())) == (2, True, 1), ended.log

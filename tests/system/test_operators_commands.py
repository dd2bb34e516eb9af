"""What an operator asks of an application on real servers: topics, how far it is behind, what is wrong or set aside."""

from __future__ import annotations

import json
from typing import Any

import pytest
from application import Application, Ended, until
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from playback import EVENING_MS, whole_viewing

from models import FORM

pytestmark = pytest.mark.system

NOBODY = "127.0.0.1:1"


def run(application: Application, *arguments: str, **settings: str) -> Ended:
    return application.start(*arguments, **settings).ended(60)


def lines(ended: Ended) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ended.out.splitlines()]


def findings(application: Application, **settings: str) -> tuple[int, dict[str, dict[str, str]]]:
    """The doctor's exit code, and its findings by what they are of."""
    ended = run(application, "doctor", "--json", **settings)
    return ended.code, {finding.pop("what").replace(application.app_id, "APP"): finding for finding in lines(ended)}


# -- topics and lag -----------------------------------------------------------------------------------------------


def test_topics_are_made_once(application: Application) -> None:
    first, second = run(application, "topics", "ensure"), run(application, "topics", "ensure")
    names = ("state", "titles", "erasures", "milestones", "dead-letters", "late")
    assert (first.code, set(first.out.splitlines())) == (0, {f"made {application.app_id}-{name}" for name in names})
    assert (second.code, second.out) == (0, "all topics are there\n")


def test_lag_says_what_waits_in_each_partition_and_how_old_it_is(application: Application) -> None:
    run(application, "topics", "ensure")
    viewing = list(whole_viewing("home", "Paper Boats", EVENING_MS))
    application.send(viewing)
    until(lambda: application.produced() == len(viewing), "all is sent")
    ended = run(application, "lag", "--json", "--at-most", "0")
    (found,) = lines(ended)
    assert (ended.code, found["records"], found["workers"]) == (1, len(viewing), 0)
    waiting = [partition for partition in found["partitions"] if partition["records"]]
    assert [(each["committed"], each["records"], each["behind_s"] > 1e6) for each in waiting] == [
        (None, len(viewing), True)
    ]
    application.ready_worker()
    until(lambda: run(application, "lag", "--at-most", "0").code == 0, "nothing waits")
    shown = run(application, "lag").out
    assert ("1 worker in the group" in shown, "never" in shown) == (True, True)


@pytest.mark.parametrize("command", [["lag"], ["topics", "ensure"], ["dead-letters", "list"]])
def test_a_kafka_that_is_not_there_is_one_line(command: list[str], application: Application) -> None:
    ended = run(application, *command, ENCORE_KAFKA=NOBODY)
    (line,) = ended.log.strip().splitlines()
    assert (ended.code, ended.out, NOBODY in line) == (1, "", True)


# -- dead letters -------------------------------------------------------------------------------------------------


def test_dead_letters_are_listed_and_sent_again_as_they_were(application: Application) -> None:
    application.ready_worker()
    application.produce(b"home", b'{"event_id": "\x1b[31m', EVENING_MS).get(30)
    application.produce(None, b"\xff", EVENING_MS).get(30)
    application.until_checkpointed()
    found = lines(run(application, "dead-letters", "list", "--json"))
    topic = application.environment["ENCORE_SOURCE_TOPIC"]
    assert sorted((each["topic"], each["key"], each["value"], each["is_cut"]) for each in found if each["key"]) == [
        (topic, "home", '{"event_id": "\x1b[31m', False)
    ]
    assert len(found) == 2
    shown = run(application, "dead-letters", "list", "--last", "1")
    assert ("\x1b" in shown.out, "2 dead letters in" in shown.log) == (False, True)
    reasons = json.loads(run(application, "dead-letters", "list", "--reasons", "--json").out)
    assert sum(reasons.values()) == 2
    asked = run(application, "dead-letters", "replay")
    assert (asked.code, "say --yes" in asked.log) == (1, True)
    sent = run(application, "dead-letters", "replay", "--yes", "--error", found[0]["error"])
    assert sent.out == f"1 sent to {topic}\n"
    until(lambda: len(lines(run(application, "dead-letters", "list", "--json"))) == 3, "it was set aside again")
    again = lines(run(application, "dead-letters", "list", "--json", "--error", found[0]["error"]))
    assert again[0]["value"] == again[1]["value"]
    assert run(application, "dead-letters", "replay", "--error", "no such words").out.startswith("no dead letters")


# -- the doctor ---------------------------------------------------------------------------------------------------


def test_the_doctor_finds_a_working_application_well(application: Application) -> None:
    code, before = findings(application)
    assert (code, before["topic APP-state"]["level"]) == (0, "odd")
    assert "encore topics ensure" in before["topic APP-state"]["advice"]
    application.ready_worker()
    application.send(whole_viewing("home", "Paper Boats", EVENING_MS), timestamp_ms=None)
    application.until_checkpointed()
    until(lambda: findings(application)[1]["keys under APP:"]["level"] == "ok", "all is published")
    source = application.environment["ENCORE_SOURCE_TOPIC"]
    code, found = findings(application)
    odd = [finding["advice"] for finding in found.values() if finding["level"] == "odd"]
    assert (code, len(odd)) == (0, 1)
    assert f"--entity-name {source} --add-config message.timestamp.type=LogAppendTime" in odd[0]

    with KafkaAdminClient(bootstrap_servers=application.environment["ENCORE_KAFKA"]) as admin:
        stamped = {"message.timestamp.type": "LogAppendTime"}
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, source, stamped)])
    code, found = findings(application)
    assert (code, {finding["level"] for finding in found.values()}) == (0, {"ok"})
    assert found["rules"]["found"] == FORM


def test_the_doctor_says_what_is_wrong_with_the_newest_events_and_names_nobody(application: Application) -> None:
    run(application, "topics", "ensure")
    viewing = list(whole_viewing("home", "Paper Boats", EVENING_MS))
    in_seconds = [each | {"position_ms": each["position_ms"] // 1_000} for each in viewing]
    place = application.send(in_seconds)[0]
    application.load_titles({"title_id": "Paper Boats", "runtime_ms": 600_000})
    code, found = findings(application)
    said = {what.partition(": ")[2]: finding for what, finding in found.items() if what.startswith("events in ")}
    example = f"100.0% of the newest 11 events, for example partition {place.partition}, offset {place.offset}"
    assert (code, {what: (each["level"], each["found"]) for what, each in said.items()}) == (
        1,
        {"positions in seconds": ("wrong", example), "short titles without credits_start_ms": ("odd", example)},
    )
    assert "multiply by 1,000" in said["positions in seconds"]["advice"]
    assert not [name for name in ("home", "Paper Boats") if name in json.dumps(said)]


def test_the_doctor_says_how_to_mend_a_topic_that_forgets(application: Application) -> None:
    run(application, "topics", "ensure")
    late = application.environment["ENCORE_LATE_TOPIC"]
    with KafkaAdminClient(bootstrap_servers=application.environment["ENCORE_KAFKA"]) as admin:
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, late, {"retention.ms": "1000"})])
    code, found = findings(application)
    assert (code, found["topic APP-late"]["level"]) == (1, "wrong")
    assert f"--entity-name {late} --add-config retention.ms=-1" in found["topic APP-late"]["advice"]


def test_the_doctor_names_the_setting_of_a_server_that_is_not_there(application: Application) -> None:
    code, found = findings(application, ENCORE_KAFKA=NOBODY, ENCORE_REDIS=f"redis://:secret@{NOBODY}/0")
    assert (code, found["Kafka"]["level"], found["Redis"]["level"]) == (1, "wrong", "wrong")
    assert ("ENCORE_KAFKA" in found["Kafka"]["advice"], "ENCORE_REDIS" in found["Redis"]["advice"]) == (True, True)
    assert "secret" not in json.dumps(found)

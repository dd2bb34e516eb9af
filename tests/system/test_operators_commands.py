"""What an operator asks of an application on real servers: topics, how far it is behind, what is wrong or set aside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from application import Application, Ended, until
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from playback import EVENING_MS, whole_viewing

pytestmark = pytest.mark.system

NOBODY = "127.0.0.1:1"
VIEWING = list(whole_viewing("home", "Paper Boats", EVENING_MS))


def run(application: Application, *arguments: str, **settings: str) -> Ended:
    return application.start(*arguments, **settings).ended(60)


def lines(ended: Ended) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ended.out.splitlines()]


def alter(application: Application, topic: str, **options: str) -> None:
    """Set options of one of the application's topics."""
    with KafkaAdminClient(bootstrap_servers=application.environment["ENCORE_KAFKA"]) as admin:
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, options)])


def findings(application: Application) -> tuple[int, dict[str, dict[str, str]]]:
    """The doctor's exit code, and its findings by what they are of."""
    return found_by(application, run(application, "doctor", "--json"))


def found_by(application: Application, ended: Ended) -> tuple[int, dict[str, dict[str, str]]]:
    return ended.code, {finding.pop("what").replace(application.app_id, "APP"): finding for finding in lines(ended)}


# -- before the first worker --------------------------------------------------------------------------------------


def test_topics_are_made_once_and_the_doctor_misses_them_before(application: Application) -> None:
    code, before = findings(application)
    first, second = run(application, "topics", "ensure"), run(application, "topics", "ensure")

    assert (code, before["topic APP-state"]["level"]) == (0, "odd")
    assert "encore topics ensure" in before["topic APP-state"]["advice"]
    names = ("state", "titles", "erasures", "milestones", "dead-letters", "late")
    assert (first.code, set(first.out.splitlines())) == (0, {f"made {application.app_id}-{name}" for name in names})
    assert (second.code, second.out) == (0, "all topics are there\n")


@pytest.fixture(scope="module")
def waiting(module_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """An application without a worker: a viewing waits whose positions are in seconds, and a topic forgets."""
    application = Application(module_env, tmp_path_factory.mktemp("waiting"))
    run(application, "topics", "ensure")
    application.load_titles({"title_id": "Paper Boats", "runtime_ms": 600_000})
    application.send([each | {"position_ms": each["position_ms"] // 1_000} for each in VIEWING])
    alter(application, module_env["ENCORE_LATE_TOPIC"], **{"retention.ms": "1000"})
    alter(application, application.state_topic, **{"max.message.bytes": "1048587"})
    yield application
    application.close()


def test_lag_says_what_waits_in_each_partition_and_how_old_it_is(waiting: Application) -> None:
    ended = run(waiting, "lag", "--json", "--at-most", "0")

    (found,) = lines(ended)
    assert (ended.code, found["records"], found["workers"]) == (1, len(VIEWING), 0)
    (behind,) = [partition for partition in found["partitions"] if partition["records"]]
    assert (behind["committed"], behind["records"], behind["behind_s"] > 1e6) == (None, len(VIEWING), True)


def test_the_doctor_says_what_is_wrong_with_topics_and_with_the_newest_events_and_names_nobody(
    waiting: Application,
) -> None:
    code, found = findings(waiting)

    late = waiting.environment["ENCORE_LATE_TOPIC"]
    assert (code, found["topic APP-late"]["level"]) == (1, "wrong")
    assert f"--entity-name {late} --add-config retention.ms=-1" in found["topic APP-late"]["advice"]
    state = found["topic APP-state"]
    assert (state["level"], "max.message.bytes=1048587: a partition stops" in state["found"]) == ("odd", True)
    assert f"--entity-name {waiting.state_topic} --add-config max.message.bytes=1048588" in state["advice"]
    of_events = {what.partition(": ")[2]: each for what, each in found.items() if what.startswith("events in ")}
    (first,) = [record for record in waiting.read(waiting.environment["ENCORE_SOURCE_TOPIC"]) if record.offset == 0]
    example = f"100.0% of the newest {len(VIEWING)} events, for example partition {first.partition}, offset 0"
    assert {what: (each["level"], each["found"]) for what, each in of_events.items()} == {
        "positions in seconds": ("wrong", example),
        "short titles without credits_start_ms": ("odd", example),
    }
    assert "multiply by 1,000" in of_events["positions in seconds"]["advice"]
    assert not [name for name in ("home", "Paper Boats") if name in json.dumps([*of_events.values()])]


def test_a_server_that_is_not_there_is_one_line_of_a_command_and_a_finding_of_the_doctor(
    application: Application,
) -> None:
    commands = (["lag"], ["topics", "ensure"], ["dead-letters", "list"])
    asking = [application.start(*command, ENCORE_KAFKA=NOBODY) for command in commands]
    nobody = {"ENCORE_KAFKA": NOBODY, "ENCORE_REDIS": f"redis://:secret@{NOBODY}/0"}
    doctor = application.start("doctor", "--json", **nobody)

    for command in asking:
        ended = command.ended()
        (line,) = ended.log.strip().splitlines()
        assert (ended.code, ended.out, NOBODY in line) == (1, "", True), ended
    code, found = found_by(application, doctor.ended())
    assert (code, found["Kafka"]["level"], found["Redis"]["level"]) == (1, "wrong", "wrong")
    assert ("ENCORE_KAFKA" in found["Kafka"]["advice"], "ENCORE_REDIS" in found["Redis"]["advice"]) == (True, True)
    assert "secret" not in json.dumps(found)


# -- at work ------------------------------------------------------------------------------------------------------


def test_of_a_working_application_nothing_waits_and_the_doctor_finds_it_well(application: Application) -> None:
    worker = application.ready_worker()
    application.send(VIEWING)
    application.until_checkpointed()
    until(lambda: application.status().get("complete") == "1", "all is published")
    # The group's position follows the state's; until then these old records wait for years, and the doctor says so.
    until(lambda: run(application, "lag", "--at-most", "0").code == 0, "nothing waits")
    source = application.environment["ENCORE_SOURCE_TOPIC"]

    code, found = findings(application)
    odd = {what: finding["advice"] for what, finding in found.items() if finding["level"] != "ok"}
    assert (code, list(odd)) == (0, [f"topic {source}".replace(application.app_id, "APP")])
    assert f"--entity-name {source} --add-config message.timestamp.type=LogAppendTime" in "".join(odd.values())
    alter(application, source, **{"message.timestamp.type": "LogAppendTime"})
    code, found = findings(application)
    assert (code, {finding["level"] for finding in found.values()}) == (0, {"ok"})
    assert f"rules: {found['rules']['found']}" in worker.log
    shown = run(application, "lag").out
    assert ("1 worker in the group" in shown, "never" in shown) == (True, True)


def test_dead_letters_are_listed_and_sent_again_as_they_were(application: Application) -> None:
    application.ready_worker()
    application.produce(b"home", b'{"event_id": "\x1b[31m', EVENING_MS).get(30)
    application.produce(None, b"\xff", EVENING_MS).get(30)
    application.until_checkpointed()

    found = lines(run(application, "dead-letters", "list", "--json"))
    topic = application.environment["ENCORE_SOURCE_TOPIC"]
    assert [(each["topic"], each["key"], each["value"], each["is_cut"]) for each in found if each["key"]] == [
        (topic, "home", '{"event_id": "\x1b[31m', False)
    ]
    assert len(found) == 2
    shown = run(application, "dead-letters", "list", "--last", "1")
    assert ("\x1b" in shown.out, "2 dead letters in" in shown.log) == (False, True)
    reasons = json.loads(run(application, "dead-letters", "list", "--reasons", "--json").out)
    assert reasons == {"not_json": 1, "not_utf8": 1}

    asked = run(application, "dead-letters", "replay")
    assert (asked.code, "confirm with --yes" in asked.log) == (1, True)
    sent = run(application, "dead-letters", "replay", "--yes", "--error", found[0]["error"])
    assert sent.out == f"1 sent to {topic}\n"
    application.until_checkpointed()
    assert len(application.read(application.environment["ENCORE_DEAD_LETTERS_TOPIC"])) == 3, "it was set aside again"
    again = lines(run(application, "dead-letters", "list", "--json", "--error", found[0]["error"]))
    assert [each["value"] for each in again] == [found[0]["value"]] * 2
    assert run(application, "dead-letters", "replay", "--error", "no such words").out.startswith("no dead letters")


def test_what_was_sent_again_is_not_sent_a_second_time(application: Application) -> None:
    application.ready_worker()
    application.produce(b"home", b"{", EVENING_MS).get(30)
    application.until_checkpointed()
    topic = application.environment["ENCORE_SOURCE_TOPIC"]
    assert run(application, "dead-letters", "replay", "--yes").out == f"1 sent to {topic}\n"
    application.until_checkpointed()

    # The record itself was sent; that it cannot be read still is a dead letter of its own.
    once_more = run(application, "dead-letters", "replay", "--yes", "--error", "not_json")
    assert once_more.out == f"1 sent to {topic}; 1 were sent before (--again sends them too)\n"
    application.until_checkpointed()
    assert len(application.read(application.environment["ENCORE_DEAD_LETTERS_TOPIC"])) == 3
    assert run(application, "dead-letters", "replay", "--yes", "--again").out == f"3 sent to {topic}\n"

"""What a worker refuses before it touches anything, and what it waits for: one line that says what to do."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest
from application import Application, Ended
from kafka import KafkaAdminClient, TopicPartition
from playback import EVENING_MS, whole_viewing

pytestmark = pytest.mark.system

NOBODY = "127.0.0.1:1"


def one_line(ended: Ended) -> str:
    """The one line that a refused command wrote."""
    (line,) = ended.log.strip().splitlines()
    assert ended.out == ""
    return line


# -- bad settings -----------------------------------------------------------------------------------------------


# What else is refused, tests/unit/cli/test_bad_settings.py says.
def test_a_bad_setting_is_one_line_with_its_name_value_and_what_is_accepted(tmp_path) -> None:
    application = Application({"ENCORE_REDIS": f"redis://{NOBODY}"}, tmp_path)

    ended = application.worker(ENCORE_CHECKPOINT_S="0").ended()

    assert ended.code == 2
    assert all(words in one_line(ended) for words in ("ENCORE_CHECKPOINT_S='0'", "greater than or equal to 0.05"))


# -- servers that are not there ---------------------------------------------------------------------------------


def test_servers_that_never_answer_are_tried_again_and_then_given_up_and_no_password_is_logged(
    application: Application,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        accepts_and_says_nothing = f"127.0.0.1:{mute.getsockname()[1]}"
        missing = [
            ("ENCORE_KAFKA", NOBODY, NOBODY),
            ("ENCORE_REDIS", f"redis://{NOBODY}/0", f"redis://{NOBODY}/0"),
            ("ENCORE_REDIS", f"redis://:secret@{accepts_and_says_nothing}", f"redis://***@{accepts_and_says_nothing}"),
        ]
        begun = time.monotonic()
        workers = [
            application.worker(**{setting: address, "ENCORE_STARTUP_TIMEOUT_S": "5"}) for setting, address, _ in missing
        ]
        ended = [worker.ended() for worker in workers]

    assert 5 < time.monotonic() - begun < 60
    for (setting, _, told), end in zip(missing, ended, strict=True):
        # Of what accepts and says nothing that is known only once the time is over.
        assert f"{setting}={told} does not answer, tried again" in end.log or NOBODY not in told, end.log
        assert f"{setting}={told}: not reachable for 5 s (ENCORE_STARTUP_TIMEOUT_S)" in end.failure()
        assert "secret" not in end.log


def test_a_worker_that_waits_for_servers_ends_at_sigterm(application: Application) -> None:
    worker = application.worker(ENCORE_KAFKA=NOBODY)
    worker.until_logged("does not answer, tried again")

    assert worker.stopped().code == 0


# -- a state that does not fit ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def counted(module_env, tmp_path_factory) -> Iterator[Application]:
    """An application whose worker counted one viewing and ended in order.

    The tests below take it further and further from what it was, in their order; none mends what another broke.
    """
    application = Application(module_env, tmp_path_factory.mktemp("counted"))
    worker = application.ready_worker()
    application.send(whole_viewing("home", "film", EVENING_MS, runtime_ms=600_000))
    application.until_checkpointed()
    assert worker.stopped().code == 0
    yield application
    application.close()


def test_changed_rule_settings_are_refused_and_the_state_stays_as_it_was(counted: Application) -> None:
    before = (counted.read(counted.state_topic), counted.published())

    line = counted.worker(ENCORE_COMPLETION_PERCENT="90").ended().failure()

    assert "computed with other rule settings" in line
    assert "run `encore rebuild`" in line
    assert (counted.read(counted.state_topic), counted.published()) == before


def test_a_prefix_under_which_another_application_publishes_is_refused(counted: Application) -> None:
    before = counted.published()

    line = counted.worker(ENCORE_APP_ID=f"{counted.app_id}-other").ended().failure()

    assert f"ENCORE_REDIS_PREFIX='{counted.environment['ENCORE_REDIS_PREFIX']}'" in line
    assert counted.app_id in line and "choose another prefix" in line
    assert counted.published() == before


def test_records_that_are_gone_before_they_were_counted_are_refused(counted: Application) -> None:
    counted.send(whole_viewing("home", "film", EVENING_MS + 3_600_000))
    (place, *_) = counted.send(whole_viewing("home", "film", EVENING_MS + 7_200_000))
    with KafkaAdminClient(bootstrap_servers=counted.environment["ENCORE_KAFKA"]) as admin:
        admin.delete_records({TopicPartition(place.topic, place.partition): place.offset})

    line = counted.worker().ended().failure()

    assert "the records between are gone" in line
    assert "run `encore rebuild`" in line


def test_another_partition_count_is_refused(counted: Application) -> None:
    with KafkaAdminClient(bootstrap_servers=counted.environment["ENCORE_KAFKA"]) as admin:
        admin.create_partitions({counted.environment["ENCORE_SOURCE_TOPIC"]: 6})

    line = counted.worker().ended().failure()

    assert "has 4 partitions" in line and "has 6" in line
    assert "run `encore repartition" in line


def test_a_source_topic_that_was_made_anew_is_refused(counted: Application) -> None:
    topic = counted.environment["ENCORE_SOURCE_TOPIC"]
    with KafkaAdminClient(bootstrap_servers=counted.environment["ENCORE_KAFKA"]) as admin:
        admin.delete_topics([topic])
        deadline = time.monotonic() + 15
        while topic in admin.list_topics() and time.monotonic() < deadline:
            time.sleep(0.1)
        admin.create_topics({topic: {"num_partitions": 4, "replication_factor": 1}}, wait_for_metadata=True)

    line = counted.worker().ended().failure()

    assert "the source topic's id" in line
    assert "run `encore rebuild`" in line

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

BAD_SETTINGS = [
    ("ENCORE_KAFKA", "localhost", "accepted: HOST:PORT"),
    ("ENCORE_REDIS", "localhost:6379", "accepted: a URL such as redis://HOST:PORT/0"),
    ("ENCORE_APP_ID", "my app", "accepted: 1 to 200 of the characters A-Z a-z 0-9 . _ -"),
    ("ENCORE_SOURCE_TOPIC", "", "accepted: 1 to 200 of the characters"),
    ("ENCORE_REDIS_PREFIX", "", "at least 1 character"),
    ("ENCORE_CHECKPOINT_S", "0", "greater than or equal to 0.05"),
    ("ENCORE_CHECKPOINT_S", "soon", "a valid number"),
    ("ENCORE_SESSION_TIMEOUT_S", "5", "greater than or equal to 6"),
    ("ENCORE_COMPLETION_PERCENT", "101", "less than or equal to 100"),
    ("ENCORE_STARTER_S", "2.5", "a valid integer"),
    ("ENCORE_LOG_LEVEL", "loud", "debug|info|warning|error"),
    ("ENCORE_DAY_RETENTION_DAYS", "59", "more than the grace_days and the 28 days in which a household may return, 59"),
    ("ENCORE_FORGET_DAYS", "31", "more than the grace_days"),
    (
        "ENCORE_AGE_RETENTION_DAYS",
        "787",
        "more than the days of 104 weeks, the grace_days and the 28 days in which a household may return, 787",
    ),
]


@pytest.mark.parametrize(("name", "value", "accepted"), BAD_SETTINGS, ids=lambda part: str(part)[:30])
def test_a_bad_setting_is_one_line_with_its_name_value_and_what_is_accepted(
    tmp_path, name: str, value: str, accepted: str
) -> None:
    application = Application({"ENCORE_REDIS": f"redis://{NOBODY}"}, tmp_path)
    more = {"ENCORE_GRACE_DAYS": "31"} if "grace_days" in accepted else {}

    ended = application.worker(**more, **{name: value}).ended()

    assert ended.code == 2
    line = one_line(ended)
    assert name in line and accepted in line
    assert value in line


def test_a_bad_option_is_refused_like_the_setting(tmp_path) -> None:
    application = Application({"ENCORE_REDIS": f"redis://{NOBODY}"}, tmp_path)

    ended = application.worker("--checkpoint-s", "-1").ended()

    assert ended.code == 2
    assert all(words in one_line(ended) for words in ("CHECKPOINT_S", "-1", "0.05"))


def test_an_option_overrides_the_environment(tmp_path) -> None:
    application = Application({"ENCORE_REDIS": f"redis://{NOBODY}"}, tmp_path)

    ended = application.worker("--kafka", "nowhere", ENCORE_KAFKA=NOBODY).ended()

    assert (ended.code, "nowhere" in one_line(ended)) == (2, True)


# -- servers that are not there ---------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["ENCORE_KAFKA", "ENCORE_REDIS"])
def test_a_server_that_never_answers_is_tried_again_and_then_given_up(application: Application, missing: str) -> None:
    address = NOBODY if missing == "ENCORE_KAFKA" else f"redis://{NOBODY}/0"
    begun = time.monotonic()

    ended = application.worker(**{missing: address, "ENCORE_STARTUP_TIMEOUT_S": "5"}).ended()

    assert 5 < time.monotonic() - begun < 30
    tried = [line for line in ended.log.splitlines() if f"{missing}={address} does not answer, tried again" in line]
    assert tried
    line = ended.failure()
    assert f"{missing}={address}" in line and "5 s (ENCORE_STARTUP_TIMEOUT_S)" in line


def test_a_port_that_accepts_and_says_nothing_is_no_server_and_passwords_are_not_logged(
    application: Application,
) -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        address = f"127.0.0.1:{mute.getsockname()[1]}"

        ended = application.worker(ENCORE_REDIS=f"redis://:secret@{address}", ENCORE_STARTUP_TIMEOUT_S="4").ended()

    assert f"ENCORE_REDIS=redis://***@{address}: not reachable for 4 s" in ended.failure()
    assert "secret" not in ended.log


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
    line = counted.worker(ENCORE_COMPLETION_PERCENT="90").ended().failure()

    assert "the rule settings of the state" in line
    assert "run `encore rebuild`" in line
    worker = counted.ready_worker()
    counted.verify()
    assert worker.stopped().code == 0


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
    assert "run `encore rebuild`" in line


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

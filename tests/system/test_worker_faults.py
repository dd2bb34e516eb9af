"""Workers and servers come and go while events flow: what an operator sees of it, and every counter is exact.

That it is exact after every fault is the campaign's to show (`tests/faults`). Here is what that does not look at.
Exactness is `encore verify`: an independent recomputation of the raw topic equals all that was published, and
events + dead letters + late events are the records produced, so nothing was lost or applied twice.
"""

from __future__ import annotations

import signal
import time

import pytest
from application import Application, Process, until

pytestmark = pytest.mark.system

RATE = 200


def under_way(application: Application, feed: Process, records: int = 200) -> None:
    """Wait until so many records of the feed are checkpointed."""
    until(
        lambda: application.checkpointed() >= records or feed.popen.poll() is not None,
        "events flow and are checkpointed",
    )
    assert feed.popen.poll() in (None, 0), feed.log


def verified(application: Application, *feeds: Process) -> None:
    """Wait for the feeds' ends; then everything must verify, each record having been counted once."""
    for feed in feeds:
        assert feed.ended().code == 0, feed.log
    answer = application.verify()
    status = application.status()
    counted = [int(status[name]) for name in ("events", "dead_letters", "late_events")]
    assert sum(counted) == answer["produced"] == application.produced() > 0
    assert status["complete"] == "1"


# -- Redis ------------------------------------------------------------------------------------------------------


def test_a_hash_is_not_complete_until_all_partitions_are_published_again(on_private_redis, private_redis) -> None:
    application = on_private_redis
    feed = application.feed(RATE, 2)
    worker = application.ready_worker()
    verified(application, feed)
    before = application.published()
    versions = {name: int(application.hash(name)["version"]) for name in before}
    worker.signal(signal.SIGSTOP)

    application.redis.flushall()
    worker.signal(signal.SIGCONT)

    until(lambda: application.published() == before, "everything is published again")
    application.verify()
    assert all(int(application.hash(name)["version"]) > version for name, version in versions.items())
    assert worker.count("Redis lost its data") == 1


# -- workers come, go and die -----------------------------------------------------------------------------------


def test_a_second_worker_joins_and_leaves_while_events_flow(application: Application) -> None:
    session_timeout_s = 20.0
    patient = {"ENCORE_SESSION_TIMEOUT_S": str(session_timeout_s)}
    first = application.ready_worker(**patient)
    feed = application.feed(RATE, 24 * 3600)
    second = application.ready_worker(partitions=2, **patient)
    under_way(application, feed, application.checkpointed() + RATE)
    assert application.members() == 2

    begun = time.monotonic()
    assert second.stopped().code == 0
    first.until_logged("assigned partitions [0, 1, 2, 3]", times=2)

    assert time.monotonic() - begun < session_timeout_s / 2, "it did not leave the group, it was missed"
    assert feed.stopped().code == 0, feed.log
    verified(application, feed)


def test_sigterm_leaves_nothing_to_wait_for(application: Application) -> None:
    feed = application.feed(RATE, 2)
    worker = application.ready_worker(ENCORE_CHECKPOINT_S="60", ENCORE_PUBLISH_S="60")
    assert feed.ended().code == 0
    time.sleep(1)

    begun = time.monotonic()
    ended = worker.stopped()

    assert (ended.code, ended.log.splitlines()[-1].endswith("worker ended")) == (0, True)
    assert time.monotonic() - begun < 10
    assert application.members() == 0
    # Without any wait: what was consumed is checkpointed and published.
    assert application.verify(wait_s=0)["produced"] == application.checkpointed()


@pytest.mark.parametrize("moment", ["assigned partitions [", "restored:"])
def test_sigterm_while_partitions_are_being_opened_ends_in_order_too(application: Application, moment: str) -> None:
    for _ in range(3):
        worker = application.worker()
        worker.until_logged(moment)

        ended = worker.stopped()

        assert (ended.code, ended.log.splitlines()[-1].endswith("worker ended")) == (0, True), ended.log


# -- Kafka ------------------------------------------------------------------------------------------------------


def test_servers_that_come_up_late_are_waited_for_and_a_kafka_that_restarts_costs_no_record(
    private_servers, env_on, application_of
) -> None:
    # A broker's start takes 5 s alone and was seen to take 30 s beside other tests.
    patient = env_on(private_servers) | {"ENCORE_STARTUP_TIMEOUT_S": "120"}
    application, kafka = application_of(patient), private_servers.kafka_server
    before = application.feed(RATE, 2)
    assert before.ended().code == 0
    kafka.stop()
    private_servers.redis_server.stop()

    worker = application.worker()
    worker.until_logged(f"ENCORE_KAFKA={private_servers.kafka} does not answer, tried again")
    kafka.start()
    worker.until_logged(f"ENCORE_REDIS={private_servers.redis} does not answer, tried again", within_s=120)
    private_servers.redis_server.start()
    verified(application, before)

    kafka.kill()
    time.sleep(2)
    kafka.start()
    feed = application.feed(RATE, 6, seed=2)
    under_way(application, feed, application.checkpointed() + RATE)

    kafka.pause()
    ended = worker.stopped()
    kafka.resume()
    assert ended.code in (0, 1)
    assert ended.count_errors() == ended.code, ended.log
    application.ready_worker()
    verified(application, feed)


# -- side by side -----------------------------------------------------------------------------------------------


def test_two_applications_stand_side_by_side_even_on_one_topic(application: Application, application_of) -> None:
    names = ("APP_ID", "MILESTONES_TOPIC", "DEAD_LETTERS_TOPIC", "LATE_TOPIC")
    own = {f"ENCORE_{name}": f"{application.environment[f'ENCORE_{name}']}-2" for name in names}
    own["ENCORE_REDIS_PREFIX"] = own["ENCORE_APP_ID"] + ":"
    other = application_of(application.environment | own)
    feed = application.feed(RATE, 3)
    workers = [application.worker(), other.worker()]

    verified(application, feed)
    verified(other)

    assert application.published() == other.published()
    assert [worker.stopped().code for worker in workers] == [0, 0]


def test_a_worker_restarted_under_its_name_goes_on_with_its_partitions_at_once(application: Application) -> None:
    patient = {"ENCORE_SESSION_TIMEOUT_S": "60"}
    feed = application.feed(RATE, 10)
    names = ("one", "other")
    one, other = [application.worker(ENCORE_GROUP_INSTANCE_ID=name, **patient) for name in names]
    for worker in (one, other):
        worker.until_logged("restored:")
    under_way(application, feed)

    for end in (one.kill, other.stopped):
        end()
    again = [application.worker(ENCORE_GROUP_INSTANCE_ID=name, **patient) for name in names]

    for worker in again:
        worker.until_logged("restored:", within_s=20)
    verified(application, feed)

"""Whatever dies, freezes or comes and goes while events flow: afterwards every counter is exact.

Exactness is `encore verify`: an independent recomputation of the raw topic equals all that was published, and
events + dead letters + late events are the records produced, so nothing was lost or applied twice.
"""

from __future__ import annotations

import os
import random
import signal
import time

import pytest
from application import Application, Process, until

pytestmark = pytest.mark.system

OUTAGE_S = float(os.environ.get("TEST_OUTAGE_S", "6"))
"""How long a server is away. By hand: TEST_OUTAGE_S=30."""

RATE = 400
SESSION_TIMEOUT_S = 6.0


def under_way(application: Application, feed: Process, records: int = 200) -> None:
    """Wait until so many records of the feed are checkpointed."""
    until(lambda: application.checkpointed() >= records or feed.popen.poll(), "events flow and are checkpointed")
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


def _stopped(server) -> None:
    server.stop()


def _paused(server) -> None:
    server.pause()


def _killed_and_wiped(server) -> None:
    server.kill()
    server.wipe()


@pytest.mark.parametrize(
    ("leaves", "comes_back"),
    [(_stopped, "start"), (_paused, "resume"), (_killed_and_wiped, "start")],
    ids=["stopped", "frozen", "lost its data"],
)
def test_checkpoints_go_on_while_redis_is_away_and_readers_catch_up(
    on_private_redis, private_redis, leaves, comes_back
) -> None:
    application, redis = on_private_redis, private_redis.redis_server
    worker = application.ready_worker()
    feed = application.feed(RATE, OUTAGE_S + 6)
    under_way(application, feed)

    leaves(redis)
    left_s, checkpointed = time.monotonic(), application.checkpointed()
    while time.monotonic() < left_s + OUTAGE_S:
        time.sleep(OUTAGE_S / 3)
        before, checkpointed = checkpointed, application.checkpointed()
        assert checkpointed > before, "a checkpoint waited for Redis"
    behind = application.produced() - checkpointed
    getattr(redis, comes_back)()

    assert behind < 3 * RATE
    verified(application, feed)
    assert worker.stopped().code == 0
    assert "Traceback" not in worker.log
    assert worker.count("Redis is away") >= 1


def test_a_hash_is_not_complete_until_all_partitions_are_published_again(on_private_redis, private_redis) -> None:
    application = on_private_redis
    worker = application.ready_worker()
    feed = application.feed(RATE, 2)
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
    application.ready_worker()
    feed = application.feed(RATE, 12)
    under_way(application, feed)

    second = application.ready_worker(partitions=2)
    under_way(application, feed, application.checkpointed() + RATE)
    assert second.stopped().code == 0

    verified(application, feed)


def test_a_worker_that_is_killed_again_and_again_loses_and_repeats_nothing(application: Application) -> None:
    moments = random.Random(3)
    feed = application.feed(RATE, 14)
    for _ in range(3):
        worker = application.ready_worker()
        time.sleep(moments.uniform(0.1, 1.0))
        worker.kill()

    application.ready_worker()

    verified(application, feed)


def test_another_worker_takes_over_from_one_that_was_killed(application: Application) -> None:
    first = application.ready_worker()
    feed = application.feed(RATE, 12)
    survivor = application.ready_worker(partitions=2)
    under_way(application, feed)

    first.kill()

    survivor.until_logged("restored:", times=4)
    verified(application, feed)


def test_sigterm_leaves_nothing_to_wait_for(application: Application) -> None:
    worker = application.ready_worker(ENCORE_CHECKPOINT_S="60", ENCORE_PUBLISH_S="60")
    feed = application.feed(RATE, 3)
    assert feed.ended().code == 0
    time.sleep(1)

    begun = time.monotonic()
    ended = worker.stopped()

    assert (ended.code, ended.log.splitlines()[-1].endswith("worker ended")) == (0, True)
    assert time.monotonic() - begun < 10
    assert application.members() == 0
    # Without any wait: what was consumed is checkpointed and published.
    assert application.verify(wait_s=0)["produced"] == application.checkpointed()


def test_partitions_of_a_worker_that_leaves_are_taken_over_at_once(application: Application) -> None:
    leaver = application.ready_worker(ENCORE_SESSION_TIMEOUT_S="60")
    heir = application.ready_worker(partitions=2, ENCORE_SESSION_TIMEOUT_S="60")
    feed = application.feed(RATE, 6)
    under_way(application, feed)

    begun = time.monotonic()
    assert leaver.stopped().code == 0
    heir.until_logged("restored:", times=4, within_s=20)

    assert time.monotonic() - begun < 20
    verified(application, feed)


def test_a_worker_that_was_frozen_past_its_session_does_no_harm(application: Application) -> None:
    zombie = application.ready_worker()
    feed = application.feed(RATE, SESSION_TIMEOUT_S + 8)
    under_way(application, feed)

    zombie.signal(signal.SIGSTOP)
    heir = application.worker()
    heir.until_logged("restored:", times=4, within_s=SESSION_TIMEOUT_S + 20)
    zombie.signal(signal.SIGCONT)

    verified(application, feed)
    ended = zombie.ended(30)
    errors = [line for line in ended.log.splitlines() if " ERROR " in line]
    assert (ended.code, len(errors), "Traceback" in ended.log) == (1, 1, False), ended.log
    assert "another worker" in errors[0]


# -- Kafka ------------------------------------------------------------------------------------------------------


def test_a_kafka_that_restarts_costs_no_record(private_servers, env_on, application_of) -> None:
    application = application_of(env_on(private_servers))
    worker = application.ready_worker()
    verified(application, application.feed(RATE, 2))

    private_servers.kafka_server.stop()
    time.sleep(2)
    private_servers.kafka_server.start()

    if worker.popen.poll() is not None:
        assert (worker.popen.returncode, "Traceback" in worker.log) == (1, False)
        worker = application.ready_worker()
    verified(application, application.feed(RATE, 2, seed=2))
    assert worker.stopped().code == 0


# -- side by side -----------------------------------------------------------------------------------------------


def test_applications_stand_side_by_side_on_the_same_servers(env_on, servers, application_of) -> None:
    one, other = (application_of(env_on(servers)) for _ in range(2))
    one.ready_worker()
    other.ready_worker()
    feeds = [one.feed(RATE, 3, seed=1), other.feed(RATE // 2, 3, seed=2)]

    verified(one, feeds[0])
    verified(other, feeds[1])

    assert one.published() != other.published()


def test_two_applications_read_the_same_topic(application: Application, application_of) -> None:
    names = ("ENCORE_APP_ID", "ENCORE_REDIS_PREFIX", "ENCORE_MILESTONES_TOPIC", "ENCORE_DEAD_LETTERS_TOPIC")
    beside = {name: f"{application.environment[name]}-2" for name in (*names, "ENCORE_LATE_TOPIC")}
    other = application_of(application.environment | beside)
    application.ready_worker()
    feed = application.feed(RATE, 3)
    other.ready_worker()

    verified(application, feed)
    verified(other)

    assert application.published() == other.published()

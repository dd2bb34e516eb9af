"""A request of a worker's producer that only comes late: what it was to end is over, and it must not end what is not.

Each test keeps one request back while the client repeats it, delivers it at the worst moment, and lets the work go on.
Afterwards everything must verify: milestones once each, and every counter. See `kafka_proxy` for what is kept, and
`late_ends` for the same at random moments.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psutil
import pytest
from application import Application, Process, until
from kafka_frames import FENCED, Api, Request
from kafka_proxy import ProxiedKafka, Verdict

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

RATE = 400
GOES_ON_S = 5
"""Within this a worker that is to end of a late request has made another checkpoint, and has ended."""

FREEZES_AT = 12
"""The transaction whose first half a worker writes before it freezes; the end before it is kept back."""

WITHIN_S = 120
TIMED_OUT_S = 22
"""Within this the broker ends a transaction that may stay open for 10 s: it looks every 10 s."""

OWN_LATE_REQUEST = "a request of its own came late"
ANOTHER_WORKER = "another worker owns the partition"
KIP_890 = 5
"""The version of EndTxn from which on a transaction's end begins a new epoch."""

SETTLED_S = 0.3
"""What a request that was delivered does, it has done by then."""


class Late:
    """An application of one partition whose workers meet Kafka behind a proxy."""

    def __init__(self, application: Application, kafka: ProxiedKafka) -> None:
        self.application = application
        self.kafka = kafka
        self.name = f"{application.app_id}-0"

    def worker(self, **settings: str) -> Process:
        return self.application.worker(ENCORE_KAFKA=self.kafka.address, **settings)

    def topic(self, request: Request) -> str:
        """Which of the application's topics a Produce begins with: `state`, `milestones`, …"""
        return request.topics[0].removeprefix(f"{self.application.app_id}-")

    def keep(self, api: Api, number: int, verdict: Verdict = Verdict.CUT, topic: str = "") -> None:
        """Keep back the number-th request of an API (of a Produce, to a topic)."""
        seen = 0

        async def judge(request: Request) -> Verdict:
            nonlocal seen
            meant = self._is_ours(request, api) and (not topic or self.topic(request) == topic)
            seen += meant
            return verdict if meant and seen == number else Verdict.PASS

        self.kafka.judge = judge

    def keep_end_and_deliver_between(self, number: int, first: str, second: str) -> None:
        """Keep back the number-th end of a transaction, and deliver it when the broker has a later one's records of a
        topic, and is about to get those of another.
        """
        ends, written = 0, dict[str, Request]()

        async def judge(request: Request) -> Verdict:
            nonlocal ends
            if request.transactional_id != self.name or self.kafka.late:
                return Verdict.PASS
            if request.api == Api.END_TXN:
                ends += 1
                written.clear()
                return Verdict.CUT if ends == number else Verdict.PASS
            if request.api == Api.PRODUCE and self.kafka.held:
                if self.topic(request) == second and first in written:
                    await asyncio.wait_for(written[first].answered.wait(), WITHIN_S)
                    await asyncio.to_thread(self.kafka.deliver, self.kafka.held[0])
                    await asyncio.sleep(SETTLED_S)
                written[self.topic(request)] = request
            return Verdict.PASS

        self.kafka.judge = judge

    def _is_ours(self, request: Request, api: Api) -> bool:
        return request.api == api and request.transactional_id == self.name

    def until_late(self, worker: Process) -> None:
        """Wait until what was kept is delivered."""
        until(lambda: self.kafka.late, lambda: f"delivered\n{self.kafka.log()}\n{worker.log}", WITHIN_S)

    def until_kept(self, worker: Process) -> Request:
        until(lambda: self.kafka.held, lambda: f"kept back\n{self.kafka.log()}\n{worker.log}", WITHIN_S)
        return self.kafka.held[0]

    def until_checkpointed(self, worker: Process, records: int = 200) -> None:
        """Wait until so many records are checkpointed."""
        until(lambda: self.application.checkpointed() > records, lambda: f"checkpointed\n{worker.log}", WITHIN_S)

    def verified(self, *feeds: Process) -> None:
        """The feeds end, a worker is there that no proxy hinders, and every number must be right."""
        for feed in feeds:
            assert feed.stopped().code == 0, feed.log
        answer = self.application.verify(wait_s=40, within_s=200)
        assert answer["produced"] == self.application.produced() > 0
        told = Counter(_milestones(self.application))
        assert len(told) == answer["milestones"] > 0
        assert set(told.values()) == {1}, {each: count for each, count in told.items() if count > 1}

    def go_on(self, worker: Process) -> Process:
        """The worker, or one after it where it ended, as its supervisor would start it."""
        time.sleep(GOES_ON_S)
        if worker.popen.poll() is None:
            return worker
        again = self.worker()
        again.until_logged("restored:", WITHIN_S)
        return again

    def refused(self) -> bool:
        """Whether the broker knew each late request for one of an epoch that is over."""
        return {each.error for each in self.kafka.late} <= FENCED


def _milestones(application: Application) -> Iterator[tuple[Any, ...]]:
    for record in application.read(application.environment["ENCORE_MILESTONES_TOPIC"]):
        assert record.value is not None
        yield record.headers["partition"], record.headers["offset"], record.value


@pytest.fixture
def late(servers, env_on, tmp_path) -> Iterator[Late]:
    application = Application(env_on(servers, partitions=1) | {"ENCORE_TOPIC_PARTITIONS": "1"}, tmp_path)
    with ProxiedKafka.before(servers.kafka) as kafka, closing(application):
        ended = application.start("topics", "ensure").ended()
        assert ended.code == 0, ended.log
        yield Late(application, kafka)


# -- the end of a transaction -------------------------------------------------------------------------------------


def _with_half_a_transaction_written(late: Late, verdict: Verdict) -> Process:
    """A worker that is frozen there; the end of its transaction before that was repeated, and arrives now."""
    late.keep(Api.END_TXN, FREEZES_AT - 1, verdict)
    worker = late.worker(ENCORE_FAILPOINT=f"written:{FREEZES_AT}:freeze")
    until(lambda: _frozen(worker), lambda: f"frozen\n{worker.log}", WITHIN_S)
    late.kafka.deliver(late.until_kept(worker))
    time.sleep(SETTLED_S)
    return worker


@pytest.mark.parametrize(
    "verdict", [pytest.param(Verdict.CUT, id="cut off"), pytest.param(Verdict.HOLD, id="not answered")]
)
def test_a_late_end_commits_nothing_of_a_worker_that_dies_with_half_a_transaction_written(
    late: Late, verdict: Verdict
) -> None:
    feed = late.application.feed(RATE, 600)
    worker = _with_half_a_transaction_written(late, verdict)
    worker.kill()

    again = late.worker()
    again.until_logged("restored:", WITHIN_S)
    late.verified(feed)
    assert late.refused()


def test_a_late_end_between_two_requests_of_the_state_commits_nothing_and_nobody_dies(late: Late) -> None:
    feed = late.application.feed(RATE, 600)
    worker = _with_half_a_transaction_written(late, Verdict.CUT)
    worker.signal(signal.SIGCONT)

    survivor = late.go_on(worker)
    late.verified(feed)
    assert late.refused()
    assert survivor is worker, worker.log


@pytest.mark.parametrize(("first", "second"), [("state", "milestones"), ("milestones", "state")])
def test_a_late_end_between_a_transactions_topics_commits_nothing_and_nobody_dies(
    late: Late, first: str, second: str
) -> None:
    feed = late.application.feed(RATE, 600)
    late.keep_end_and_deliver_between(8, first, second)
    worker = late.worker()
    late.until_late(worker)

    survivor = late.go_on(worker)
    late.verified(feed)
    assert late.refused()
    assert survivor is worker, worker.log


# -- its other requests: they cost a worker's life at most, and it says of what ------------------------------------


def test_a_late_request_for_an_epoch_costs_a_workers_life_at_most_and_it_blames_no_other(late: Late) -> None:
    feed = late.application.feed(RATE, 600)
    late.keep(Api.INIT_PRODUCER_ID, 1)
    worker = late.worker()
    worker.until_logged("restored:", WITHIN_S)
    late.until_checkpointed(worker)

    late.kafka.deliver(late.until_kept(worker))

    late.go_on(worker)
    late.verified(feed)
    _says_what_happened(worker)


def test_a_late_request_for_partitions_between_transactions_changes_nothing(late: Late) -> None:
    feed = late.application.feed(RATE, 600)
    late.keep(Api.ADD_PARTITIONS, 6)
    worker = late.worker()
    late.until_kept(worker)
    for _ in range(5):
        time.sleep(1 / 3)
        late.kafka.deliver(late.kafka.held[0])

    late.go_on(worker)
    late.verified(feed)


def test_a_late_request_for_partitions_of_an_idle_worker_opens_a_transaction_that_times_out(late: Late) -> None:
    feed = late.application.feed(RATE, 600)
    late.keep(Api.ADD_PARTITIONS, 6)
    worker = late.worker(ENCORE_TRANSACTION_TIMEOUT_S="10")
    late.until_kept(worker)
    time.sleep(2)
    assert feed.stopped().code == 0
    late.application.until_checkpointed()
    time.sleep(1)

    late.kafka.deliver(late.kafka.held[0])
    time.sleep(TIMED_OUT_S)
    feed = late.application.feed(RATE, 600, seed=2)

    late.go_on(worker)
    late.verified(feed)
    _says_what_happened(worker)


def test_late_records_count_once_wherever_they_arrive(late: Late) -> None:
    feed = late.application.feed(RATE, 600)
    late.keep(Api.PRODUCE, 6, topic="state")
    worker = late.worker()
    held = late.until_kept(worker)
    inside = 0

    async def judge(request: Request) -> Verdict:
        nonlocal inside
        if request.api == Api.END_TXN and inside < 8:
            inside += 1
            await asyncio.to_thread(late.kafka.deliver, held)
        return Verdict.PASS

    late.kafka.judge = judge
    until(lambda: inside == 8, lambda: f"delivered inside transactions\n{worker.log}", WITHIN_S)
    for _ in range(5):
        time.sleep(1 / 3)
        late.kafka.deliver(held)

    late.go_on(worker)
    late.verified(feed)


def _says_what_happened(worker: Process) -> None:
    """A worker that has just made a new producer is not hit; one that is ends, and does not blame another worker."""
    if worker.popen.poll() is not None:
        failure = worker.ended().failure()
        assert OWN_LATE_REQUEST in failure, failure
        assert ANOTHER_WORKER not in failure, failure


# -- what all this rests on ---------------------------------------------------------------------------------------


def test_the_client_speaks_an_end_of_transaction_that_does_not_change_the_epoch(late: Late) -> None:
    feed = late.application.feed(RATE, 600)
    worker = late.worker()
    late.until_checkpointed(worker)

    versions = {request.version for request in late.kafka.seen if request.api == Api.END_TXN}

    assert versions
    assert max(versions) < KIP_890, (
        f"librdkafka speaks EndTxn {max(versions)}: with KIP-890 each transaction has an epoch of its own, and a broker"
        " refuses a late end. Reconsider the new producer after a commit that may have been repeated (decision 20,"
        " streams/state/transactions.py), what a lost answer means for the epoch, and whether the tests of this file"
        " still deliver what would do harm."
    )
    assert feed.stopped().code == 0


def _frozen(worker: Process) -> bool:
    return psutil.Process(worker.popen.pid).status() == psutil.STATUS_STOPPED

"""A request of a worker's producer that only comes late: what it was to end is over, and it must not end what is not.

Each step keeps one request back while the client repeats it, delivers it at the worst moment, and lets the work go on.
Its failures name the moment. The steps of a test share an application, as its feed and its workers cost most: at the
end everything must verify, milestones once each, and every counter. See `kafka_proxy` for what is kept, and `late_ends`
for the same at random moments.
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
from kafka import KafkaConsumer, TopicPartition
from kafka_frames import FENCED, Api, Request
from kafka_proxy import Judge, ProxiedKafka, Verdict

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

RATE = 200
GOES_ON = 3
"""A worker that has ended so many more transactions does not end of what came late before them."""

FREEZES_AT = 6
"""The transaction whose first half a worker writes before it freezes; the end before it is kept back."""

WITHIN_S = 120
TIMES_OUT = {"ENCORE_TRANSACTION_TIMEOUT_S": "10"}
TIMED_OUT_S = 40
"""Within this a broker has ended a transaction that may stay open for 10 s: it looks every 10 s at most."""

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

    def feed(self, seed: int = 1) -> Process:
        """Viewing without end. It may be stopped once a worker has made a transaction of it: before its first record
        `simulate` does not end in order, and on a busy machine that takes it seconds.
        """
        return self.application.feed(RATE, 600, seed=seed)

    def worker(self, **settings: str) -> Process:
        return self.application.worker(ENCORE_KAFKA=self.kafka.address, **settings)

    def topic(self, request: Request) -> str:
        """Which of the application's topics a Produce begins with: `state`, `milestones`, …"""
        return request.topics[0].removeprefix(f"{self.application.app_id}-")

    def keep(self, api: Api, number: int, verdict: Verdict = Verdict.CUT, topic: str = "") -> None:
        """Keep back the number-th request of an API from now on (of a Produce, to a topic)."""
        seen = 0

        async def judge(request: Request) -> Verdict:
            nonlocal seen
            meant = self._is_ours(request, api) and (not topic or self.topic(request) == topic)
            seen += meant
            return verdict if meant and seen == number else Verdict.PASS

        self._begin(judge)

    def keep_copies(self, api: Api) -> None:
        """Let all requests pass, and keep those of an API: the last one is of the epoch at hand."""

        async def judge(request: Request) -> Verdict:
            return Verdict.REPEAT if self._is_ours(request, api) else Verdict.PASS

        self._begin(judge)

    def keep_end_and_deliver_between(self, first: str, second: str) -> None:
        """Keep back the next end of a transaction, and deliver it when the broker has a later one's records of a
        topic, and is about to get those of another.
        """
        written = dict[str, Request]()

        async def judge(request: Request) -> Verdict:
            if request.transactional_id != self.name or self.kafka.late:
                return Verdict.PASS
            if request.api == Api.END_TXN:
                written.clear()
                return Verdict.PASS if self.kafka.held else Verdict.CUT
            if request.api == Api.PRODUCE and self.kafka.held:
                if self.topic(request) == second and first in written:
                    await asyncio.wait_for(written[first].answered.wait(), WITHIN_S)
                    await asyncio.to_thread(self.kafka.deliver, self.kafka.held[0])
                    await asyncio.sleep(SETTLED_S)
                written[self.topic(request)] = request
            return Verdict.PASS

        self._begin(judge)

    def deliver_before_ends(self, request: Request, times: int) -> None:
        """Deliver a request before each of the next ends of transactions, so often: it arrives inside of them."""

        async def judge(end: Request) -> Verdict:
            if self._is_ours(end, Api.END_TXN) and len(self.kafka.late) < times:
                await asyncio.to_thread(self.kafka.deliver, request)
            return Verdict.PASS

        self._begin(judge)

    def deliver_at_any_moment(self, request: Request) -> None:
        for _ in range(5):
            time.sleep(1 / 3)
            self.kafka.deliver(request)

    def deliver_and_let_time_out(self, request: Request) -> None:
        """A request for partitions opens a transaction; once the broker has ended it, its marker is in their topics."""
        place = TopicPartition(request.topics[0], 0)
        with closing(KafkaConsumer(bootstrap_servers=self.application.environment["ENCORE_KAFKA"])) as consumer:
            before = consumer.end_offsets([place])
            assert self.kafka.deliver(request) == 0, f"no transaction was opened: {request}"
            until(lambda: consumer.end_offsets([place]) != before, f"timed out: {request}", TIMED_OUT_S)

    def _begin(self, judge: Judge) -> None:
        self.kafka.held.clear()
        self.kafka.late.clear()
        self.kafka.judge = judge

    def _is_ours(self, request: Request, api: Api) -> bool:
        return request.api == api and request.transactional_id == self.name

    def until_late(self, worker: Process, times: int = 1) -> None:
        """Wait until what was kept is delivered, so often."""
        until(lambda: len(self.kafka.late) >= times, lambda: f"delivered\n{self._log(worker)}", WITHIN_S)

    def until_kept(self, worker: Process) -> Request:
        until(lambda: self.kafka.held, lambda: f"kept back\n{self._log(worker)}", WITHIN_S)
        return self.kafka.held[0]

    def until_worked(self, worker: Process) -> None:
        """Wait until a worker has ended some more transactions, or has died."""
        enough = self._ends() + GOES_ON
        until(
            lambda: worker.popen.poll() is not None or self._ends() >= enough,
            lambda: f"goes on or ends\n{self._log(worker)}",
            WITHIN_S,
        )

    def _ends(self) -> int:
        return sum(self._is_ours(each, Api.END_TXN) and each.error == 0 for each in list(self.kafka.seen))

    def _log(self, worker: Process) -> str:
        return f"{self.kafka.log()}\n{worker.log}"

    def verified(self, *feeds: Process) -> None:
        """The feeds end, a worker is there that no proxy hinders, and every number must be right."""
        for feed in feeds:
            assert feed.stopped().code == 0, feed.log
        answer = self.application.verify(wait_s=40, within_s=200)
        assert answer["produced"] == self.application.produced() > 0
        told = Counter(_milestones(self.application))
        assert len(told) == answer["milestones"] > 0
        assert set(told.values()) == {1}, {each: count for each, count in told.items() if count > 1}

    def go_on(self, worker: Process, **settings: str) -> Process:
        """The worker, or one after it where it ended, as its supervisor would start it."""
        self.until_worked(worker)
        if worker.popen.poll() is None:
            return worker
        again = self.worker(**settings)
        again.until_logged("restored:", WITHIN_S)
        return again

    def nobody_dies(self, worker: Process, moment: str) -> None:
        self.until_worked(worker)
        assert worker.popen.poll() is None, f"{moment}: the worker died\n{self._log(worker)}"

    def refused(self, moment: str) -> None:
        """The broker knew what came late at this moment for a request of an epoch that is over."""
        (end,) = self.kafka.late
        assert end.error in FENCED, f"{moment}: a late end was not refused: {end}\n{self.kafka.log()}"


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


def test_a_late_end_commits_nothing_of_another_transaction_and_nobody_dies_of_it(late: Late) -> None:
    feed = late.feed()
    victim = _with_half_a_transaction_written(late, Verdict.HOLD, "not answered, and the worker dies")
    victim.kill()
    _ends_do_not_change_the_epoch(late)

    worker = _with_half_a_transaction_written(late, Verdict.CUT, "cut off, between two requests of the state")
    worker.signal(signal.SIGCONT)
    late.nobody_dies(worker, "between two requests of the state")
    _between(late, worker, "state", "milestones")
    _between(late, worker, "milestones", "state")

    late.verified(feed)


def _with_half_a_transaction_written(late: Late, verdict: Verdict, moment: str) -> Process:
    """A worker that is frozen there; the end of its transaction before that was repeated, and arrives now."""
    late.keep(Api.END_TXN, FREEZES_AT - 1, verdict)
    worker = late.worker(ENCORE_FAILPOINT=f"written:{FREEZES_AT}:freeze")
    until(lambda: _frozen(worker), lambda: f"{moment}: frozen\n{worker.log}", WITHIN_S)
    late.kafka.deliver(late.until_kept(worker))
    time.sleep(SETTLED_S)
    late.refused(moment)
    return worker


def _frozen(worker: Process) -> bool:
    return psutil.Process(worker.popen.pid).status() == psutil.STATUS_STOPPED


def _between(late: Late, worker: Process, first: str, second: str) -> None:
    moment = f"between a transaction's {first} and its {second}"
    late.keep_end_and_deliver_between(first, second)
    late.until_late(worker)
    late.refused(moment)
    late.nobody_dies(worker, moment)


def _ends_do_not_change_the_epoch(late: Late) -> None:
    """What all this rests on."""
    versions = {request.version for request in late.kafka.seen if request.api == Api.END_TXN}

    assert versions
    assert max(versions) < KIP_890, (
        f"librdkafka speaks EndTxn {max(versions)}: with KIP-890 each transaction has an epoch of its own, and a broker"
        " refuses a late end. Reconsider the new producer after a commit that may have been repeated (decision 20,"
        " streams/state/transactions.py), what a lost answer means for the epoch, and whether the tests of this file"
        " still deliver what would do harm."
    )


# -- its other requests: they cost a worker's life at most, and it says of what ------------------------------------


def test_other_late_requests_cost_a_workers_life_at_most_and_it_blames_no_other(late: Late) -> None:
    feed = late.feed()
    late.keep(Api.INIT_PRODUCER_ID, 1)
    worker = late.worker()
    for_an_epoch = late.until_kept(worker)
    late.nobody_dies(worker, "a request for an epoch, sent again")
    worker = _for_partitions(late, worker)
    worker = _records(late, worker)
    worker = _for_an_epoch(late, worker, for_an_epoch)
    _for_partitions_of_an_idle_worker(late, worker, feed)


def _for_partitions(late: Late, worker: Process) -> Process:
    """Between transactions, one may open the next: that changes nothing."""
    late.keep(Api.ADD_PARTITIONS, 1)
    late.deliver_at_any_moment(late.until_kept(worker))
    return late.go_on(worker)


def _records(late: Late, worker: Process) -> Process:
    """Inside of transactions they change nothing. Between two, the broker may take those of the next for out of order,
    and the worker ends.
    """
    late.keep(Api.PRODUCE, 1, topic="state")
    records = late.until_kept(worker)
    late.deliver_before_ends(records, 8)
    late.until_late(worker, 8)
    late.deliver_at_any_moment(records)
    return late.go_on(worker)


def _for_an_epoch(late: Late, worker: Process, request: Request) -> Process:
    late.kafka.deliver(request)
    heir = late.go_on(worker, **TIMES_OUT)
    _says_what_happened(worker, "a late request for an epoch")
    return heir


def _for_partitions_of_an_idle_worker(late: Late, worker: Process, feed: Process) -> None:
    """It opens a transaction that nobody ends: that times out, and the worker's epoch is over."""
    late.keep_copies(Api.ADD_PARTITIONS)
    late.until_kept(worker)
    assert feed.stopped().code == 0, feed.log
    late.application.until_checkpointed(WITHIN_S)
    time.sleep(1)

    late.deliver_and_let_time_out(late.kafka.held[-1])
    feed = late.feed(seed=2)

    late.go_on(worker)
    late.verified(feed)
    _says_what_happened(worker, "a late request for partitions of an idle worker")


def _says_what_happened(worker: Process, moment: str) -> None:
    """A worker that has just made a new producer is not hit; one that is ends, and does not blame another worker."""
    if worker.popen.poll() is not None:
        failure = worker.ended().failure()
        assert OWN_LATE_REQUEST in failure, f"{moment}: {failure}"
        assert ANOTHER_WORKER not in failure, f"{moment}: {failure}"

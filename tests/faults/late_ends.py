"""The end of a transaction comes late: the client has repeated it, and the first request ends what comes after.

Owns the bad network (for a while each commit's first request is kept back) and the moments at which it gives
everything back: with half a transaction written, or between any two requests.
"""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any

from application import until
from catalogue import fault
from kafka_frames import Api, Request
from kafka_proxy import ProxiedKafka, Verdict, let_pass
from trial import SESSION_TIMEOUT_S, Trial, Void, Worker
from zombies import is_fenced, until_frozen, wait_for_its_end

_UNANSWERED = 0.05
"""The share that is not answered at all, which takes the client ten seconds each; the rest is cut off."""

_WRITES = (5, 12)
"""How many transactions a worker makes until it freezes itself: each of its partitions has made some by then."""

_COULD_NOT_LOOK = "cannot be read: "
_SPELL_S = 6.0
_LATE_WITHIN_S = 90.0
_SETTLED_S = 0.3
_REQUESTS = (2, 10)
"""How many of the producer's requests are sooner: the first is the repeated end, two to five make a transaction."""

Deliver = Callable[[Request], None]


class BadNetwork:
    """A judge that keeps back the first request of a commit, and lets the client's second one pass.

    That of every commit: `kept` is the last one of each producer. With `deliver` it is delivered before one of the
    producer's next requests, and only then another one is kept.
    """

    def __init__(self, rng: random.Random, deliver: Deliver | None = None) -> None:
        self.kept: dict[str, Request] = {}
        self._rng = rng
        self._deliver = deliver
        self._repeating: set[str] = set()
        self._requests_left: dict[str, int] = {}

    async def judge(self, request: Request) -> Verdict:
        if request.api not in (Api.PRODUCE, Api.ADD_PARTITIONS, Api.END_TXN):
            return Verdict.PASS
        name = request.transactional_id or ""
        if request.api == Api.END_TXN and self._is_to_be_kept(name):
            return self._keep(name, request)
        if self._deliver and name in self.kept:
            self._requests_left[name] -= 1
            if self._requests_left[name] == 0:
                await asyncio.to_thread(self._deliver, self.kept.pop(name))
        if request.api == Api.END_TXN:
            self._repeating.discard(name)
        return Verdict.PASS

    def _is_to_be_kept(self, name: str) -> bool:
        return name not in self._repeating and not (self._deliver and name in self.kept)

    def _keep(self, name: str, request: Request) -> Verdict:
        self.kept[name] = request
        self._repeating.add(name)
        self._requests_left[name] = self._rng.randint(*_REQUESTS)
        return Verdict.HOLD if self._rng.random() < _UNANSWERED else Verdict.CUT


def _set_up(trial: Trial, **settings: str) -> tuple[ProxiedKafka, list[Worker]]:
    """Two workers at work, which meet Kafka behind proxies."""
    trial.set_up(**settings)
    open_ = ExitStack()
    trial.on_close(open_.close)
    kafka = open_.enter_context(ProxiedKafka.before(trial.servers.kafka))
    trial.feed()
    workers = [
        trial.worker(ENCORE_GROUP_INSTANCE_ID=f"worker-{number}", ENCORE_KAFKA=kafka.address) for number in range(2)
    ]
    trial.until_working()
    return kafka, workers


@fault("a late EndTxn", per_trial=2, short=2, long=200)
def late_end(trial: Trial) -> None:
    kafka, workers = _set_up(trial)
    for number in range(trial.hits):
        trial.mid_work()
        if number % 2 == 0:
            _half_written(trial, kafka, trial.rng.choice(workers))
        else:
            _between_requests(trial, kafka)
        trial.until_working()
    trial.verify()


def _half_written(
    trial: Trial, kafka: ProxiedKafka, victim: Worker, before: Callable[[Request], Any] = lambda end: None
) -> None:
    """A worker freezes itself inside a transaction, everything kept back arrives, and it dies or goes on."""
    network = BadNetwork(trial.rng)
    with victim.unsupervised():
        victim.process.kill()
        kafka.judge = network.judge
        victim.restart(ENCORE_FAILPOINT=f"written:{trial.rng.randint(*_WRITES)}:freeze")
        until_frozen(victim, _LATE_WITHIN_S)
        kafka.judge = let_pass
        if not any(_has_written(kafka, name) for name in network.kept):
            raise Void("the transaction that froze was the first of its producer, or nothing of it was written")
        for end in network.kept.values():
            before(end)
            _deliver_everywhere(kafka, end)
        if trial.rng.random() < 0.5:
            victim.process.signal(signal.SIGCONT)
            trial.sleep(0.5, 3.0)
        victim.process.kill()


def _has_written(kafka: ProxiedKafka, name: str) -> bool:
    """Whether a producer has written since the last transaction that it ended: then a late end has something to end."""
    apis = [request.api for request in kafka.seen if request.transactional_id == name]
    return Api.PRODUCE in apis[len(apis) - apis[::-1].index(Api.END_TXN) :]


def _between_requests(trial: Trial, kafka: ProxiedKafka) -> None:
    """For a spell each commit's first request arrives before one of those that follow it. Nobody dies of it."""

    def deliver(end: Request) -> None:
        kafka.deliver(end)
        time.sleep(_SETTLED_S)

    before = len(kafka.late)
    kafka.judge = BadNetwork(trial.rng, deliver).judge
    until(lambda: len(kafka.late) > before, lambda: f"one is late\n{kafka.log()}\n{trial.logs()}", _LATE_WITHIN_S)
    time.sleep(_SPELL_S)
    kafka.judge = let_pass
    trial.note("late_ends", len(kafka.late) - before)


def _deliver_everywhere(kafka: ProxiedKafka, end: Request) -> None:
    """To whichever broker coordinates its producer by now: the others know nothing of it, and one may not run."""
    for broker in kafka.proxies:
        with suppress(ConnectionRefusedError):
            kafka.deliver(end, broker)
    time.sleep(_SETTLED_S)


@fault("one of three brokers: SIGTERM, then an EndTxn comes late", per_trial=5, brokers=3)
def late_end_after_a_move(trial: Trial) -> None:
    """The broker that it was sent to leaves before it arrives: the producer's coordinator is another one then."""
    kafka, workers = _set_up(trial, ENCORE_TOPIC_REPLICATION="3")

    def leaves(end: Request) -> None:
        (coordinator,) = (broker for broker in trial.servers.brokers if broker.port == end.broker)
        if all(broker.running for broker in trial.servers.brokers):
            coordinator.stop()

    for _ in range(trial.hits):
        trial.mid_work()
        _half_written(trial, kafka, trial.rng.choice(workers), leaves)
        trial.servers.up()
        trial.servers.cluster.wait_until_in_sync()
        trial.until_working()
    trial.verify()


@fault("SIGSTOP for three session timeouts, after a commit that was repeated", per_trial=2, short=1)
def frozen_after_a_repeated_commit(trial: Trial) -> None:
    """A new producer would take the partitions back from the heir: the zombie must look before it makes one."""
    kafka, workers = _set_up(trial)
    for _ in range(trial.hits):
        zombie = trial.rng.choice(workers)
        trial.mid_work()
        with zombie.unsupervised():
            zombie.process.kill()
            kafka.judge = BadNetwork(trial.rng).judge
            zombie.restart(ENCORE_FAILPOINT=f"cut:{trial.rng.randint(*_WRITES)}:freeze", ENCORE_GROUP_INSTANCE_ID="")
            until_frozen(zombie, _LATE_WITHIN_S)
            kafka.judge = let_pass
            frozen_s = time.monotonic()
            trial.note("takeover_s", trial.until_working(frozen_s))
            time.sleep(max(0.0, 3 * SESSION_TIMEOUT_S - (time.monotonic() - frozen_s)))
            zombie.process.signal(signal.SIGCONT)
            _must_end(zombie)
        trial.until_working()
    trial.verify()


def _must_end(zombie: Worker) -> None:
    """It finds that it has an heir; or it froze while it looked, has no time left to, and does not write unseen."""
    wait_for_its_end(zombie)
    log = zombie.process.log
    assert zombie.process.popen.poll() == 1, f"the zombie did not end:\n{log[-3000:]}"
    assert is_fenced(log) or _COULD_NOT_LOOK in log, f"not refused:\n{log[-3000:]}"

"""Workers die: at any moment, at the worst moments, in order, and their partitions pass to others."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from application import until
from catalogue import fault, strike
from scenes import AT_WORK
from trial import Trial, Void, Worker

MOMENTS = {
    "restoring": "during a restore",
    "cut": "before the transaction",
    "written": "with rows written and not committed",
    "committed": "committed and not published",
    "shares": "with shares ready to publish",
    "published": "published and not noted",
}
_LONGEST_COUNT = 12
_DEATH_S = 30.0
DEFAULTS = {"ENCORE_SESSION_TIMEOUT_S": "6", "ENCORE_CHECKPOINT_S": "0.2", "ENCORE_PUBLISH_S": "0.05"}
LONGEST_TAKEOVER_S = 30.0
"""While other trials use the same cores. On a machine of its own it is half of that: see docs/reliability.md."""


@strike("kill -9 at a random moment", AT_WORK, per_trial=40, short=4, long=160)
def killed_at_a_random_moment(trial: Trial, number: int) -> None:
    victim = trial.rng.choice(trial.crew)
    victim.until_restored()
    trial.sleep(0.2, 5.0)
    trial.mid_work()
    victim.process.kill()
    died_s = time.monotonic()
    trial.note("restart_s", trial.until_working(died_s))


@fault("kill -9, and others take over", per_trial=10, short=1, long=40)
def killed_and_taken_over(trial: Trial) -> None:
    """Default settings; nobody restarts the dead one until its partitions go on elsewhere."""
    trial.set_up(**DEFAULTS)
    trial.feed()
    workers = [trial.worker(), trial.worker()]
    for _ in range(trial.hits):
        for worker in workers:
            worker.until_restored()
        trial.until_working()
        victim = trial.rng.choice(workers)
        trial.sleep(0.2, 5.0)
        trial.mid_work()
        with victim.unsupervised():
            victim.process.kill()
            took_s = trial.until_working(time.monotonic())
            trial.note("takeover_s", took_s)
            assert took_s <= LONGEST_TAKEOVER_S, f"taken over after {took_s:.1f} s"
    trial.verify()


def _dies_at(moment: str) -> None:
    @strike(f"kill -9 {MOMENTS[moment]}", AT_WORK, per_trial=5)
    def dies(trial: Trial, number: int) -> None:
        with dying_at(trial, trial.crew[-1], f"{moment}:{_which_time(trial, moment)}"):
            pass
        trial.until_working()


for _moment in MOMENTS:
    _dies_at(_moment)


@contextmanager
def dying_at(trial: Trial, victim: Worker, failpoint: str) -> Iterator[None]:
    """Restart a worker that will die at a failpoint, mid-work; after the block see it die there, and go on."""
    trial.mid_work()
    with victim.unsupervised():
        victim.process.kill()
        victim.restart(ENCORE_FAILPOINT=failpoint)
        yield
        _until_dead(victim)


def _until_restored_or_dead(victim: Worker) -> None:
    """A second rebalance may come by itself, while its partitions are still being restored."""
    life = victim.process
    until(
        lambda: life.count("restored:") or life.popen.poll() is not None, lambda: f"restored or dead:\n{life.log}", 60
    )


def _until_dead(victim: Worker) -> None:
    """Wait until a worker has died at its failpoint. Raises `Void` where it never came there."""
    deadline = time.monotonic() + _DEATH_S
    while victim.process.popen.poll() is None:
        if time.monotonic() > deadline:
            raise Void(f"it never came to its failpoint:\n{victim.process.log[-1000:]}")
        time.sleep(0.02)
    assert victim.process.popen.returncode == -signal.SIGKILL, victim.process.log[-2000:]
    assert victim.process.count("failpoint ") == 1


def _which_time(trial: Trial, moment: str) -> int:
    return trial.rng.randint(1, 2) if moment == "restoring" else trial.rng.randint(1, _LONGEST_COUNT)


@strike("kill -9 during a rebalance", AT_WORK, per_trial=5)
def dies_during_a_rebalance(trial: Trial, number: int) -> None:
    """At the moment when partitions are taken away, or when they have just been given."""
    victim = trial.crew[-1]
    with dying_at(trial, victim, trial.rng.choice(["revoked:1", "assigned:2"])):
        _until_restored_or_dead(victim)
        passer_by = trial.worker(ENCORE_GROUP_INSTANCE_ID=f"passer-by-{number}")
    passer_by.until_restored()
    passer_by.supervised = False
    assert passer_by.process.stopped().code == 0
    trial.until_working()


@strike("SIGTERM mid-batch, rolling over all workers", AT_WORK, per_trial=10, short=4)
def stopped_in_turn(trial: Trial, number: int) -> None:
    worker = trial.crew[number % len(trial.crew)]
    worker.until_restored()
    trial.mid_work()
    with worker.unsupervised():
        asked_s = time.monotonic()
        ended = worker.process.stopped()
        trial.note("exit_s", time.monotonic() - asked_s)
        assert ended.code == 0, ended.log[-2000:]
    trial.until_working(asked_s)

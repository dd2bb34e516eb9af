"""Workers that are frozen until others own their partitions, and then go on: nothing of theirs may count.

Each freezes itself at a failpoint, with a transaction or shares in hand, for three session timeouts.
"""

from __future__ import annotations

import signal
import subprocess
import time
from contextlib import suppress

import psutil
from catalogue import fault
from trial import SESSION_TIMEOUT_S, Trial, Void, Worker

_FROZEN_S = 3 * SESSION_TIMEOUT_S
_FREEZE_WITHIN_S = 90.0
_FREEZES_AT = (10, 20)
"""Late enough that all workers have joined, and that all keys were published once."""

_ENDS_S = 20.0

_FENCED = ("another worker owns the partition by now", "fenced by a newer instance")
"""The worker's words, and its Kafka client's: a worker that was still opening another partition may end for that."""

REFUSED = "Redis refused"
"""What a zombie must have been told. One that had nothing but shares in hand may join its group again."""


def _freezes_at(moment: str, words: str) -> None:
    @fault(f"SIGSTOP for three session timeouts, {words}", per_trial=4, short=2)
    def freezes(trial: Trial) -> None:
        """All workers freeze, each with some of the partitions; one heir takes over from all of them."""
        trial.set_up()
        trial.feed()
        zombies = [trial.worker(ENCORE_FAILPOINT=_failpoint(trial, moment)) for _ in range(trial.hits)]
        for zombie in zombies:
            zombie.supervised = False
        for zombie in zombies:
            until_frozen(zombie)
        frozen_s = time.monotonic()
        heir = trial.worker()
        reader = trial.read_on()
        trial.note("takeover_s", trial.until_working(frozen_s))
        # The heir has gone past what the zombies hold; nothing more need happen while they sleep.
        trial.stop_feeds()
        time.sleep(max(0.0, _FROZEN_S - (time.monotonic() - frozen_s)))
        trial.application.verify(trial.wait_s)

        for zombie in zombies:
            zombie.process.signal(signal.SIGCONT)
        for zombie in zombies:
            wait_for_its_end(zombie)
        trial.verify()

        logs = [zombie.process.log for zombie in zombies]
        for zombie, log in zip(zombies, logs, strict=True):
            is_refused = is_fenced(log) or (moment == "shares" and REFUSED in log)
            assert is_refused, f"not refused:\n{log[-3000:]}"
            assert moment == "shares" or zombie.process.popen.poll() == 1, "the zombie did not end"
        if moment == "shares" and not any(REFUSED in log for log in logs):
            raise Void("all were fenced before their shares were on the way")
        assert not heir.ends and not reader.problems, reader.problems


def is_fenced(log: str) -> bool:
    """Whether a worker was told that another one has its partition."""
    return any(words in log for words in _FENCED)


def _failpoint(trial: Trial, moment: str) -> str:
    return f"{moment}:{trial.rng.randint(*_FREEZES_AT)}:freeze"


for _moment, _words in (
    ("cut", "before a transaction"),
    ("written", "inside a transaction"),
    ("shares", "with shares in hand"),
):
    _freezes_at(_moment, _words)


def until_frozen(worker: Worker, within_s: float = _FREEZE_WITHIN_S) -> None:
    """Wait until a worker froze itself. Raises `Void` where it does not."""
    deadline = time.monotonic() + within_s
    while psutil.Process(worker.process.popen.pid).status() != psutil.STATUS_STOPPED:
        if time.monotonic() > deadline:
            raise Void(f"it never froze: {worker.process.log[-1000:]}")
        time.sleep(0.02)


def wait_for_its_end(zombie: Worker) -> None:
    """It should end at once; where it does not, the verdict says more than the wait."""
    with suppress(subprocess.TimeoutExpired):
        zombie.process.popen.wait(_ENDS_S)

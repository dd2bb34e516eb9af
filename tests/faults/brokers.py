"""Kafka is stopped, killed and frozen while checkpoints are being committed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from catalogue import strike
from scenes import WATCHED, WATCHED_ON_THREE
from trial import Trial

Strike = Callable[[Any], None]
_FAILOVER_S = 180.0
"""A frozen broker was seen to hold up the others' clients for a minute."""


def _alone(words: str, leave: Strike, come_back: Strike, away_s: tuple[float, float]) -> None:
    @strike(f"the only broker: {words}", WATCHED, per_trial=5)
    def away(trial: Trial, number: int) -> None:
        broker = trial.servers.kafka_server
        trial.mid_work()
        leave(broker)
        trial.sleep(*away_s)
        come_back(broker)
        trial.note("recovery_s", trial.until_working())


def _one_of_three(words: str, leave: Strike, come_back: Strike, away_s: tuple[float, float]) -> None:
    @strike(f"one of three brokers: {words}", WATCHED_ON_THREE, per_trial=5)
    def away(trial: Trial, number: int) -> None:
        broker = trial.servers.brokers[number % 3]
        trial.mid_work()
        leave(broker)
        struck_s = time.monotonic()
        trial.note("recovery_s", trial.until_working(struck_s, within_s=_FAILOVER_S))
        time.sleep(max(0.0, struck_s + trial.rng.uniform(*away_s) - time.monotonic()))
        come_back(broker)
        trial.servers.cluster.wait_until_in_sync()


_ENDS: dict[str, tuple[Strike, Strike, tuple[float, float]]] = {
    "SIGTERM": (lambda broker: broker.stop(), lambda broker: broker.start(), (0.5, 4.0)),
    "kill -9": (lambda broker: broker.kill(), lambda broker: broker.start(), (0.5, 4.0)),
    "SIGSTOP 30 s": (lambda broker: broker.pause(), lambda broker: broker.resume(), (30.0, 30.0)),
}

for _words, _end in _ENDS.items():
    _alone(_words, *_end)
    _one_of_three(_words, *_end)

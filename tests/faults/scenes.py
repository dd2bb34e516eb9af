"""How trials begin for faults that can share one: what runs before the first strike.

Owns the scenes.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from catalogue import Scene
from proxy import HOST, Proxy
from trial import Trial


def _at_work(trial: Trial) -> None:
    trial.set_up()
    trial.start_work()


def _watched(trial: Trial) -> None:
    redis = urlsplit(trial.servers.redis)
    trial.proxy = trial.enter(Proxy((HOST, redis.port or 0)))
    trial.set_up(ENCORE_REDIS=f"redis://{HOST}:{trial.proxy.port}/0")
    trial.start_work()
    trial.read_on()


def _watched_on_three(trial: Trial) -> None:
    trial.set_up(ENCORE_TOPIC_REPLICATION="3")
    trial.start_work()
    trial.read_on()


AT_WORK = Scene("two workers", _at_work)
WATCHED = Scene("two workers and a reader, a proxy before Redis", _watched)
WATCHED_ON_THREE = Scene("two workers and a reader on three brokers", _watched_on_three, brokers=3)

"""Redis dies with all it knows, is emptied, frozen, replaced by a replica that lags, slow, or silent.

Workers must go on consuming, notice by themselves what Redis lost, and publish it again; readers can tell.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil
from application import until
from catalogue import fault, strike
from proxy import HOST, Proxy
from redis import RedisError
from scenes import WATCHED
from trial import Trial

from streams.tools.devstack.redis import RedisServer

_WHOLE_S = 60
_FROZEN_S = 13.0
_SILENT_S = (3.0, 8.0)
_SLOW_S = 5.0
_OUTAGE_S = 600.0
_SHORT_OUTAGE_S = 10.0
_MOST_GROWTH_BYTES = 64 << 20


def until_whole(trial: Trial, since_s: float) -> None:
    """Wait until every hash that there is says complete, and note how long that took."""

    def is_whole() -> bool:
        try:
            found = trial.application.published()
        except RedisError:
            return False
        return bool(found) and all(fields.get("complete") == "1" for fields in found.values())

    until(is_whole, lambda: f"Redis is whole again\n{trial.logs()}", _WHOLE_S)
    trial.note("recovery_s", time.monotonic() - since_s)


def _hit(trial: Trial, lose: Callable[[], object]) -> None:
    """Strike mid-work, and wait until Redis is whole."""
    trial.mid_work()
    trial.sleep(0.0, 1.0)
    lose()
    struck_s = time.monotonic()
    trial.until_working(struck_s)
    until_whole(trial, struck_s)


def _struck(trial: Trial, lose: Callable[[], object]) -> None:
    """Strike `trial.hits` times, then verify."""
    for _ in range(trial.hits):
        _hit(trial, lose)
    trial.verify()


@fault("Redis: kill -9 without persistence", per_trial=5)
def killed_without_persistence(trial: Trial) -> None:
    redis = RedisServer(trial.folder / "forgetful", persistent=False)
    redis.start()
    trial.on_close(redis.stop)
    trial.set_up(ENCORE_REDIS=redis.address)
    trial.start_work()
    trial.read_on()

    def lose() -> None:
        redis.kill()
        trial.sleep(0.0, 2.0)
        redis.start()

    _struck(trial, lose)


@strike("Redis: FLUSHALL mid-write", WATCHED, per_trial=5, hides=True)
def emptied(trial: Trial, number: int) -> None:
    _hit(trial, trial.application.redis.flushall)


@strike("Redis: SIGSTOP 13 s", WATCHED, per_trial=5)
def frozen(trial: Trial, number: int) -> None:
    def freeze() -> None:
        trial.servers.redis_server.pause()
        frozen_s = time.monotonic()
        trial.note("consumed_meanwhile_s", trial.until_working(frozen_s))
        time.sleep(max(0.0, _FROZEN_S - (time.monotonic() - frozen_s)))
        trial.servers.redis_server.resume()

    _hit(trial, freeze)


@fault("Redis: a replica promoted after losing the tail")
def replaced(trial: Trial) -> None:
    primary = RedisServer(trial.folder / "primary")
    primary.start()
    trial.on_close(primary.stop)
    replica = RedisServer(trial.folder / "replica", replica_of=primary)
    replica.start()
    trial.on_close(replica.stop)
    proxy = trial.enter(Proxy((HOST, primary.port)))
    trial.set_up(ENCORE_REDIS=f"redis://{HOST}:{proxy.port}/0")
    trial.start_work()
    trial.read_on(may_fall_back=True)

    def replace() -> None:
        replica.fall_behind()
        trial.sleep(0.5, 2.0)
        primary.kill()
        replica.promote()
        proxy.target = (HOST, replica.port)
        proxy.cut()

    _struck(trial, replace)


def _behind_a_proxy(name: str, lose: Callable[[Trial, Proxy], None]) -> None:
    @strike(f"Redis: {name}", WATCHED, per_trial=5)
    def behind_a_proxy(trial: Trial, number: int) -> None:
        _hit(trial, lambda: lose(trial, trial.proxy))


def _slowed(trial: Trial, proxy: Proxy) -> None:
    proxy.delay_each_way_s = 0.1
    time.sleep(_SLOW_S)
    proxy.delay_each_way_s = 0.0


def _silenced(trial: Trial, proxy: Proxy) -> None:
    proxy.blackhole()
    trial.sleep(*_SILENT_S)
    proxy.heal()


def _dropped(trial: Trial, proxy: Proxy) -> None:
    proxy.cut()


_behind_a_proxy("200 ms slower for 5 s", _slowed)
_behind_a_proxy("half-open connections", _silenced)
_behind_a_proxy("connections cut", _dropped)


@strike("Redis: gone for ten minutes (shortened: ten seconds)", WATCHED, long=1, hides=True)
def gone(trial: Trial, number: int) -> None:
    workers = trial.crew
    ends = [len(worker.ends) for worker in workers]
    before = sum(resident(worker.process.popen.pid) for worker in workers)
    trial.mid_work()
    trial.servers.redis_server.kill()
    gone_s = time.monotonic()
    while time.monotonic() - gone_s < (_OUTAGE_S if trial.is_long else _SHORT_OUTAGE_S):
        trial.until_working(within_s=30)
        time.sleep(1)
    growth = sum(resident(worker.process.popen.pid) for worker in workers) - before
    trial.note("grown_bytes", growth)
    assert growth < _MOST_GROWTH_BYTES * len(workers), f"{growth:,} bytes more"
    assert [len(worker.ends) for worker in workers] == ends
    assert all("Redis is away" in worker.process.log for worker in workers)
    trial.servers.redis_server.start()
    until_whole(trial, time.monotonic())


def resident(pid: int) -> int:
    """A process's resident size in bytes."""
    return int(psutil.Process(pid).memory_info().rss)

"""How each kind of the chaos run strikes, and what it must be known by: signals that were sent, servers that were away.

Owns the strikes of the kinds in `chaos_schedule`; each kind strikes from a thread of its own. What strikes a worker, a
catalog or a household is the campaign's own.
"""

from __future__ import annotations

import random
import signal
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from math import inf
from pathlib import Path

import chaos_schedule as kinds
import corrections
import erasures
from application import Process, until
from chaos_schedule import Hit
from kafka.errors import KafkaError
from redis import RedisError
from trial import Trial, Worker

from streams.tools.devstack.process import ServerFailed
from streams.tools.devstack.redis import RedisServer
from streams.tools.devstack.servers import Server

AFTERWARDS_S = 30.0
"""A worker may end of a server's absence so long after it: a client gives up late, and the machine is busy."""

_ENDS_S = 60.0
_RESTORED_S = 20.0
_STARTS = 3


class Missed(Exception):
    """There was nothing to strike at this moment: no process, or no server that would take it."""


class Strikes:
    """`hits` and `missed` by kind; `sent`: the signals that each life of a worker got."""

    def __init__(self, trial: Trial, redis: RedisServer, seed: int) -> None:
        self.hits: Counter[str] = Counter()
        self.missed: Counter[str] = Counter()
        self.sent: dict[Process, set[int]] = defaultdict(set)
        self._trial = trial
        self._redis = redis
        self._rng = {kind.name: random.Random(f"{seed}/{kind.name}/what") for kind in kinds.KINDS}
        self._absences: list[tuple[str, list[float]]] = []
        # One SIGCONT would end two freezes.
        self._freezing = [threading.Lock() for _ in trial.crew]
        self._titles = corrections.titles_of(trial.application)
        self._households = erasures.households_of(trial.application)
        self._how: dict[str, Callable[[Hit], None]] = {
            kinds.KILL: self._kill,
            kinds.FREEZE: self._freeze,
            kinds.LONG_FREEZE: self._freeze,
            kinds.ROLL: self._roll,
            kinds.KAFKA: lambda hit: self._take_away("Kafka", trial.servers.kafka_server, hit.lasts_s),
            kinds.REDIS: lambda hit: self._take_away("Redis", redis, hit.lasts_s),
            kinds.FLUSHALL: lambda hit: self._empty(),
            kinds.CORRECT: self._correct,
            kinds.FORGET: self._forget,
        }

    def strike(self, hit: Hit) -> None:
        """Make a hit; it returns when that is over."""
        try:
            self._how[hit.kind](hit)
            self.hits[hit.kind] += 1
        except Missed:
            self.missed[hit.kind] += 1

    def absences(self, since_s: float) -> list[tuple[str, float, float]]:
        """The servers that were away, from when and until when, in seconds since a moment of the monotonic clock."""
        return [(name, round(from_s - since_s, 1), round(to_s - since_s, 1)) for name, (from_s, to_s) in self._absences]

    def away(self, at_s: float) -> set[str]:
        """The servers that were away at a moment of the monotonic clock, or had just been."""
        return {name for name, (from_s, to_s) in self._absences if from_s <= at_s <= to_s + AFTERWARDS_S}

    # -- workers ------------------------------------------------------------------------------------------------

    def _kill(self, hit: Hit) -> None:
        life = self._life(self._trial.crew[hit.worker])
        self.sent[life].add(signal.SIGKILL)
        life.kill()

    def _freeze(self, hit: Hit) -> None:
        with self._freezing[hit.worker]:
            life = self._life(self._trial.crew[hit.worker])
            life.signal(signal.SIGSTOP)
            time.sleep(hit.lasts_s)
            life.signal(signal.SIGCONT)

    def _roll(self, hit: Hit) -> None:
        """Each is told to end, and the next one once its supervisor's new one has restored, or has had time for it."""
        crew = self._trial.crew
        for worker in crew[hit.worker :] + crew[: hit.worker]:
            with suppress(Missed):
                self._end(worker)

    def _end(self, worker: Worker) -> None:
        life = self._life(worker)
        until(lambda: _handles_sigterm(life), "it handles SIGTERM, or has ended", _ENDS_S)
        self.sent[life].add(signal.SIGTERM)
        life.popen.terminate()
        until(lambda: life.popen.poll() is not None, lambda: f"it ends on SIGTERM:\n{life.log[-3000:]}", _ENDS_S)
        until(lambda: worker.process is not life, "its supervisor starts it again", _RESTORED_S)
        with suppress(AssertionError):
            worker.until_restored(_RESTORED_S)

    @staticmethod
    def _life(worker: Worker) -> Process:
        if worker.process.popen.poll() is not None:
            raise Missed
        return worker.process

    # -- servers ------------------------------------------------------------------------------------------------

    def _take_away(self, name: str, server: Server, away_s: float) -> None:
        with self._absent(name):
            server.kill()
            time.sleep(away_s)
            _start(server)

    @contextmanager
    def _absent(self, name: str) -> Iterator[None]:
        absence = [time.monotonic(), inf]
        self._absences.append((name, absence))
        yield
        absence[1] = time.monotonic()

    def _empty(self) -> None:
        try:
            self._trial.application.redis.flushall()
        except RedisError:
            raise Missed from None

    # -- what operators ask for ---------------------------------------------------------------------------------

    def _correct(self, hit: Hit) -> None:
        try:
            corrections.correct(self._trial.application, self._titles, self._rng[hit.kind])
        except KafkaError:
            raise Missed from None

    def _forget(self, hit: Hit) -> None:
        chosen = self._rng[hit.kind].sample(self._households, erasures.FORGOTTEN)
        erasures.ask(self._trial.application, chosen)


def _start(server: Server) -> None:
    """On a machine that is busy enough a server is not ready in time; it is given up then, and started anew."""
    for _ in range(_STARTS - 1):
        with suppress(ServerFailed):
            return server.start()
    return server.start()


def _handles_sigterm(life: Process) -> bool:
    """Whether the signal is a command's to handle by now: before that it would end the interpreter that starts it."""
    if life.popen.poll() is not None:
        return True
    status = Path(f"/proc/{life.popen.pid}/status").read_text().splitlines()
    (caught,) = (line.split()[1] for line in status if line.startswith("SigCgt"))
    return bool(int(caught, 16) & 1 << signal.SIGTERM - 1)

"""`make chaos`: faults that overlap. Workers die and freeze, servers die, catalog and households change, all at once.

At the end every number must equal a recomputation, and every end of a worker must have a cause. Owns the run and what
it reports. `chaos_schedule` says which fault strikes when, `strikes_at_once` how, `exits` what a cause is.
"""

from __future__ import annotations

import json
import shutil
import signal
import tempfile
import threading
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from application import Process
from chaos_schedule import Hit, schedule
from exits import UNEXPLAINED, Exit, cause_of, last_error
from polling_reader import OF_NOBODY
from rich.console import Console
from strikes_at_once import Strikes
from trial import Trial

from streams.tools.devstack import Devstack
from streams.tools.devstack.redis import RedisServer

WORKERS = 3
_LOOK_S = 0.1
_GOES_ON_S = 180.0
_WAIT_S = 180.0
_VERIFIED_WITHIN_S = 900.0


class Chaos:
    """One run. `exits` and `problems`: what came of it; a problem is a text, and none is good."""

    def __init__(self, servers: Devstack, folder: Path, seed: int, partitions: int, rate: int) -> None:
        self.exits: list[Exit] = []
        self.problems: list[str] = []
        self.answer: dict[str, Any] = {}
        self.feeds_ended: list[str] = []
        self._rate = rate
        self.trial = Trial(servers, folder, f"{seed}", 1, {}, wait_s=_WAIT_S)
        redis = self.trial.enter(_running(RedisServer(folder / "forgetful", persistent=False)))
        self.trial.next_fault("chaos")
        self.trial.set_up(ENCORE_REDIS=redis.address, ENCORE_TOPIC_PARTITIONS=str(partitions))
        self.trial.feed(rate)
        self._start_workers()
        self.trial.read_on(grows=OF_NOBODY)
        self.strikes = Strikes(self.trial, redis, seed)
        self._begun_s = time.monotonic()
        self._ended: set[Process] = set()

    def _start_workers(self) -> None:
        """One of them has no name of its own: others take over from it once its session is over."""
        trial = self.trial
        trial.crew = [*trial.named_workers(WORKERS - 1), trial.worker()]
        trial.until_working()

    def run(self, hits: Sequence[Hit], seconds: float) -> None:
        """Strike for so long, end the load, verify, and end the workers in order."""
        by_kind: dict[str, list[Hit]] = defaultdict(list)
        for hit in hits:
            by_kind[hit.kind].append(hit)
        self._begun_s = time.monotonic()
        threads = [
            threading.Thread(target=self._strike_all, args=(each, seconds), daemon=True) for each in by_kind.values()
        ]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            time.sleep(_LOOK_S)
            self._look()
            self._keep_feeding()
        for step in (self._verify, self._end_workers, self._look, self._judge_exits):
            with self._noting_problems():
                step()

    def _strike_all(self, hits: Sequence[Hit], seconds: float) -> None:
        """Hits of one kind follow each other, with their pauses. On a busy machine one may take so long that the last
        ones are missed.
        """
        late_s = 0.0
        for hit in hits:
            due_s = self._begun_s + hit.at_s + late_s
            time.sleep(max(0.0, due_s - time.monotonic()))
            if time.monotonic() > self._begun_s + seconds:
                self.strikes.missed[hit.kind] += 1
                continue
            with self._noting_problems():
                self.strikes.strike(hit)
            late_s += max(0.0, time.monotonic() - due_s - hit.lasts_s)

    def _keep_feeding(self) -> None:
        """A sender gives up where Kafka takes nothing for long: then another one goes on."""
        for feed in [feed for feed in self.trial.feeds if feed.popen.poll() is not None]:
            self.trial.feeds.remove(feed)
            self.feeds_ended.append(feed.log[-200:])
            self.trial.feed(self._rate)

    @contextmanager
    def _noting_problems(self) -> Iterator[None]:
        try:
            yield
        except Exception:
            self.problems.append(traceback.format_exc())

    def _verify(self) -> None:
        with self._looking_on():
            self.trial.until_working(within_s=_GOES_ON_S)
            self.answer = self.trial.verify(_VERIFIED_WITHIN_S)

    @contextmanager
    def _looking_on(self) -> Iterator[None]:
        """Ends are noted at the moment at which they come, whatever is waited for meanwhile."""
        done = threading.Event()

        def look() -> None:
            while not done.wait(_LOOK_S):
                self._look()

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        yield
        done.set()
        thread.join()

    def _end_workers(self) -> None:
        for worker in self.trial.crew:
            worker.supervised = False
            self.strikes.sent[worker.process].add(signal.SIGTERM)
            assert worker.process.stopped().code == 0, worker.process.log[-3000:]

    def _look(self) -> None:
        """Note the lives that have ended since the last look."""
        at_s = time.monotonic()
        for number, worker in enumerate(self.trial.crew):
            for place, life in enumerate(list(worker.lives)):
                if life not in self._ended and life.popen.poll() is not None:
                    self._ended.add(life)
                    self.exits.append(self._exit(f"{number}.{place}", life, at_s))

    def _exit(self, name: str, life: Process, at_s: float) -> Exit:
        code, said = life.popen.returncode, last_error(life.log)
        cause = cause_of(code, said, self.strikes.sent[life], self.strikes.away(at_s))
        return Exit(round(at_s - self._begun_s, 1), name, code, cause, said)

    def _judge_exits(self) -> None:
        found = [each for each in self.exits if each.cause == UNEXPLAINED]
        logs = [f"{each}\n{self._log_of(each)[-3000:]}" for each in found]
        assert not found, "workers ended for no reason that the run knows of:\n" + "\n".join(logs)
        for worker in self.trial.crew:
            for life in worker.lives:
                assert "Traceback" not in life.log, life.log[-4000:]

    def _log_of(self, end: Exit) -> str:
        number, _, place = end.worker.partition(".")
        return self.trial.crew[int(number)].lives[int(place)].log

    def figures(self) -> dict[str, Any]:
        """What it came to, for machines."""
        return {
            "hits": dict(sorted(self.strikes.hits.items())),
            "missed": dict(sorted(self.strikes.missed.items())),
            "exits": dict(sorted(Counter(each.cause for each in self.exits).items())),
            "feeds_ended": self.feeds_ended,
            "away_s": self.strikes.absences(self._begun_s),
            "renewals_s": self.trial.figures("chaos").get("renewal_s", []),
            "verified": self.answer,
            "problems": self.problems,
        }


@contextmanager
def _running(redis: RedisServer) -> Iterator[RedisServer]:
    redis.start()
    yield redis
    redis.stop()


@click.command()
@click.option("--seed", type=int, default=None, help="the schedule's seed [default: the time]")
@click.option("--seconds", type=click.FloatRange(10), default=420.0, show_default=True, help="how long faults strike")
@click.option("--partitions", type=click.IntRange(1, 64), default=6, show_default=True)
@click.option("--rate", type=int, default=300, show_default=True, help="events a second")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="write the figures and all exits here")
@click.option("--keep", is_flag=True, help="keep the folder of logs")
@click.option("--list", "is_list", is_flag=True, help="list the hits of the schedule")
def chaos(
    seed: int | None, seconds: float, partitions: int, rate: int, json_file: Path | None, keep: bool, is_list: bool
) -> None:
    """Let faults overlap; exit 1 where a number differs from a recomputation or a worker ended without a cause."""
    seed = int(time.time()) if seed is None else seed
    hits = schedule(seed, seconds, WORKERS)
    if is_list:
        for hit in hits:
            click.echo(f"{hit.at_s:7.1f} s  {hit.kind}, worker {hit.worker}, for {hit.lasts_s:.1f} s")
        return
    folder = Path(tempfile.mkdtemp(prefix="encore-chaos-"))
    click.echo(f"seed {seed}: {len(hits)} hits in {seconds:g} s, {partitions} partitions, logs in {folder}")
    with Devstack.start(folder, brokers=1, brief=True) as servers:
        made = Chaos(servers, folder / "trials", seed, partitions, rate)
        try:
            made.run(hits, seconds)
        finally:
            made.trial.close()
    _show(made)
    if json_file:
        exits = [each._asdict() for each in made.exits]
        json_file.write_text(json.dumps({"seed": seed, "seconds": seconds, **made.figures(), "all_exits": exits}))
    if not made.problems and not keep:
        shutil.rmtree(folder, ignore_errors=True)
    raise SystemExit(bool(made.problems))


def _show(made: Chaos) -> None:
    for end in made.exits:
        click.echo(f"{end.at_s:7.1f} s  worker {end.worker}  exit {end.code}: {end.cause}")
        if end.said:
            click.echo(f"           {end.said}")
    found = made.figures()
    problems = found.pop("problems")
    for name, from_s, to_s in found.pop("away_s"):
        click.echo(f"{from_s:7.1f} s  {name} was away, until {to_s:.1f} s")
    Console().print_json(json.dumps(found))
    for problem in problems:
        click.echo(f"\n{problem}", err=True)


if __name__ == "__main__":
    chaos()

"""Runs seed after seed, and shrinks the first that fails to the fewest faults that still fail it."""

from __future__ import annotations

import gc
import logging
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from math import inf
from typing import NamedTuple

from world import Verdict, run

_TELL_S = 10.0
_TIMES_SLOWER = 4
"""On a busy machine a campaign ends at the latest after this many times its CPU time."""
_COLLECT_RUNS = 20


class Found(NamedTuple):
    """A seed that fails: with all of its faults, and with as few as are needed."""

    verdict: Verdict
    shrunk: Verdict


@contextmanager
def quietly() -> Iterator[None]:
    """Without logs, and without what the tasks of dead workers say when they are collected."""
    logging.disable(logging.CRITICAL)
    sys.unraisablehook = lambda _: None
    gc.disable()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "coroutine .* was never awaited")
            yield
            gc.collect()
    finally:
        gc.enable()
        sys.unraisablehook = sys.__unraisablehook__
        logging.disable(logging.NOTSET)


def simulate(seeds: Iterable[int], within_s: float | None, tell: Callable[[str], object]) -> Found | None:
    """Run seeds until one fails, until none is left, or until so much CPU time is spent."""
    spent_s, told_s, most_s = _stopwatch(), time.monotonic(), time.monotonic() + _TIMES_SLOWER * (within_s or inf)
    runs, checkpoints, found = 0, 0, None
    with quietly():
        for seed in seeds:
            verdict = run(seed)
            runs, checkpoints = runs + 1, checkpoints + verdict.checkpoints
            if runs % _COLLECT_RUNS == 0:
                gc.collect()
            if verdict.problems:
                found = Found(verdict, shrunk(verdict))
                tell(report(found))
                break
            if time.monotonic() - told_s > _TELL_S:
                told_s = time.monotonic()
                tell(_progress(runs, checkpoints, spent_s()))
            if spent_s() > (within_s or inf) or time.monotonic() > most_s:
                break
    tell(_progress(runs, checkpoints, spent_s()))
    return found


def _stopwatch() -> Callable[[], float]:
    """The CPU time spent since now."""
    begun_s = time.process_time()
    return lambda: time.process_time() - begun_s


def _progress(runs: int, checkpoints: int, seconds: float) -> str:
    rate = 3600 * runs / max(seconds, 0.001)
    return f"{runs} schedules, {checkpoints} checkpoints, {seconds:.1f} s of CPU: {rate:,.0f} schedules an hour"


def shrunk(verdict: Verdict) -> Verdict:
    """The same seed with faults dropped, one by one, as long as it still fails."""
    least, place = verdict, 0
    while place < len(least.faults):
        fewer = run(verdict.seed, [*least.faults[:place], *least.faults[place + 1 :]])
        if fewer.problems:
            least = fewer
        else:
            place += 1
    return least


def report(found: Found) -> str:
    """What failed, by which faults, and how to run it again."""
    verdict, least = found
    lines = [
        f"seed {verdict.seed} fails: {verdict.problems[0]}",
        f"  of {len(verdict.faults)} faults these are enough ({least.problems[0]}):",
        *(f"    {fault}" for fault in least.faults),
        *(f"  {end}" for end in least.ends[-4:]),
        f"  again: python tests/simulation --seed {verdict.seed} --runs 1",
    ]
    return "\n".join(lines)

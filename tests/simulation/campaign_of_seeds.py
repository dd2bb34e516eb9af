"""Runs seed after seed, and shrinks the first that fails to the fewest faults that still fail it."""

from __future__ import annotations

import gc
import logging
import sys
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

from world import Verdict, run

_TELL_S = 10.0
_COLLECT_RUNS = 20


class Found(NamedTuple):
    """A seed that fails: with all of its faults, and with as few as are needed."""

    verdict: Verdict
    shrunk: Verdict


def simulate(seeds: Iterable[int], within_s: float | None, tell: Callable[[str], object]) -> Found | None:
    """Run seeds until one fails, until none is left, or until so much CPU time is spent."""
    logging.disable(logging.CRITICAL)
    begun_s, runs, told_s, checkpoints = time.process_time(), 0, time.monotonic(), 0
    found = None
    gc.disable()
    # The tasks of dead workers end when they are collected; what they say then, nobody needs to know.
    sys.unraisablehook = lambda _: None
    try:
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
                tell(_progress(runs, checkpoints, time.process_time() - begun_s))
            if within_s is not None and time.process_time() - begun_s > within_s:
                break
    finally:
        gc.collect()
        gc.enable()
        sys.unraisablehook = sys.__unraisablehook__
        logging.disable(logging.NOTSET)
    tell(_progress(runs, checkpoints, time.process_time() - begun_s))
    return found


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

"""The list of faults: what each is called, how often it strikes in one trial, and what it needs.

Owns the registration. A fault's function takes a `Trial`, strikes `trial.hits` times, and leaves the verdict
to `trial.verify()`, which it calls last.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from trial import Trial

Run = Callable[[Trial], None]


class Fault(NamedTuple):
    """`per_trial` hits in one application; `short` and `long`: hits in the shortened and in the long campaign."""

    name: str
    run: Run
    per_trial: int
    short: int
    long: int
    brokers: int


FAULTS: dict[str, Fault] = {}


def fault(name: str, *, per_trial: int = 1, short: int = 1, long: int = 20, brokers: int = 1) -> Callable[[Run], Run]:
    """Register a fault under its name."""

    def register(run: Run) -> Run:
        assert name not in FAULTS
        FAULTS[name] = Fault(name, run, per_trial, short, long, brokers)
        return run

    return register

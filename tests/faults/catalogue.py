"""The list of faults: what each is called, how often it strikes in one trial, and what it needs.

Owns the registration, and how faults share a trial. A fault is either a function that makes a whole trial (it strikes
`trial.hits` times, and calls `trial.verify()` last), or a strike on a scene: what begins a trial for all faults on it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from trial import Trial

Run = Callable[[Trial], None]
Strike = Callable[[Trial, int], None]
"""One hit, the number-th of its fault in this trial: it finds work under way, strikes, and sees work go on."""


class Scene(NamedTuple):
    """How a trial begins and ends for all faults that strike on it."""

    name: str
    begin: Run
    brokers: int = 1
    end: Callable[[Trial], object] = Trial.verify
    go_on: Callable[[Trial], object] = Trial.feed
    """Makes work flow again after `end`."""


class Fault(NamedTuple):
    """`per_trial` hits in one application; `short` and `long`: hits in the shortened and in the long campaign.

    `scene` None: it shares no trial. `hides`: what was wrong before it may be right after it.
    """

    name: str
    run: Run
    per_trial: int
    short: int
    long: int
    brokers: int
    scene: Scene | None = None
    strike: Strike | None = None
    hides: bool = False


class Strikes(NamedTuple):
    """So many hits of a fault."""

    fault: Fault
    hits: int


FAULTS: dict[str, Fault] = {}


def fault(name: str, *, per_trial: int = 1, short: int = 1, long: int = 10, brokers: int = 1) -> Callable[[Run], Run]:
    """Register a fault that makes a trial of its own."""

    def register(run: Run) -> Run:
        _add(Fault(name, run, per_trial, short, long, brokers))
        return run

    return register


def strike(
    name: str, scene: Scene, *, per_trial: int = 1, short: int = 1, long: int = 10, hides: bool = False
) -> Callable[[Strike], Strike]:
    """Register a fault by what one hit does on a scene."""

    def register(hit: Strike) -> Strike:
        def run(trial: Trial) -> None:
            share(trial, [Strikes(made, trial.hits)])

        made = Fault(name, run, per_trial, short, long, scene.brokers, scene, hit, hides)
        _add(made)
        return hit

    return register


def _add(made: Fault) -> None:
    assert made.name not in FAULTS
    FAULTS[made.name] = made


def share(trial: Trial, all_strikes: Sequence[Strikes]) -> None:
    """One trial of all these faults, which strike on one scene, in this order.

    Before one that hides what went wrong until then, that is verified.
    """
    scene = all_strikes[0].fault.scene
    assert scene is not None
    scene.begin(trial)
    for place, (struck, hits) in enumerate(all_strikes):
        if place and struck.hides:
            scene.end(trial)
            scene.go_on(trial)
        assert struck.scene is scene and struck.strike is not None
        trial.next_fault(struck.name)
        for number in range(hits):
            struck.strike(trial, number)
            trial.note_hit()
    scene.end(trial)

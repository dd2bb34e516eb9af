"""Households are forgotten while their events flow and workers die."""

from __future__ import annotations

from collections.abc import Iterable

from application import Application
from catalogue import strike
from scenes import AT_WORK
from trial import Trial

FORGOTTEN = 3
LATELY = 1_000
"""Records of each partition: to read the whole topic takes minutes once a trial is old."""


@strike("households forgotten, while a worker is killed", AT_WORK, per_trial=5)
def forgotten(trial: Trial, number: int) -> None:
    application = trial.application
    trial.mid_work()
    chosen = trial.rng.sample(households_of(application), FORGOTTEN)
    ask(application, chosen)
    trial.sleep(0.0, 1.5)
    trial.rng.choice(trial.crew).process.kill()
    trial.until_working()
    for household in chosen:
        ended = application.start("forget", household, "--yes").ended(90)
        assert ended.code == 0, ended.log


def households_of(application: Application) -> list[str]:
    """The households that have sent events lately."""
    source = application.read(application.environment["ENCORE_SOURCE_TOPIC"], last=LATELY)
    return sorted({record.key.decode(errors="ignore") for record in source if record.key} - {""})


def ask(application: Application, households: Iterable[str]) -> None:
    """Ask for households to be forgotten, without waiting until they are."""
    for household in households:
        application.start("forget", household, "--yes", "--wait", "0").ended()

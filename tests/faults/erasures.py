"""Households are forgotten while their events flow and workers die."""

from __future__ import annotations

from catalogue import strike
from scenes import AT_WORK
from trial import Trial

_FORGOTTEN = 3


@strike("households forgotten, while a worker is killed", AT_WORK, per_trial=5)
def forgotten(trial: Trial, number: int) -> None:
    application = trial.application
    trial.mid_work()
    source = application.read(application.environment["ENCORE_SOURCE_TOPIC"])
    households = sorted({record.key.decode(errors="ignore") for record in source if record.key} - {""})
    chosen = trial.rng.sample(households, _FORGOTTEN)
    for household in chosen:
        application.start("forget", household, "--wait", "0").ended()
    trial.sleep(0.0, 1.5)
    trial.rng.choice(trial.crew).process.kill()
    trial.until_working()
    for household in chosen:
        ended = application.start("forget", household).ended(90)
        assert ended.code == 0, ended.log

"""Households are forgotten while their events flow and workers die."""

from __future__ import annotations

from catalogue import fault
from trial import Trial

_FORGOTTEN = 3


@fault("households forgotten, while a worker is killed", per_trial=5)
def forgotten(trial: Trial) -> None:
    application = trial.set_up()
    workers = trial.start_work()
    asked: set[str] = set()
    for _ in range(trial.hits):
        trial.mid_work()
        source = application.read(application.environment["ENCORE_SOURCE_TOPIC"])
        households = sorted({record.key.decode(errors="ignore") for record in source if record.key} - {""})
        chosen = trial.rng.sample(households, _FORGOTTEN)
        for household in chosen:
            application.start("forget", household, "--wait", "0").ended()
        asked.update(chosen)
        trial.sleep(0.0, 1.5)
        trial.rng.choice(workers).process.kill()
        trial.until_working()
    for household in sorted(asked):
        ended = application.start("forget", household).ended(90)
        assert ended.code == 0, ended.log
    trial.verify()

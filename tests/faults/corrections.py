"""Titles' runtimes, credits, kinds and franchises are corrected while events flow and workers die."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from application import Application
from catalogue import strike
from playback import MINUTE_MS
from scenes import AT_WORK
from trial import Trial

_CORRECTED = 5

Titles = dict[str, dict[str, Any]]
"""Rows of the catalog by title."""


@strike("catalog corrected, while a worker is killed", AT_WORK, per_trial=5)
def corrected(trial: Trial, number: int) -> None:
    titles = titles_of(trial.application)
    trial.mid_work()
    correct(trial.application, titles, trial.rng)
    trial.sleep(0.0, 1.5)
    trial.rng.choice(trial.crew).process.kill()
    trial.until_working()


def titles_of(application: Application) -> Titles:
    """The catalog as it is now."""
    records = application.read(application.environment["ENCORE_TITLES_TOPIC"])
    rows = [json.loads(record.value) for record in records if record.value]
    return {row["title_id"]: row for row in rows}


def correct(application: Application, titles: Titles, rng: Random) -> None:
    """Correct some of these titles."""
    topic = application.environment["ENCORE_TITLES_TOPIC"]
    for title_id in rng.sample(sorted(titles), _CORRECTED):
        row = _correction(rng, titles[title_id])
        value = json.dumps(row).encode() if row else None
        application.produce(title_id.encode(), value, 1, topic).get(30)


def _correction(rng: Random, row: dict[str, Any]) -> dict[str, Any] | None:
    """The row with another length, kind or franchise; now and then none: the title is taken out."""
    runtime_ms = rng.randrange(5, 150) * MINUTE_MS
    return rng.choice(
        [
            row | {"runtime_ms": runtime_ms},
            row | {"runtime_ms": runtime_ms, "credits_start_ms": runtime_ms - rng.randrange(1, 4) * MINUTE_MS},
            row | {"content_kind": rng.choice(["main", "trailer"])},
            row | {"franchise_id": f"franchise-{rng.randrange(3)}"},
            None,
        ]
    )

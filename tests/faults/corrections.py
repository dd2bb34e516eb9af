"""Titles' runtimes, credits, kinds and franchises are corrected while events flow and workers die."""

from __future__ import annotations

import json
from typing import Any

from catalogue import strike
from playback import MINUTE_MS
from scenes import AT_WORK
from trial import Trial

_CORRECTED = 5


@strike("catalog corrected, while a worker is killed", AT_WORK, per_trial=5)
def corrected(trial: Trial, number: int) -> None:
    application = trial.application
    topic = application.environment["ENCORE_TITLES_TOPIC"]
    rows = [json.loads(record.value) for record in application.read(topic) if record.value]
    titles = {row["title_id"]: row for row in rows}
    trial.mid_work()
    for title_id in trial.rng.sample(sorted(titles), _CORRECTED):
        row = _correction(trial, titles[title_id])
        value = json.dumps(row).encode() if row else None
        application.produce(title_id.encode(), value, 1, topic).get(30)
    trial.sleep(0.0, 1.5)
    trial.rng.choice(trial.crew).process.kill()
    trial.until_working()


def _correction(trial: Trial, row: dict[str, Any]) -> dict[str, Any] | None:
    """The row with another length, kind or franchise; now and then none: the title is taken out."""
    rng = trial.rng
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

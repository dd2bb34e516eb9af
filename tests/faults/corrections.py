"""Titles' runtimes, credits, kinds and franchises are corrected while events flow and workers die."""

from __future__ import annotations

import json
from typing import Any

from catalogue import fault
from playback import MINUTE_MS
from trial import Trial

_CORRECTED = 5


@fault("catalog corrected, while a worker is killed", per_trial=5)
def corrected(trial: Trial) -> None:
    application = trial.set_up()
    workers = trial.start_work()
    topic = application.environment["ENCORE_TITLES_TOPIC"]
    titles = {json.loads(record.value)["title_id"]: json.loads(record.value) for record in application.read(topic)}
    for _ in range(trial.hits):
        trial.mid_work()
        for title_id in trial.rng.sample(sorted(titles), _CORRECTED):
            row = _correction(trial, titles[title_id])
            value = json.dumps(row).encode() if row else None
            application.produce(title_id.encode(), value, 1, topic).get(30)
        trial.sleep(0.0, 1.5)
        trial.rng.choice(workers).process.kill()
        trial.until_working()
    trial.verify()


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

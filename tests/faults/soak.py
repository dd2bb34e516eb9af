"""`make soak`: hours of load with a worker killed now and then; memory must stay flat, lag bounded, all exact.

Owns what is sampled and what flat and bounded mean. One of two workers is never killed: its memory is the one
that is watched.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from statistics import median

import click
from redis_loss import resident
from rich.console import Console
from trial import Trial, Worker

from streams.tools.devstack import Devstack

_SAMPLE_S = 2.0
_WARM_UP_SHARE = 0.4
_MOST_GROWTH_SHARE = 0.1
_MOST_BEHIND_S = 30.0
_SERVERS_HEAP = "2g"


@click.command()
@click.option("--minutes", type=float, default=120.0, show_default=True)
@click.option("--rate", type=int, default=10_000, show_default=True, help="events a second")
@click.option("--kill-every-s", type=float, default=300.0, show_default=True)
@click.option("--households", type=int, default=5_000, show_default=True)
@click.option("--grace-days", type=int, default=1, show_default=True, help="so short that memory can be flat")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="write the samples here")
def soak(
    minutes: float, rate: int, kill_every_s: float, households: int, grace_days: int, seed: int, json_file: Path | None
) -> None:
    """Run for so many minutes; exit 1 where memory grew, lag did, or anything differs from a recomputation.

    Sessions are kept as long as an event can come to them: of a grace longer than the simulated time, memory grows all
    the way.
    """
    console = Console()
    folder = Path(tempfile.mkdtemp(prefix="encore-soak-"))
    with Devstack.start(folder, heap=_SERVERS_HEAP) as servers:
        settings = {"ENCORE_GRACE_DAYS": str(grace_days), "ENCORE_CHECKPOINT_S": "0.2"}
        trial = Trial(servers, folder / "trials", str(seed), 1, settings)
        try:
            samples, kills = _run(trial, minutes * 60, rate, kill_every_s, households, console)
            found = _figures(samples, kills, rate)
            console.print(found)
            console.print("verifying")
            found["verified"] = trial.verify(within_s=7200)
        finally:
            trial.close()
    console.print_json(json.dumps(found))
    if json_file:
        json_file.write_text(json.dumps(found | {"samples": samples}))
    assert found["growth_share"] <= _MOST_GROWTH_SHARE, "memory grew after warm-up"
    assert found["behind_s_p99"] <= _MOST_BEHIND_S, "lag grew"


def _run(
    trial: Trial, soak_s: float, rate: int, kill_every_s: float, households: int, console: Console
) -> tuple[list[dict[str, float]], int]:
    trial.set_up()
    trial.feed(rate, households=households)
    steady, victim = trial.named_workers(2)
    trial.until_working()
    begun_s = killed_s = time.monotonic()
    samples: list[dict[str, float]] = []
    kills = 0
    while (at_s := time.monotonic() - begun_s) < soak_s:
        time.sleep(_SAMPLE_S)
        if time.monotonic() - killed_s > kill_every_s:
            victim.process.kill()
            killed_s, kills = time.monotonic(), kills + 1
        samples.append(_sample(trial, steady, at_s))
        if len(samples) % 30 == 0:
            console.print(samples[-1])
    assert not steady.ends, steady.process.log[-3000:]
    return samples, kills


def _sample(trial: Trial, steady: Worker, at_s: float) -> dict[str, float]:
    return {
        "at_s": round(at_s, 1),
        "resident_mib": round(resident(steady.process.popen.pid) / (1 << 20), 1),
        "behind_records": trial.follower.behind(),
        "checkpointed": sum(trial.follower.positions.values()),
    }


def _figures(samples: list[dict[str, float]], kills: int, rate: int) -> dict[str, object]:
    """Memory of the last fifth of the time over that just after the warm-up; lag in seconds of the load."""
    resident_mib = [sample["resident_mib"] for sample in samples]
    warm, fifth = int(len(samples) * _WARM_UP_SHARE), max(1, len(samples) // 5)
    before, after = median(resident_mib[warm : warm + fifth]), median(resident_mib[-fifth:])
    behind = sorted(sample["behind_records"] for sample in samples)
    return {
        "kills": kills,
        "events": samples[-1]["checkpointed"],
        "minutes": round(samples[-1]["at_s"] / 60, 1),
        "resident_mib_warm": before,
        "resident_mib_end": after,
        "growth_share": round(after / before - 1, 3),
        "behind_s_p50": round(median(behind) / rate, 2),
        "behind_s_p99": round(behind[int(len(behind) * 0.99)] / rate, 2),
        "behind_s_max": round(behind[-1] / rate, 2),
    }


if __name__ == "__main__":
    soak()

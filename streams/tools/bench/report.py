"""The figures of a benchmark, for machines (one flat dict) and for people (a table).

Owns their names and wording.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from models import FORM
from streams.tools.bench.backlog import Measured, Stock
from streams.tools.bench.hostile import Hostile
from streams.tools.bench.live import Latency
from streams.tools.bench.restoring import Restore
from streams.verify import Verification

MIB = 1 << 20
SHOWN = 10


@dataclass(frozen=True)
class HostileTrial:
    """A hostile load's cost, how long the recomputation took, and what did not verify."""

    cost: Hostile
    verify_s: float
    differences: Sequence[str]


@dataclass(frozen=True)
class Report:
    """One invocation: a backlog, a live stream, a restore or the hostile loads, what of it did not verify, and stock
    Faust beside it."""

    shape: str
    differences: Sequence[str]
    worker: Measured | None = None
    stock: Stock | None = None
    latency: Latency | None = None
    restore: Restore | None = None
    hostile: Sequence[HostileTrial] = ()

    @property
    def verified(self) -> bool:
        """Whether every published counter equals the recomputation, or all that was written was restored."""
        return not self.differences

    @property
    def ratio(self) -> float | None:
        """Events per CPU-second of the worker over those of stock Faust."""
        if self.worker is None or self.stock is None:
            return None
        return self.worker.events_per_cpu_s / self.stock.events_per_cpu_s


def differences(answer: Verification) -> list[str]:
    """A line for each difference; after them what explains them."""
    found = [
        f"{key} {field}: published {found}, recomputed {expected}" for key, field, expected, found in answer.differences
    ]
    return found and found + answer.notes


def as_dict(report: Report) -> dict[str, Any]:
    """Every figure under the name that the documentation uses; absent parts are left out."""
    parts = [_worker(report.worker), _stock(report.stock), _latency(report.latency), _restore(report.restore)]
    figures = {name: value for part in parts for name, value in part.items()}
    if report.ratio is not None:
        figures["ratio"] = round(report.ratio, 1)
    if report.hostile:
        figures["loads"] = _hostile(report.hostile)
    differences = {"difference_count": len(report.differences), "differences": report.differences[:SHOWN]}
    return {"shape": report.shape, "rules": FORM, **figures, "verified": report.verified, **differences}


def _worker(worker: Measured | None) -> dict[str, Any]:
    if worker is None:
        return {}
    return {
        "events": worker.events,
        "measured_events": worker.measured_events,
        "wall_s": round(worker.wall_s, 3),
        "cpu_s": round(worker.cpu_s, 3),
        "events_per_s": round(worker.events_per_s),
        "events_per_cpu_s": round(worker.events_per_cpu_s),
        "events_per_process_cpu_s": round(worker.events_per_process_cpu_s),
        "peak_mib": round(worker.peak_bytes / MIB, 1),
        "changelog_rows": worker.changelog_rows,
        "redis_keys": worker.redis_keys,
    }


def _stock(stock: Stock | None) -> dict[str, Any]:
    if stock is None:
        return {}
    return {
        "stock_events": stock.events,
        "stock_events_per_s": round(stock.events_per_s),
        "stock_events_per_cpu_s": round(stock.events_per_cpu_s),
    }


def _latency(latency: Latency | None) -> dict[str, Any]:
    if latency is None:
        return {}
    return {
        "events": latency.events,
        "events_per_s": round(latency.events_per_s),
        "probes": latency.probes,
        "p50_ms": round(latency.p50_ms),
        "p99_ms": round(latency.p99_ms),
        "largest_ms": round(latency.largest_ms),
        "sender_behind_ms": round(latency.behind_s * 1000),
        "worker_cpu_share": round(latency.worker_cpu_share, 3),
    }


def _hostile(trials: Sequence[HostileTrial]) -> list[dict[str, Any]]:
    """The first load is the one that the others are compared with."""
    ordinary_us = trials[0].cost.cpu_us_per_event
    return [
        {
            "load": trial.cost.load,
            "events": trial.cost.events,
            "cpu_us_per_event": round(trial.cost.cpu_us_per_event, 1),
            "times_ordinary": round(trial.cost.cpu_us_per_event / ordinary_us, 1),
            "longest_wait_s": round(trial.cost.longest_wait_s, 1),
            "longest_new_s": round(trial.cost.longest_new_s, 1),
            "peak_mib": round(trial.cost.peak_bytes / MIB),
            "end_mib": round(trial.cost.end_bytes / MIB),
            "redis_keys": trial.cost.redis_keys,
            "verify_s": round(trial.verify_s, 1),
            "verified": not trial.differences,
        }
        for trial in trials
    ]


def _restore(restore: Restore | None) -> dict[str, Any]:
    if restore is None:
        return {}
    return {
        "partitions": restore.partitions,
        "records": restore.records,
        "rows": restore.rows,
        "restore_s": round(restore.wall_s, 3),
        "restore_cpu_s": round(restore.cpu_s, 3),
        "rows_per_s": round(restore.rows_per_s),
        "rows_per_cpu_s": round(restore.rows_per_cpu_s),
        "bytes_per_row": round(restore.bytes_per_row),
        "peak_mib": round(restore.peak_bytes / MIB, 1),
    }


LABELS = {
    "rules": "rules",
    "events": "events",
    "measured_events": "events in the measured window",
    "wall_s": "seconds",
    "cpu_s": "CPU seconds of the worker",
    "events_per_s": "events per second",
    "events_per_cpu_s": "events per CPU-second",
    "events_per_process_cpu_s": "events per CPU-second, start-up included",
    "peak_mib": "peak memory, MiB",
    "changelog_rows": "changelog rows",
    "redis_keys": "Redis keys",
    "stock_events": "stock Faust: events",
    "stock_events_per_s": "stock Faust: events per second",
    "stock_events_per_cpu_s": "stock Faust: events per CPU-second",
    "ratio": "worker / stock Faust, per CPU-second",
    "probes": "probes (events whose way was timed)",
    "p50_ms": "event to Redis, p50, ms",
    "p99_ms": "event to Redis, p99, ms",
    "largest_ms": "event to Redis, largest, ms",
    "sender_behind_ms": "sender behind its schedule at most, ms",
    "worker_cpu_share": "worker's share of one CPU",
    "partitions": "partitions restored at once",
    "records": "changelog records",
    "rows": "rows",
    "restore_s": "seconds",
    "restore_cpu_s": "CPU seconds",
    "rows_per_s": "rows per second",
    "rows_per_cpu_s": "rows per CPU-second",
    "bytes_per_row": "memory for a row, bytes",
}


HOSTILE_COLUMNS = {
    "load": "load",
    "events": "events",
    "cpu_us_per_event": "CPU µs an event",
    "times_ordinary": "times ordinary",
    "longest_wait_s": "an ordinary event waits at most, s",
    "longest_new_s": "of a new title, s",
    "peak_mib": "peak MiB",
    "end_mib": "MiB at the end",
    "redis_keys": "Redis keys",
    "verify_s": "verify, s",
}


def _hostile_table(report: Report) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), title=f"rules: {FORM}", title_justify="left")
    for name, heading in HOSTILE_COLUMNS.items():
        table.add_column(heading, justify="left" if name == "load" else "right")
    table.add_column("verified")
    for row in _hostile(report.hostile):
        cells = [f"{row[name]:,}" if name != "load" else row[name] for name in HOSTILE_COLUMNS]
        table.add_row(*cells, "[bold green]✓ yes[/]" if row["verified"] else "[bold red]✗ no[/]")
    return table


def as_table(report: Report) -> Table:
    """The figures, one a line, numbers aligned; the verdict last. Of hostile loads: a line for each."""
    if report.hostile:
        return _hostile_table(report)
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), title_justify="left")
    table.add_column(style="dim")
    table.add_column(justify="right")
    for name, value in as_dict(report).items():
        if name in LABELS:
            table.add_row(LABELS[name], value if isinstance(value, str) else f"{value:,}")
    said = "every row restored" if report.restore else "every published counter verified"
    table.add_row(said, "[bold green]✓ yes[/]" if report.verified else "[bold red]✗ no[/]")
    return table

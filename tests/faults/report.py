"""What a campaign found, as a table for a terminal, as Markdown and as JSON.

Owns which figures are shown and how they are summed up.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

from campaign import Campaign, Result
from rich.table import Table

HEADS = ("fault", "hits", "void", "trials", "events", "failed", "seconds: p50 / p99")
TIMES = ("takeover_s", "restart_s", "recovery_s", "exit_s")
"""Figures of a distribution, the most telling first."""


def rows(campaign: Campaign) -> list[tuple[str, ...]]:
    """A row for each fault, and one for all."""
    results = list(campaign.results.values())
    return [*map(_row, results), _row(_all(results))]


def _row(result: Result) -> tuple[str, ...]:
    counts = (result.hits, result.voids, result.trials, int(sum(result.figures.get("events", [])) or 0))
    return (result.fault, *(f"{count:,}" for count in counts), str(len(result.failures)), _times(result))


def _times(result: Result) -> str:
    for name in TIMES:
        if values := result.figures.get(name):
            words = name.removesuffix("_s")
            return f"{words} {median(values):.1f} / {percentile(values, 99):.1f}"
    return ""


def _all(results: Sequence[Result]) -> Result:
    total = Result("all")
    for result in results:
        total.hits += result.hits
        total.voids += result.voids
        total.trials += result.trials
        total.failures += result.failures
        total.figures["events"] += result.figures.get("events", [])
    return total


def percentile(values: Sequence[float], percent: int) -> float:
    """The nearest-rank percentile."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def table(campaign: Campaign) -> Table:
    """The rows for a terminal."""
    shown = Table(*HEADS[:1])
    for head in HEADS[1:]:
        shown.add_column(head, justify="right")
    for row in rows(campaign):
        shown.add_row(*row)
    return shown


def markdown(campaign: Campaign) -> str:
    """The rows as a Markdown table."""
    lines = [HEADS, ("---", *("---:",) * (len(HEADS) - 1)), *rows(campaign)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def totals(campaign: Campaign) -> dict[str, float]:
    """Figures over all faults: takeovers, restores, rebuilds of Redis, refusals."""
    figures: dict[str, list[float]] = {}
    for result in campaign.results.values():
        for name, values in result.figures.items():
            figures.setdefault(name, []).extend(values)
    found: dict[str, float] = {}
    for name in TIMES:
        if values := figures.get(name):
            found |= {f"{name}_p50": median(values), f"{name}_p99": percentile(values, 99), f"{name}_max": max(values)}
    for name in ("refused_transactions", "refused_shares", "restored_rows", "restore_s", "redis_rebuilt_hashes",
                 "redis_rebuild_s", "events"):  # fmt: skip
        found[name] = sum(figures.get(name, []))
    return found


def as_dict(campaign: Campaign, seed: int) -> dict[str, Any]:
    """All of it, for machines."""
    return {
        "seed": seed,
        "seconds": round(campaign.seconds),
        "totals": totals(campaign),
        "faults": {name: vars(result) for name, result in campaign.results.items()},
        "table": markdown(campaign),
    }

"""Every board that readers may read, from the hashes that it ranks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from streams.verify.shown import Hashes

METRICS = (
    "plays", "starters", "viewers", "completers", "repeaters", "completions", "rewatches", "watched_s", "views",
    "watching_now", "completion_rate", "repeat_rate",
)  # fmt: skip
DAY_METRICS = ("plays", "starters", "viewers", "completers", "completions", "rewatches", "watched_s")
LEAST_OF = {"completion_rate": "starters", "repeat_rate": "completers"}
"""Rates that a title is ranked by only where enough households were counted."""


def boards(titles: Hashes, least_starters: int) -> Hashes:
    """The members of each board for all time, with their scores' texts; `titles` by their ids."""
    ranked: Hashes = defaultdict(dict)
    for title_id, fields in titles.items():
        for metric in METRICS:
            enough = metric not in LEAST_OF or int(fields[LEAST_OF[metric]]) >= least_starters
            if enough and _counts(fields[metric]):
                ranked[f"board:{metric}"][title_id] = fields[metric]
    return dict(ranked)


def day_boards(days: Iterable[tuple[str, str, dict[str, str]]]) -> Hashes:
    """The same of the boards of days, from each title's id, the day's name and its hash."""
    ranked: Hashes = defaultdict(dict)
    for title_id, day, fields in days:
        for metric in DAY_METRICS:
            if _counts(fields[metric]):
                ranked[f"board:{metric}:{day}"][title_id] = fields[metric]
    return dict(ranked)


def _counts(score: str) -> bool:
    return score != "" and float(score) != 0

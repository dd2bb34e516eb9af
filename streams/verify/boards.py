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
"""Rates, and the households that each is a share of. A title is ranked by a rate only if there are enough of them."""


def boards(titles: Hashes, least_starters: int) -> Hashes:
    """The boards for all time: each member's score, as text. `titles`: the titles' hashes by title id."""
    ranked: Hashes = defaultdict(dict)
    for title_id, fields in titles.items():
        for metric in METRICS:
            enough = metric not in LEAST_OF or int(fields[LEAST_OF[metric]]) >= least_starters
            if enough and _counts(fields[metric]):
                ranked[f"board:{metric}"][title_id] = fields[metric]
    return dict(ranked)


def day_boards(days: Iterable[tuple[str, str, dict[str, str]]]) -> Hashes:
    """The boards of days. `days`: title id, name of the window (`day:<YYYYMMDD>`), and its hash."""
    ranked: Hashes = defaultdict(dict)
    for title_id, day, fields in days:
        for metric in DAY_METRICS:
            if _counts(fields[metric]):
                ranked[f"board:{metric}:{day}"][title_id] = fields[metric]
    return dict(ranked)


def _counts(score: str) -> bool:
    return score != "" and float(score) != 0

"""Every board and list that readers may read, from the hashes that are on it."""

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


LISTS = ("titles", "franchises")


def boards(hashes: Hashes, least_starters: int, of: str = "") -> Hashes:
    """The boards for all time: each member's score, as text. `hashes`: those of titles, by title id.

    The boards of others end in `of`, and have hashes by other ids.
    """
    ranked: Hashes = defaultdict(dict)
    for member, fields in hashes.items():
        for metric in METRICS:
            enough = metric not in LEAST_OF or int(fields[LEAST_OF[metric]]) >= least_starters
            if enough and _counts(fields[metric]):
                ranked[f"board:{metric}{of}"][member] = fields[metric]
    return dict(ranked)


def lists(titles: Hashes, franchises: Hashes) -> Hashes:
    """The lists of all titles and franchises that have a hash, each with the score 0."""
    found = zip(LISTS, (titles, franchises), strict=True)
    return {key: dict.fromkeys(hashes, "0") for key, hashes in found if hashes}


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

"""Households counted once across the titles of a franchise, in one partition.

Owns which title belongs to which franchise, and the counters that are not sums over titles. It shares no code with
`models`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from streams.verify.facts import histogram_field


class Standing(NamedTuple):
    """What a household counts as for a title."""

    starter: bool = False
    viewer: bool = False
    watcher: bool = False
    skimmer: bool = False
    completions: int = 0


def household_counts(standings: Iterable[Standing]) -> Counter[str]:
    """The counters that count one household in a franchise, from its standings in the titles."""
    counts: Counter[str] = Counter()
    most = 0
    for standing in standings:
        for name in ("starter", "viewer", "watcher", "skimmer"):
            if getattr(standing, name):
                counts[name + "s"] = 1
        most = max(most, standing.completions)
    if most >= 1:
        counts["completers"] = counts[histogram_field(most)] = 1
    if most >= 2:
        counts["repeaters"] = 1
    return counts


class CatalogFranchises:
    """The franchises in a partition's catalog. `of` maps a title to its franchise; `watched` are titles with credit.

    `once` returns the franchises with a counter that is not 0, now or when the catalog moved a title or a household
    was erased.
    """

    def __init__(self) -> None:
        self.of: dict[str, str] = {}
        self.members: dict[str, set[str]] = defaultdict(set)
        self.distinct: dict[str, Counter[str]] = defaultdict(Counter)
        self.watched: set[str] = set()
        self._once: set[str] = set()

    def move(self, title_id: str, franchise_id: str | None) -> list[str]:
        """Move a title to a franchise; None: to no franchise. Returns the franchises to recount."""
        before = self.of.get(title_id)
        if before == franchise_id:
            return []
        if before is not None:
            self._note(before)
            self.members[before].remove(title_id)
            del self.of[title_id]
        if franchise_id is not None:
            self.members[franchise_id].add(title_id)
            self.of[title_id] = franchise_id
        return [franchise for franchise in (before, franchise_id) if franchise is not None]

    def recount(self, franchise_id: str, households: Iterable[Iterable[Standing]]) -> None:
        """Recount the distinct households, each from its standings in the present members."""
        self.distinct[franchise_id] = Counter()
        for standings in households:
            self.distinct[franchise_id].update(household_counts(standings))

    def change(self, franchise_id: str, others: list[Standing], before: Standing, after: Standing) -> None:
        """Recount a household whose standing in one title changed. `others`: its standings in the other titles."""
        counts = self.distinct[franchise_id]
        counts.update(household_counts([*others, after]))
        counts.subtract(household_counts([*others, before]))

    def leave(self, franchise_id: str, standings: list[Standing]) -> None:
        """Stop counting a household, which had these standings in the titles."""
        self._note(franchise_id)
        self.distinct[franchise_id].subtract(household_counts(standings))

    def once(self) -> set[str]:
        for franchise_id in self.members:
            self._note(franchise_id)
        return self._once

    def _note(self, franchise_id: str) -> None:
        if any(self.distinct[franchise_id].values()) or self.members[franchise_id] & self.watched:
            self._once.add(franchise_id)
